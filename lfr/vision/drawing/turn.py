"""Turning a still of a head: its pixels are given depth, an ellipsoid with a nose on it, and are turned in space.

An affine tilt would leave the nose half-way between the eyes, so nothing that measures pose would see it. What the
camera of the still did not see is not made up: it stays hidden or is stretched, so angles end at LIMIT.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.vision.drawing.head import Cutout, Head

LIMIT = 45
"""Degrees to either side, yaw and pitch."""

# All in face widths, from the middle of the face box; depth from the axis between the ears, towards the camera.
_REACH, _CELLS = 1.2, 49
_HALF_WIDTH, _HALF_HEIGHT, _DEPTH = 0.62, 0.90, 0.62
_TIP_Y, _NOSE_WIDTH, _NOSE_HIGH, _NOSE_LOW, _NOSE_DEPTH = 0.07, 0.09, 0.14, 0.06, 0.18
_EVEN = 1.0  # cells
_EYE_X, _EYE_Y, _EYE_SIZE, _EYE_DEPTH = 0.23, -0.19, 0.08, 0.04


def turned(head: Head, yaw: float, pitch: float) -> Cutout:
    """The head's picture, turned by degrees. yaw: positive to the right of the picture; pitch: positive downwards."""
    side = _blended(_yaws(), yaw)
    nod = _blended(_pitches(), pitch)
    x, y, w, h = head.face
    high, wide = head.picture.shape[:2]
    # From the grid's cells to the picture's pixels.
    step = 2 * _REACH * w / (_CELLS - 1)
    to_picture = np.array([[step, 0, x + w / 2 - _REACH * w], [0, step, y + h / 2 - _REACH * w]], np.float64)
    spread = cv2.warpAffine(
        np.dstack([side, nod]) * np.float32(w), to_picture, (wide, high), borderMode=cv2.BORDER_REPLICATE
    )
    columns, rows = _pixels(wide, high)
    return np.asarray(
        cv2.remap(head.picture, columns + spread[..., 0], rows + spread[..., 1], cv2.INTER_LINEAR), np.uint8
    )


def _blended(table: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    place = min(max(angle, -LIMIT), LIMIT) + LIMIT
    lower = min(int(place), 2 * LIMIT - 1)
    share = np.float32(place - lower)
    return np.asarray(table[lower] * (1 - share) + table[lower + 1] * share, np.float32)


@cache
def _pixels(wide: int, high: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    columns, rows = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
    return columns, rows


def _depth() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The axis of the grid, and the depth at each of its points, rows by columns."""
    axis = np.linspace(-_REACH, _REACH, _CELLS)
    x, y = np.meshgrid(axis, axis)
    skull = _DEPTH * np.sqrt(np.clip(1 - (x / _HALF_WIDTH) ** 2 - (y / _HALF_HEIGHT) ** 2, 0, None))
    along = np.where(y < _TIP_Y, (y - _TIP_Y) / _NOSE_HIGH, (y - _TIP_Y) / _NOSE_LOW)
    nose = _NOSE_DEPTH * np.exp(-0.5 * (x / _NOSE_WIDTH) ** 2 - 0.5 * along**2)
    eyes = _EYE_DEPTH * np.exp(-0.5 * ((np.abs(x) - _EYE_X) ** 2 + (y - _EYE_Y) ** 2) / _EYE_SIZE**2)
    return axis, skull + nose - eyes


@cache
def _yaws() -> NDArray[np.float32]:
    """For each degree, how far to the side of each point its pixel comes from, face widths: (angles, rows, columns)."""
    axis, depth = _depth()
    return np.stack([_sources(axis, depth, angle) for angle in range(-LIMIT, LIMIT + 1)]).astype(np.float32)


@cache
def _pitches() -> NDArray[np.float32]:
    axis, depth = _depth()
    tables = [_sources(axis, depth.T, angle).T for angle in range(-LIMIT, LIMIT + 1)]
    return np.stack(tables).astype(np.float32)


def _sources(axis: NDArray[np.float64], depth: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """Turn each row about its middle and look up, for each place, what has come to lie there."""
    angle = np.radians(degrees)
    moved = axis * np.cos(angle) + depth * np.sin(angle)
    # The nearer side hides what lies behind it: seen from there, places never run backwards.
    seen = (
        np.maximum.accumulate(moved, axis=1) if degrees >= 0 else np.minimum.accumulate(moved[:, ::-1], axis=1)[:, ::-1]
    )
    seen = seen + np.arange(len(axis)) * 1e-6
    found = np.stack([np.interp(axis, row, axis) - axis for row in seen])
    # Where the far side ends, neighbouring rows end at different places: without this the outline is a saw.
    return np.asarray(cv2.GaussianBlur(found, (0, 0), _EVEN), np.float64)
