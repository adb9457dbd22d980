"""Where each face is in a frame and how much of it can be seen: the truth, from the same shapes that are drawn."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.evaluation.simulation.cast import Walker
from lfr.evaluation.simulation.plan import Plan, Walk
from lfr.evaluation.truth import Box
from lfr.vision.drawing.head import Head
from lfr.vision.drawing.person import Stance, draw_body

_SCALE = 0.25
"""Who hides whom is looked up in a picture a quarter as wide and high: labels, no colours."""

_LEAST = 0.05
"""A face of which less than this share can be seen is not in the picture."""

# A turned face lies so far from the head's axis, in face widths, and moves to the side with it.
_FACE_DEPTH = 0.45
# The head's ellipse as it is seen, soft edge left out, in face box widths and heights.
_HALF_WIDTH, _HALF_HEIGHT = 0.66, 0.70


def shown_head(walker: Walker, walk: Walk, t: float) -> Head:
    """The head this walker shows now: the second, where there is one, from half way on."""
    return walker.heads[-1] if walk.half(t) else walker.heads[0]


def face_box(head: Head, stance: Stance) -> tuple[float, float, float, float]:
    """x y w h of the face in the frame, pixels; it may reach beyond the picture."""
    cos, sin = math.cos(stance.roll), math.sin(stance.roll)
    yaw, pitch = math.radians(stance.yaw), math.radians(stance.pitch)
    across, down = head.middle
    dx = (across + _FACE_DEPTH * math.sin(yaw)) * stance.across * stance.px
    dy = (down + _FACE_DEPTH * math.sin(pitch)) * stance.along * stance.px
    width = stance.px * stance.across * math.cos(yaw)
    height = stance.px * head.face[3] / head.face[2] * stance.along * math.cos(pitch)
    middle_x, middle_y = stance.x + cos * dx - sin * dy, stance.y + sin * dx + cos * dy
    return middle_x - width / 2, middle_y - height / 2, width, height


def frame_boxes(plan: Plan, walkers: tuple[Walker, ...], index: int) -> dict[int, Box]:
    """The faces that can be seen in this frame, by the walk's number."""
    there = plan.present(index)
    if not there:
        return {}
    t = index / plan.settings.fps
    heads = {walk.number: shown_head(walkers[walk.number], walk, t) for walk, _ in there}
    width, height = plan.settings.width, plan.settings.height
    labels: NDArray[np.uint16] = np.zeros((math.ceil(height * _SCALE), math.ceil(width * _SCALE)), np.uint16)
    for label, (walk, stance) in enumerate(there, start=1):
        _mark(labels, heads[walk.number], stance, label)
    boxes: dict[int, Box] = {}
    for label, (walk, stance) in enumerate(there, start=1):
        head = heads[walk.number]
        x, y, w, h = face_box(head, stance)
        seen = _visible(labels, label, (x, y, w, h), width, height) * (1 - head.covered)
        centred = 0 <= x + w / 2 < width and 0 <= y + h / 2 < height
        if centred and seen >= _LEAST:
            where = (round(x, 1), round(y, 1), round(w, 1), round(h, 1))
            boxes[walk.number] = (index, *where, round(stance.px, 1), round(seen, 2))
    return boxes


def _mark(labels: NDArray[np.uint16], head: Head, stance: Stance, label: int) -> None:
    draw_body(labels, stance, coat=label, trousers=label, neck=label, edge=cv2.LINE_8, scale=_SCALE)
    x, y, w, h = face_box(head, stance)
    middle = (round((x + w / 2) * _SCALE), round((y + h / 2) * _SCALE))
    axes = (max(1, round(_HALF_WIDTH * w * _SCALE)), max(1, round(_HALF_HEIGHT * h * _SCALE)))
    cv2.ellipse(labels, middle, axes, math.degrees(stance.roll), 0, 360, label, -1, cv2.LINE_8)


def _visible(
    labels: NDArray[np.uint16], label: int, box: tuple[float, float, float, float], width: int, height: int
) -> float:
    """The share of the box inside the picture, less what nearer people hide of it."""
    x, y, w, h = box
    across = min(x + w, width) - max(x, 0.0)
    down = min(y + h, height) - max(y, 0.0)
    if across <= 0 or down <= 0:
        return 0.0
    rows = slice(int(max(y, 0) * _SCALE), max(int(max(y, 0) * _SCALE) + 1, round(min(y + h, height) * _SCALE)))
    columns = slice(int(max(x, 0) * _SCALE), max(int(max(x, 0) * _SCALE) + 1, round(min(x + w, width) * _SCALE)))
    cells = labels[rows, columns]
    hidden = float(np.count_nonzero(cells > label)) / max(1, cells.size)
    return across * down / (w * h) * (1 - hidden)
