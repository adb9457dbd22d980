"""One frame of somebody before the camera: in the flesh (as far as a cut-out photograph is), or holding a thing up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from lfr.domain.faces import Image
from lfr.evaluation.attack.instruments import HELD, INSTRUMENTS, Instrument, make
from lfr.evaluation.simulation.heads import Upright
from lfr.vision.drawing.backdrop import HEIGHT, WIDTH, colour, empty_street
from lfr.vision.drawing.film import Film
from lfr.vision.drawing.head import Head
from lfr.vision.drawing.person import Clothes, Stance, draw_person, paste_head

Species = Literal["walker", "print", "mask", "phone", "tablet"]
BONA_FIDE: Final = "walker"
SPECIES: tuple[Species, ...] = (BONA_FIDE, *INSTRUMENTS)

_NOISE_SIGMA, _JPEG_QUALITY = 4.0, 80


@dataclass(frozen=True, slots=True)
class Presentation:
    """picture: the frame. middle: where the presented face is, x y. reach: half its width and a bit, pixels."""

    picture: Image
    middle: tuple[float, float]
    reach: float


class Studio:
    """Draws presentations. Each depends on the seed, the person's number and the species alone."""

    def __init__(self, seed: int, face_px: tuple[float, float]) -> None:
        self._seed = seed
        self._face_px = face_px
        rng = np.random.default_rng((seed, 0))
        self._backdrop = empty_street(rng)
        self._film = Film(rng, WIDTH, HEIGHT, sigma=_NOISE_SIGMA, quality=_JPEG_QUALITY)

    def present(self, number: int, species: Species, own: Head, photograph: Upright) -> Presentation:
        """own: the head of who stands there. photograph: the face on what they hold up."""
        rng = np.random.default_rng((self._seed, 1, number))  # the same stance for every species
        picture: Image = self._backdrop.copy()
        clothes = Clothes(coat=colour(rng, 40, 130), trousers=colour(rng, 25, 80))
        stance = self._stance(rng)
        draw_person(picture, own, clothes, stance)
        middle, reach = (stance.x, stance.y), 0.6 * stance.px
        if species != BONA_FIDE:
            thing = np.random.default_rng((self._seed, 2, number, SPECIES.index(species)))
            held = self._hold_up(picture, species, photograph, stance, own, thing)
            middle, reach = (held.x, held.y), 0.6 * held.px
        cv2.convertScaleAbs(picture, dst=picture, alpha=float(rng.uniform(0.8, 1.15)))
        return Presentation(self._film.developed(picture, self._seed, number), middle, reach)

    def _stance(self, rng: np.random.Generator) -> Stance:
        px = float(rng.uniform(*self._face_px))
        return Stance(
            px=px,
            x=WIDTH / 2 + float(rng.uniform(-0.2, 0.2)) * WIDTH,
            y=0.30 * HEIGHT + float(rng.uniform(-0.04, 0.04)) * HEIGHT,
            roll=math.radians(float(rng.uniform(-6, 6))),
            yaw=float(rng.uniform(-12, 12)),
            pitch=float(rng.uniform(-6, 6)),
            gain=float(rng.uniform(0.9, 1.08)),
            blur=0.6,
            smear=(float(rng.uniform(0, 2)), float(rng.uniform(0, 1.5))),
        )

    def _hold_up(
        self,
        picture: Image,
        instrument: Instrument,
        photograph: Upright,
        stance: Stance,
        own: Head,
        rng: np.random.Generator,
    ) -> Stance:
        """Paste the thing in front of the person, with two hands at its edges. Returns how it is held."""
        held = HELD[instrument]
        thing = make(instrument, photograph, rng)
        # A flat thing that is turned gets narrower; its face does not turn.
        turned = replace(
            stance,
            px=stance.px * held.size,
            y=stance.y + held.below * stance.px,
            yaw=0.0,
            pitch=0.0,
            across=math.cos(math.radians(float(rng.uniform(0, 25)))),
            along=math.cos(math.radians(float(rng.uniform(0, 15)))),
            shear=float(rng.uniform(-0.05, 0.05)),
        )
        paste_head(picture, thing, turned)
        if instrument != "mask":
            _hands(picture, thing, turned, stance.px, own.skin)
        return turned


def _hands(picture: Image, thing: Head, held: Stance, px: float, skin: tuple[int, int, int]) -> None:
    half = thing.picture.shape[1] / thing.face_px * held.px * held.across / 2
    for side in (-1, 1):
        place = (round(held.x + side * half), round(held.y + 0.5 * held.px))
        tone = tuple(int(0.85 * value) for value in skin)
        cv2.ellipse(picture, place, (round(0.22 * px), round(0.30 * px)), 0, 0, 360, tone, -1, cv2.LINE_AA)
