"""Presentation attack instruments, drawn: a face on paper, a paper mask, a telephone, a tablet (ISO/IEC 30107-1).

Each is a flat thing with a face on it that somebody holds up. Paper loses contrast and colour and shines; a screen is
bright and bluish, has a frame, mirrors the street, and its pixels beat against the camera's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image
from lfr.evaluation.simulation.heads import Upright
from lfr.vision.drawing.head import Cutout, Head, cut_head

Instrument = Literal["print", "mask", "phone", "tablet"]
INSTRUMENTS: tuple[Instrument, ...] = ("print", "mask", "phone", "tablet")

MARGIN = 0.75
"""Of a photograph that is printed or shown, around the face, in its widths."""


@dataclass(frozen=True, slots=True)
class Held:
    """How a thing is held: size of the face on it against a face of flesh, and how far below the head, face widths."""

    size: float
    below: float


HELD: dict[Instrument, Held] = {
    "print": Held(1.0, 0.0),
    "mask": Held(1.05, 0.0),
    "phone": Held(0.5, 1.9),
    "tablet": Held(0.95, 0.2),
}


def make(instrument: Instrument, photograph: Upright, rng: np.random.Generator) -> Head:
    """The thing with this face on it, to be pasted where a head would be."""
    makers: dict[Instrument, Callable[[Upright, np.random.Generator], Head]] = {
        "print": _print,
        "mask": _mask,
        "phone": lambda photo, draw: _screen(photo, draw, frame=0.09),
        "tablet": lambda photo, draw: _screen(photo, draw, frame=0.06),
    }
    return makers[instrument](photograph, rng)


def _print(photograph: Upright, rng: np.random.Generator) -> Head:
    return _framed(photograph, _on_paper(photograph.picture, rng), border=0.08, colour=(228, 232, 234))


def _mask(photograph: Upright, rng: np.random.Generator) -> Head:
    return cut_head(_on_paper(photograph.picture, rng), photograph.face, photograph.shown)


def _on_paper(picture: Image, rng: np.random.Generator) -> Image:
    """Ink on white paper: no deep black, less colour, a raster, and light that lies across it."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
    ink = grey + (picture - grey) * rng.uniform(0.65, 0.9)
    ink = rng.uniform(28, 48) + ink * rng.uniform(0.68, 0.8)
    high, wide = picture.shape[:2]
    rows, columns = np.mgrid[:high, :wide].astype(np.float32)
    raster = np.sin(rows * 2.1) * np.sin(columns * 2.1) * rng.uniform(1.5, 5)
    return _clipped(ink + raster[..., None] + _gleam(high, wide, rng, rng.uniform(0, 45))[..., None])


def _screen(photograph: Upright, rng: np.random.Generator, *, frame: float) -> Head:
    """A lit panel behind glass, in a dark frame."""
    picture = photograph.picture.astype(np.float32)
    lit = 255 * (picture / 255) ** rng.uniform(0.75, 0.95) * np.array([1.06, 1.0, 0.94], np.float32)
    high, wide = picture.shape[:2]
    rows, columns = np.mgrid[:high, :wide].astype(np.float32)
    # Pixels of the panel against those of the camera: slow waves, in another phase for each colour.
    pitch, tilt = rng.uniform(2.05, 2.6), rng.uniform(-0.2, 0.2)
    waves = [np.sin(2 * np.pi * (columns + tilt * rows) / pitch + phase) for phase in (0, 2.1, 4.2)]
    lines = np.sin(2 * np.pi * rows / rng.uniform(2.05, 2.6))
    lit *= 1 + rng.uniform(0.06, 0.14) * np.dstack(waves) + rng.uniform(0.02, 0.07) * lines[..., None]
    lit += _gleam(high, wide, rng, rng.uniform(10, 60))[..., None]
    return _framed(photograph, _clipped(lit), border=frame, colour=(18, 18, 20))


def _gleam(high: int, wide: int, rng: np.random.Generator, strength: float) -> NDArray[np.float32]:
    """Light that lies across a smooth surface: one soft band."""
    rows, columns = np.mgrid[:high, :wide].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along = (columns * np.cos(angle) + rows * np.sin(angle)) / max(high, wide)
    return np.asarray(strength * np.exp(-(((along - rng.uniform(-0.2, 1.0)) / 0.22) ** 2)), np.float32)


def _framed(photograph: Upright, picture: Image, *, border: float, colour: tuple[int, int, int]) -> Head:
    """The picture in a frame of one colour, opaque throughout. border: share of its width."""
    edge = max(2, round(border * picture.shape[1]))
    framed = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=colour)
    x, y, w, h = photograph.face
    opaque: Cutout = np.dstack([framed, np.full(framed.shape[:2], 255, np.uint8)]).astype(np.uint8)
    return Head(np.ascontiguousarray(opaque), (x + edge, y + edge, w, h), (120, 140, 170))


def _clipped(values: NDArray[np.float32] | NDArray[np.float64]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
