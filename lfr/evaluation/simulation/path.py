"""Ways through the street: straight lines on the ground, seen by a camera that hangs above the heads.

The camera looks along the street. `aside` is metres to the right of its axis, `ahead` metres in front of it. A face is
FACE_M wide, so its width in pixels tells how far away it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lfr.evaluation.simulation.settings import Settings
from lfr.vision.drawing import backdrop

FACE_M = 0.16
_PX_AT_1M = 400.0  # width of a face one metre away, in a picture 1280 wide: a lens of about 28 degrees
_HEAD_DROP = 1.55  # the camera hangs so many face widths above the heads
_BODY = 0.8  # half a head and a bit, face widths: so far beyond the edge somebody is out of the picture


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees. px_at_1m: pixels of a face one metre away. drop: camera above the heads, face widths."""

    width: int
    height: int
    px_at_1m: float
    horizon: float
    drop: float

    def place(self, aside: float, ahead: float) -> tuple[float, float, float]:
        """Width of the face, and x y of its middle, pixels."""
        px = self.px_at_1m / ahead
        return px, self.width / 2 + px * aside / FACE_M, self.horizon + self.drop * px

    def edge(self, px: float, side: float) -> float:
        """How far aside (metres) somebody of this size is when they are out of the picture. side: -1 left, 1 right."""
        return side * FACE_M * (self.width / 2 + _BODY * px) / px


def view_of(settings: Settings) -> View:
    """The view, hung so that the largest faces still are in the picture."""
    horizon = settings.height * backdrop.HORIZON / backdrop.HEIGHT
    largest = settings.face_px[1]
    room = (settings.height - horizon) / largest - 1.2
    return View(settings.width, settings.height, px_at_1m(settings.width), horizon, max(-0.2, min(_HEAD_DROP, room)))


def px_at_1m(width: int) -> float:
    """Width in pixels of a face one metre away, in a picture of this width."""
    return _PX_AT_1M * width / backdrop.WIDTH


@dataclass(frozen=True, slots=True)
class Path:
    """From one place on the ground to another at an even pace, metres and metres a second."""

    way: str
    start: tuple[float, float]
    end: tuple[float, float]
    speed: float

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return math.dist(self.start, self.end) / self.speed

    @property
    def heading(self) -> float:
        """Degrees from straight towards the camera; positive to the right of the picture."""
        return math.degrees(math.atan2(self.end[0] - self.start[0], self.start[1] - self.end[1]))

    def at(self, age: float) -> tuple[float, float]:
        """Aside and ahead after so many seconds."""
        share = age / self.seconds
        (x0, z0), (x1, z1) = self.start, self.end
        return x0 + (x1 - x0) * share, z0 + (z1 - z0) * share


def draw_path(rng: np.random.Generator, view: View, settings: Settings) -> Path:
    """Any path of the settings' way, sizes and speeds."""
    mixed = ("towards", "across", "diagonal")
    way = mixed[int(rng.choice(3, p=(0.5, 0.2, 0.3)))] if settings.way == "mixed" else settings.way
    low, high = settings.face_px
    middle = math.sqrt(low * high)
    side = float(rng.choice((-1.0, 1.0)))
    speed = float(rng.uniform(*settings.speed))
    makers: dict[str, Callable[[], tuple[tuple[float, float], tuple[float, float]]]] = {
        "towards": lambda: _towards(rng, view, side, low, high),
        "diagonal": lambda: _diagonal(view, side, *_two(rng, low, middle, high)),
        "across": lambda: _across(view, side, float(rng.uniform(low, high))),
    }
    start, end = makers[way]()
    return Path(way, start, end, speed)


def _two(rng: np.random.Generator, low: float, middle: float, high: float) -> tuple[float, float]:
    return float(rng.uniform(low, middle)), float(rng.uniform(middle, high))


def _towards(
    rng: np.random.Generator, view: View, side: float, low: float, high: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Appears small anywhere across the picture and passes the camera on one side."""
    far, near = low, float(rng.uniform(low + 0.7 * (high - low), high))
    aside = float(rng.uniform(-0.4, 0.4)) * view.width / far * FACE_M
    return (aside, view.px_at_1m / far), (view.edge(near, side), view.px_at_1m / near)


def _diagonal(view: View, side: float, far: float, near: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return (view.edge(far, -side), view.px_at_1m / far), (view.edge(near, side), view.px_at_1m / near)


def _across(view: View, side: float, px: float) -> tuple[tuple[float, float], tuple[float, float]]:
    ahead = view.px_at_1m / px
    return (view.edge(px, -side), ahead), (view.edge(px, side), ahead)
