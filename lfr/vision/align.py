"""Cutting an upright, scaled face out of a picture by its five points, as each recogniser was trained.

arcface112: left-in-picture eye, right eye, nose, left mouth corner, right mouth corner -> 112 x 112 (ArcFace, SFace).
dlib150: outer and inner corner of the right-in-picture eye, of the left one, base of the nose -> 150 x 150 with a
quarter of padding, the chip of dlib's get_face_chip.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Alignment, Image

_ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
)
_DLIB_MEAN = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ],
    np.float64,
)
_DLIB_PADDING = 0.25
_SIDES: dict[Alignment, int] = {"arcface112": 112, "dlib150": 150}
_TEMPLATES: dict[Alignment, NDArray[np.float64]] = {
    "arcface112": _ARCFACE,
    "dlib150": (_DLIB_MEAN + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * 150,
}
_SHRINK_BELOW = 0.5


def side(alignment: Alignment) -> int:
    """Pixels of a crop's side."""
    return _SIDES[alignment]


def canonical(alignment: Alignment) -> NDArray[np.float32]:
    """Where the five points lie in a crop: float32 (5, 2), pixels."""
    return _TEMPLATES[alignment].astype(np.float32)


def eyes_nose(points: NDArray[np.float32], alignment: Alignment) -> NDArray[np.float32]:
    """Points every alignment has: (n, 5, 2) in, float32 (n, 3, 2) out.

    Left-in-picture eye's centre, right-in-picture eye's centre, nose.
    """
    if alignment == "arcface112":
        return np.ascontiguousarray(points[:, :3], dtype=np.float32)
    left = points[:, 2:4].mean(axis=1)
    right = points[:, 0:2].mean(axis=1)
    return np.stack([left, right, points[:, 4]], axis=1).astype(np.float32)


def cut(image: Image, points: NDArray[np.float32], alignment: Alignment) -> Image:
    """Aligned crops: picture and points (n, 5, 2) in, uint8 (n, side, side, 3) BGR out, black beyond the border.

    The transform is the least-squares similarity (Umeyama 1991) without reflection. Points without extent or that are
    not finite give a black crop.
    """
    length = side(alignment)
    crops: Image = np.zeros((len(points), length, length, 3), np.uint8)
    for crop, matrix in zip(crops, crop_to_image(points, alignment), strict=True):
        if np.isfinite(matrix).all():
            _warp(image, matrix, crop)
    return crops


def crop_to_image(points: NDArray[np.float32], alignment: Alignment) -> NDArray[np.float64]:
    """Affine matrices (n, 2, 3) from a crop's pixels to the picture's. Not finite where the points have no extent."""
    template = _complex(_TEMPLATES[alignment])
    found = _complex(np.asarray(points, np.float64).reshape(-1, 5, 2))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if alignment == "arcface112":
            # ArcFace was trained on crops that minimise the error in the crop, dlib on the error in the picture.
            turn, shift = _similarity(found, np.broadcast_to(template, found.shape))
            turn, shift = 1 / turn, -shift / turn
        else:
            turn, shift = _similarity(np.broadcast_to(template, found.shape), found)
            turn, shift = _as_dlib_cuts(turn, shift)
        rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.moveaxis(np.array(rows, np.float64).reshape(2, 3, -1), -1, 0)


def _complex(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    return np.ascontiguousarray(points).view(np.complex128)[..., 0]


def _similarity(
    source: NDArray[np.complex128], target: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Turn-and-scale and shift, (n,) each, so that turn * source + shift comes nearest to target (points on axis 1)."""
    source_mean, target_mean = source.mean(axis=1), target.mean(axis=1)
    centred = source - source_mean[:, None]
    turn = (centred.conj() * (target - target_mean[:, None])).sum(axis=1) / (np.abs(centred) ** 2).sum(axis=1)
    return turn, target_mean - turn * source_mean


def _as_dlib_cuts(
    turn: NDArray[np.complex128], shift: NDArray[np.complex128]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """dlib's own reading of a transform: the chip's corner pixels, 149 apart, meet the corners of a rectangle whose
    last pixel is counted in, so the scale differs by a trace and the centre by half a pixel. Descriptors feel both.
    """
    size = np.abs(turn)
    exact = turn / size * (150 * size - 1) / 149
    return exact, turn * (75 + 75j) + shift - exact * (74.5 + 74.5j)


def _warp(image: Image, matrix: NDArray[np.float64], crop: Image) -> None:
    """Fill `crop` with the picture seen through `matrix` (crop to picture)."""
    length = len(crop)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale * _SHRINK_BELOW <= 1:
        cv2.warpAffine(image, matrix, (length, length), dst=crop, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        return
    # Many pixels become one: average first, on the part that is needed, or hair and skin texture alias.
    step = int(scale)
    corners = np.array([[0, 0, 1], [length, 0, 1], [0, length, 1], [length, length, 1]], np.float64) @ matrix.T
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)) - step, 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + step, 0, (width, height)).astype(int)
    across, down = (right - left) // step, (bottom - top) // step
    if across < 1 or down < 1:
        return
    part = image[top : top + down * step, left : left + across * step]
    small = cv2.resize(part, (int(across), int(down)), interpolation=cv2.INTER_AREA)
    # The centre of small pixel i is at (i + 1/2) * step - 1/2 in the part.
    moved = matrix.copy()
    moved[:, 2] -= (left + (step - 1) / 2, top + (step - 1) / 2)
    cv2.warpAffine(small, moved / step, (length, length), dst=crop, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
