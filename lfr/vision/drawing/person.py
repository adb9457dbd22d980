"""Drawing one person at one moment: legs, coat, arms and neck in plain colours, the head a photograph.

The head is scaled, turned, lit, defocused and smeared, so that no frame shows the still it was cut from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image
from lfr.vision.drawing.head import Cutout, Head
from lfr.vision.drawing.turn import turned

Colour = int | tuple[int, int, int]
"""BGR, or one number where the canvas has one channel."""


@dataclass(frozen=True, slots=True)
class Clothes:
    """What somebody wears: BGR."""

    coat: tuple[int, int, int]
    trousers: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stance:
    """How one person stands in one frame. All lengths are pixels of that frame.

    px: width of the face. x, y: middle of the head. swing: of arms and legs, -1..1. roll: radians. across, along:
    foreshortening of the head, 1 = none. shear: of its upper against its lower part. yaw, pitch: degrees, turned in
    space (drawing.turn). light: of the neck; gain: of the head. blur: sigma of the defocus. smear: how far it moved
    while the shutter was open, x y.
    """

    px: float
    x: float
    y: float
    swing: float = 0.0
    roll: float = 0.0
    across: float = 1.0
    along: float = 1.0
    shear: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    light: float = 1.0
    gain: float = 1.0
    blur: float = 0.5
    smear: tuple[float, float] = (0.0, 0.0)


def draw_person(frame: Image, head: Head, clothes: Clothes, stance: Stance) -> None:
    """Draw a whole person into the frame, as much of them as it shows."""
    lit: tuple[int, int, int] = tuple(int(c * stance.light * 0.8) for c in head.skin)  # type: ignore[assignment]
    draw_body(frame, stance, coat=clothes.coat, trousers=clothes.trousers, neck=lit)
    paste_head(frame, head, stance)


def draw_body(
    canvas: NDArray[np.uint8] | NDArray[np.uint16],
    stance: Stance,
    *,
    coat: Colour,
    trousers: Colour,
    neck: Colour,
    edge: int = cv2.LINE_AA,
    scale: float = 1.0,
) -> None:
    """Draw all but the head onto a canvas `scale` times the size of the frame. edge: OpenCV's kind of line."""
    px = stance.px * scale

    def at(dx: float, dy: float) -> tuple[int, int]:
        return round(stance.x * scale + dx * px), round(stance.y * scale + dy * px)

    def line(points: list[tuple[int, int]], width: float, paint: Colour, kind: int) -> None:
        cv2.polylines(canvas, [np.array(points)], False, paint, max(2, round(width * px)), kind)

    for side in (-1, 1):
        foot = at(0.45 * side, 6.0 + 0.25 * side * stance.swing)
        line([at(0.4 * side, 3.2), at(0.42 * side, 4.4), foot], 0.55, trousers, cv2.LINE_8)
    torso = [at(-1.25, 1.15), at(-0.45, 0.75), at(0.45, 0.75), at(1.25, 1.15), at(0.95, 3.6), at(-0.95, 3.6)]
    cv2.fillConvexPoly(canvas, np.array(torso), coat, edge)
    for side in (-1, 1):
        arm = [at(1.15 * side, 1.3), at(1.3 * side, 2.4), at(1.1 * side, 3.3 + 0.15 * side * stance.swing)]
        line(arm, 0.42, coat, edge)
    axes = (max(1, round(0.34 * px)), max(1, round(0.42 * px)))
    cv2.ellipse(canvas, at(0, 0.75), axes, 0, 0, 360, neck, -1, edge)


def paste_head(frame: Image, head: Head, stance: Stance) -> None:
    """Warp the cut-out to its size, roll and tilt, soften it, light it, and blend it in."""
    scale = stance.px / head.face_px
    high, wide = head.picture.shape[:2]
    half_x, half_y = 0.58 * wide * scale + 3, 0.54 * high * scale + 3  # room for roll and blur
    x0, y0 = max(0, math.floor(stance.x - half_x)), max(0, math.floor(stance.y - half_y))
    x1 = min(frame.shape[1], math.ceil(stance.x + half_x))
    y1 = min(frame.shape[0], math.ceil(stance.y + half_y))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    warp = _warp(stance, scale, (wide / 2, high / 2), (stance.x - x0, stance.y - y0))
    picture = turned(head, stance.yaw, stance.pitch) if stance.yaw or stance.pitch else head.picture
    warped = cv2.warpAffine(picture, warp, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    patch = _softened(np.asarray(warped, np.uint8), stance)
    opacity = cv2.extractChannel(patch, 3).astype(np.float32) * np.float32(1 / 255)
    lit = cv2.convertScaleAbs(cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), alpha=stance.gain)
    under = frame[y0:y1, x0:x1]
    cv2.blendLinear(lit, under, opacity, 1 - opacity, under)


def _warp(
    stance: Stance, scale: float, source: tuple[float, float], target: tuple[float, float]
) -> NDArray[np.float64]:
    cos, sin = math.cos(stance.roll), math.sin(stance.roll)
    tilt = np.array([[scale * stance.across, stance.shear * scale], [0.0, scale * stance.along]])
    matrix = np.array([[cos, -sin], [sin, cos]]) @ tilt
    return np.asarray(np.column_stack([matrix, np.array(target) - matrix @ np.array(source)]), np.float64)


def _softened(patch: Cutout, stance: Stance) -> Cutout:
    """Defocus, and the smear of what moved while the shutter was open."""
    size = (5, 5) if stance.blur <= 1 else (0, 0)  # 0: as large as the sigma needs
    soft = cv2.GaussianBlur(patch, size, stance.blur)
    smear = (max(1, round(abs(stance.smear[0]))), max(1, round(abs(stance.smear[1]))))
    return np.asarray(cv2.blur(soft, smear) if max(smear) > 1 else soft, np.uint8)
