"""Cutting heads out of photographs: upright, by the points a detector finds, at their own resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Alignment, Image
from lfr.vision.align import canonical, crop_to_image, eyes_nose
from lfr.vision.drawing.head import FaceBox, Head, cut_head
from lfr.vision.engine.base import FaceEngine
from lfr.vision.stills import central_face, find_faces

# The face box from the eyes, in distances between them: forehead to chin, ear to ear.
_WIDTH, _ABOVE, _BELOW = 2.15, 1.05, 1.80
_MARGIN = 0.45  # of the box's width, around it: what a head's ellipse reaches
_MAX_FACE_PX = 320.0


@dataclass(frozen=True, slots=True)
class Upright:
    """A photograph turned so that the eyes are level. face: x y w h in it. shown: 0 where the photograph had ended."""

    picture: Image
    face: FaceBox
    shown: NDArray[np.uint8]


def find_head(engine: FaceEngine, image: Image) -> Head | None:
    """The head of the most central face; None where the engine finds no face, or one without extent."""
    found = find_upright(engine, image, margin=_MARGIN)
    return None if found is None else cut_head(found.picture, found.face, found.shown)


def find_upright(engine: FaceEngine, image: Image, *, margin: float) -> Upright | None:
    """The most central face with so many of its widths around it; None as above."""
    faces = find_faces(engine, image)
    if not len(faces):
        return None
    alignment = engine.contract.alignment
    matrix = crop_to_image(faces.points[[central_face(faces, image.shape[1], image.shape[0])]], alignment)[0]
    return _upright(image, matrix, alignment, margin) if np.isfinite(matrix).all() else None


def _upright(image: Image, to_image: NDArray[np.float64], alignment: Alignment, margin: float) -> Upright | None:
    """to_image: from an aligned crop to the picture."""
    left, right, _ = eyes_nose(canonical(alignment)[None], alignment)[0].astype(float)
    apart = float(np.linalg.norm(right - left))
    middle = (left + right) / 2
    width, height = _WIDTH * apart, (_ABOVE + _BELOW) * apart
    native = float(np.hypot(to_image[0, 0], to_image[1, 0]))
    scale = min(native, _MAX_FACE_PX / width)
    if width * scale < 8:
        return None
    around = margin * width
    origin = middle - np.array([width / 2 + around, _ABOVE * apart + around])
    size = (round((width + 2 * around) * scale), round((height + 2 * around) * scale))
    # From the upright picture's pixels to the crop's, then to the photograph's.
    to_crop = np.array([[1 / scale, 0, origin[0]], [0, 1 / scale, origin[1]], [0, 0, 1]])
    matrix = (np.vstack([to_image, [0, 0, 1]]) @ to_crop)[:2]
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_AREA if native > 2 * scale else cv2.INTER_LINEAR)
    upright = np.asarray(cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    whole = np.full(image.shape[:2], 255, np.uint8)
    shown = np.asarray(cv2.warpAffine(whole, matrix, size, flags=cv2.WARP_INVERSE_MAP), np.uint8)
    return Upright(upright, (around * scale, around * scale, width * scale, height * scale), shown)
