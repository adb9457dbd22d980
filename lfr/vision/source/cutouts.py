"""Heads for the simulated scene, cut from two pictures that come with installed packages. We ship no face of our own.

- scikit-image's `astronaut.png`: NASA's portrait of Eileen Collins, in the public domain. She plays the one *listed
  consenting volunteer*, never a suspect.
- insightface's sample picture `t1.jpg`: six people who play passers-by. They are on no list, and every view of the
  scene is pixelated before it leaves the camera.

Where the faces are was measured once and is written down here, so that the scene needs no detector to be drawn.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from lfr.domain.errors import ConfigError
from lfr.domain.faces import Image
from lfr.vision.drawing.head import Head, cut_head

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


@cache
def listed_head() -> Head:
    """The volunteer's head. Raises ConfigError when scikit-image is not installed."""
    return cut_head(_astronaut(), _LISTED_BOX)


@cache
def passer_heads() -> tuple[Head, ...]:
    """Six heads of passers-by. Raises ConfigError when insightface's sample picture is not there."""
    picture = _read("insightface", "data/images/t1.jpg", (886, 1280))
    return tuple(cut_head(picture, box) for box in _PASSER_BOXES)


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
