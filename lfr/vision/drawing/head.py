"""A head cut out of a photograph, to be drawn on a body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image

Cutout = NDArray[np.uint8]
"""A picture with opacity: uint8 (height, width, 4), BGRA."""

FaceBox = tuple[float, float, float, float]
"""x y w h in pixels, forehead to chin and ear to ear."""

# The head's ellipse around the face box, in box widths and heights: room for hair and chin.
_HALF_WIDTH, _HALF_HEIGHT, _SOFT = 0.70, 0.74, 0.10
_RISE = 0.04  # its middle lies above the face's: hair is higher than a chin is low


@dataclass(frozen=True, slots=True)
class Head:
    """One head. face: where the face lies in `picture`. skin: mean BGR of the cheeks, to draw a neck with.

    covered: share of the face box that something worn hides. ellipse: middle x y and half axes of what shows.
    """

    picture: Cutout
    face: FaceBox
    skin: tuple[int, int, int]
    covered: float = 0.0

    @property
    def face_px(self) -> float:
        """Width of the face in the picture."""
        return self.face[2]

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of the face, from the middle of the picture, in face widths: x y."""
        x, y, w, h = self.face
        high, wide = self.picture.shape[:2]
        return (x + w / 2 - wide / 2) / w, (y + h / 2 - high / 2) / w


def cut_head(source: Image, face: FaceBox, shown: NDArray[np.uint8] | None = None) -> Head:
    """Cut the head around an upright face box out of a picture, with a soft edge.

    shown: uint8 (h, w), 0 where `source` has no picture of its own; nothing of that is taken.
    """
    x, y, w, h = face
    centre_x, centre_y = x + w / 2, y + h / 2 - _RISE * h
    half_w, half_h = _HALF_WIDTH * w, _HALF_HEIGHT * h
    left, top = max(0, int(centre_x - half_w) - 2), max(0, int(centre_y - half_h) - 2)
    right, bottom = int(centre_x + half_w) + 3, int(centre_y + half_h) + 3
    patch = source[top:bottom, left:right]
    rows, columns = np.mgrid[top : top + patch.shape[0], left : left + patch.shape[1]]
    radius = np.hypot((columns - centre_x) / half_w, (rows - centre_y) / half_h)
    opacity = np.clip((1.0 - radius) / _SOFT, 0.0, 1.0)
    if shown is not None:
        opacity = np.minimum(opacity, shown[top:bottom, left:right] / 255.0)
    picture = np.dstack([patch, np.rint(opacity * 255).astype(np.uint8)])
    return Head(
        np.ascontiguousarray(picture, np.uint8),
        (float(x - left), float(y - top), float(w), float(h)),
        _skin(source, face),
    )


def _skin(source: Image, face: FaceBox) -> tuple[int, int, int]:
    x, y, w, h = (int(value) for value in face)
    cheeks = source[y + h // 2 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4].reshape(-1, 3).mean(axis=0)
    return int(cheeks[0]), int(cheeks[1]), int(cheeks[2])
