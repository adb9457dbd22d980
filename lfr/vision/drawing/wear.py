"""What people wear over their faces: drawn onto the cut-out, so that it turns and moves with the head."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.vision.drawing.head import Head

Wear = Literal["scarf", "cap", "glasses"]
WEARS: tuple[Wear, ...] = ("scarf", "cap", "glasses")


def wearing(head: Head, wear: Wear, colour: tuple[int, int, int]) -> Head:
    """The head with a scarf to its nose, a cap to its brows, or dark glasses; `covered` says how much that hides."""
    picture = head.picture.copy()
    mask = np.zeros(picture.shape[:2], np.uint8)
    {"scarf": _scarf, "cap": _cap, "glasses": _glasses}[wear](mask, head)
    cloth = np.array((12, 12, 14) if wear == "glasses" else colour, np.float32)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.012 * head.face_px)).astype(np.float32)[..., None] / 255
    rows = np.arange(picture.shape[0], dtype=np.float32)[:, None, None]
    folds = cloth * (1 + 0.12 * np.sin(rows * 28 / head.face_px))
    picture[..., :3] = np.clip(picture[..., :3] * (1 - soft) + folds * soft, 0, 255).astype(np.uint8)
    picture[..., 3] = np.maximum(picture[..., 3], (soft[..., 0] * 255).astype(np.uint8))
    return replace(head, picture=picture, covered=_share(mask, head))


def _share(mask: NDArray[np.uint8], head: Head) -> float:
    x, y, w, h = (round(v) for v in head.face)
    inside = mask[y : y + h, x : x + w]
    return float(np.count_nonzero(inside)) / max(1, w * h)


def _at(head: Head, across: float, down: float) -> tuple[int, int]:
    x, y, w, h = head.face
    return round(x + across * w), round(y + down * h)


def _fill(mask: NDArray[np.uint8], head: Head, points: list[tuple[float, float]]) -> None:
    cv2.fillPoly(mask, [np.array([_at(head, *point) for point in points])], 255, cv2.LINE_AA)


def _scarf(mask: NDArray[np.uint8], head: Head) -> None:
    edge = [(-0.14, 0.66), (0.1, 0.62), (0.5, 0.58), (0.9, 0.62), (1.14, 0.66)]
    _fill(mask, head, [*edge, (1.14, 1.3), (-0.14, 1.3)])


def _cap(mask: NDArray[np.uint8], head: Head) -> None:
    crown = [(0.5 + 0.72 * np.cos(angle), 0.14 - 0.38 * np.sin(angle)) for angle in np.linspace(0, np.pi, 24)]
    _fill(mask, head, [*crown, (-0.2, 0.22), (0.05, 0.29), (0.5, 0.32), (0.95, 0.29), (1.2, 0.22)])


def _glasses(mask: NDArray[np.uint8], head: Head) -> None:
    axes = (round(0.19 * head.face_px), round(0.13 * head.face_px))
    for across in (0.28, 0.72):
        cv2.ellipse(mask, _at(head, across, 0.38), axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    thick = max(1, round(0.04 * head.face_px))
    for ends in ((0.4, 0.6), (-0.08, 0.15), (0.85, 1.08)):
        cv2.line(mask, _at(head, ends[0], 0.36), _at(head, ends[1], 0.36), 255, thick, cv2.LINE_AA)
