"""People who walk on the spot, each in a place of their own: transits held at one condition.

The drawing is the simulator's. How each person moves depends on the seed and the person alone, so that the same people
move alike at every level and only the condition differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lfr.domain.faces import Detections, Image
from lfr.evaluation.envelope.levels import Held
from lfr.vision.drawing.backdrop import HEIGHT, WIDTH, colour, empty_street
from lfr.vision.drawing.film import Film
from lfr.vision.drawing.head import Head
from lfr.vision.drawing.person import Clothes, Stance, draw_person

FPS = 12.5
FRAMES = 20
_NOISE_SIGMA, _JPEG_QUALITY = 4.0, 60
_NEARER = 0.10  # faces grow by this share during a transit
_ACROSS, _DOWN = 2.8, 3.2  # face widths: shoulders, and room to move
_MOST_ACROSS, _MOST_DOWN = 8, 3


@dataclass(frozen=True, slots=True)
class Mover:
    """One person in the line. number: of the person, from which their way of moving is drawn."""

    number: int
    head: Head


@dataclass(frozen=True, slots=True)
class Places:
    """Where people of one size stand, columns by rows. Those in front hide others' legs, not their faces."""

    columns: int
    rows: int

    @classmethod
    def of(cls, face_px: float) -> Places:
        """As many as have room for their shoulders."""
        columns = max(1, min(_MOST_ACROSS, int(WIDTH / (_ACROSS * face_px))))
        return cls(columns, max(1, min(_MOST_DOWN, int(HEIGHT / (_DOWN * face_px)))))

    @property
    def count(self) -> int:
        """How many people."""
        return self.columns * self.rows

    def middle(self, place: int) -> tuple[float, float]:
        """Where the face of a place is, x y in pixels; places are numbered by row."""
        row, column = divmod(place, self.columns)
        return WIDTH / self.columns * (column + 0.5), HEIGHT / self.rows * (row + 0.42)

    def at(self, x: float, y: float) -> int:
        """The place a point of the picture belongs to."""
        column = min(max(int(x / WIDTH * self.columns), 0), self.columns - 1)
        return min(max(int(y / HEIGHT * self.rows), 0), self.rows - 1) * self.columns + column


class LineUp:
    """At most Places.count people. frame(step) gives the picture at step 0..FRAMES - 1."""

    def __init__(self, movers: Sequence[Mover], held: Held, seed: int) -> None:
        self._held = held
        self._seed = seed
        self._places = Places.of(held.face_px)
        self._backdrop, self._film = _set(seed)
        self._people = [(mover.head, _Manner(np.random.default_rng((seed, 1, mover.number)))) for mover in movers]

    def frame(self, step: int) -> Image:
        """The picture: uint8 (720, 1280, 3) BGR."""
        picture: Image = self._backdrop.copy()
        for place, (head, manner) in enumerate(self._people):
            draw_person(picture, head, manner.clothes, manner.stance(self._held, self._places.middle(place), step))
        cv2.convertScaleAbs(picture, dst=picture, alpha=self._held.light)
        return self._film.developed(picture, self._seed, step)

    def by_place(self, faces: Detections) -> dict[int, int]:
        """The largest face of each place: place -> index."""
        found: dict[int, int] = {}
        for index in np.argsort(faces.boxes[:, 2] - faces.boxes[:, 0]):
            x, y = (faces.boxes[index, :2] + faces.boxes[index, 2:]) / 2
            place = self._places.at(float(x), float(y))
            if place < len(self._people):
                found[place] = int(index)
        return found


@lru_cache(maxsize=1)
def _set(seed: int) -> tuple[Image, Film]:
    rng = np.random.default_rng((seed, 0))
    return empty_street(rng), Film(rng, WIDTH, HEIGHT, sigma=_NOISE_SIGMA, quality=_JPEG_QUALITY)


class _Manner:
    """How one person moves."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.clothes = Clothes(coat=colour(rng, 40, 130), trousers=colour(rng, 25, 80))
        self.phase = float(rng.uniform(0, math.pi))
        self.side = float(rng.choice((-1.0, 1.0)))
        self.light = float(rng.uniform(0.9, 1.08))
        self.smear = (float(rng.uniform(0, 2.5)), float(rng.uniform(0, 1.5)))
        self.roll = float(rng.uniform(-4, 4))

    def stance(self, held: Held, middle: tuple[float, float], step: int) -> Stance:
        t = step / FPS
        px = held.face_px * (1 + _NEARER * (step / (FRAMES - 1) - 0.5))
        turn = 2 * math.pi * 0.95 * t + self.phase
        return Stance(
            px=px,
            x=middle[0] + 0.12 * px * math.sin(0.5 * turn),
            y=middle[1] + 0.07 * px * abs(math.sin(turn)),
            swing=math.sin(turn),
            roll=math.radians(self.roll + 2.5 * math.sin(0.5 * turn)),
            yaw=self.side * held.yaw + 3.0 * math.sin(0.4 * turn),
            pitch=3.0 * math.sin(0.3 * turn + self.phase),
            light=self.light,
            gain=self.light,
            blur=held.defocus,
            smear=self.smear,
        )
