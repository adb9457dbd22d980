"""Heads for the simulated scene, cut from two pictures that come with installed packages. We ship no face of our own.

- scikit-image's `astronaut.png`: NASA's portrait of Eileen Collins, in the public domain. She plays the one *listed
  consenting volunteer*, never a suspect.
- insightface's sample picture `t1.jpg`: six people who play passers-by. They are on no list, and every view of the
  scene is pixelated before it leaves the camera.

Where the faces are was measured once and is written down here, so that the scene needs no detector to be drawn.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import ConfigError
from lfr.domain.faces import Image

_HINT = "install the extra: pip install 'lfr[embedded]'"

# Face boxes, x y w h in pixels: forehead to chin, ear to ear.
_LISTED_BOX = (178, 63, 90, 113)
_PASSER_BOXES = (
    (61, 268, 107, 129),
    (267, 151, 105, 127),
    (466, 267, 102, 145),
    (749, 352, 99, 123),
    (906, 58, 99, 144),
    (1126, 273, 95, 124),
)
# The enrolment picture: head and shoulders, x0 y0 x1 y1.
_PORTRAIT = (83, 0, 363, 300)

# The head's ellipse around the face box, in box widths and heights: room for hair and chin.
_HALF_WIDTH, _HALF_HEIGHT, _SOFT = 0.70, 0.74, 0.10


@dataclass(frozen=True, slots=True)
class Head:
    """One head cut out. picture: uint8 (h, w, 4), BGR and opacity. face_px: width of the face in it.

    chin: y of the chin in the picture. skin: mean BGR of the cheeks, to draw a neck with.
    """

    picture: NDArray[np.uint8]
    face_px: float
    chin: float
    skin: tuple[int, int, int]


@cache
def listed_head() -> Head:
    """The volunteer's head. Raises ConfigError when scikit-image is not installed."""
    return _cut(_astronaut(), _LISTED_BOX)


@cache
def passer_heads() -> tuple[Head, ...]:
    """Six heads of passers-by. Raises ConfigError when insightface's sample picture is not there."""
    picture = _read("insightface", "data/images/t1.jpg", (886, 1280))
    return tuple(_cut(picture, box) for box in _PASSER_BOXES)


def listed_portrait() -> bytes:
    """The volunteer's picture for enrolment, PNG. Raises ConfigError when scikit-image is not installed."""
    x0, y0, x1, y1 = _PORTRAIT
    done, encoded = cv2.imencode(".png", _astronaut()[y0:y1, x0:x1])
    if not done:  # pragma: no cover - OpenCV without PNG
        raise ConfigError("this OpenCV cannot write PNG", hint="install opencv-python-headless")
    return bytes(encoded.tobytes())


def _astronaut() -> Image:
    return _read("skimage", "data/astronaut.png", (512, 512))


def _read(package: str, path: str, shape: tuple[int, int]) -> Image:
    spec = importlib.util.find_spec(package)  # finds the package's folder without importing it
    if spec is None or spec.origin is None:
        raise ConfigError(f"the simulated scene needs the package {package}", hint=_HINT)
    file = Path(spec.origin).parent / path
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None or picture.shape[:2] != shape:
        raise ConfigError(f"the package {package} does not bring its sample picture {Path(path).name}", hint=_HINT)
    return np.asarray(picture, np.uint8)


def _cut(source: Image, box: tuple[int, int, int, int]) -> Head:
    x, y, w, h = box
    centre_x, centre_y = x + w / 2, y + h / 2 - 0.04 * h
    half_w, half_h = _HALF_WIDTH * w, _HALF_HEIGHT * h
    left, top = max(0, int(centre_x - half_w) - 2), max(0, int(centre_y - half_h) - 2)
    right, bottom = int(centre_x + half_w) + 3, int(centre_y + half_h) + 3
    patch = source[top:bottom, left:right]
    rows, columns = np.mgrid[top : top + patch.shape[0], left : left + patch.shape[1]]
    radius = np.hypot((columns - centre_x) / half_w, (rows - centre_y) / half_h)
    opacity = np.clip((1.0 - radius) / _SOFT, 0.0, 1.0)
    picture = np.dstack([patch, np.rint(opacity * 255).astype(np.uint8)])
    cheeks = source[y + h // 2 : y + 3 * h // 4, x + w // 4 : x + 3 * w // 4].reshape(-1, 3).mean(axis=0)
    skin = (int(cheeks[0]), int(cheeks[1]), int(cheeks[2]))
    return Head(np.ascontiguousarray(picture, np.uint8), float(w), float(y + h - top), skin)
