"""The simulated street: people walk towards a fixed camera, drawn frame by frame as a camera would give them.

A head is never shown as the still it was cut from: it is scaled from small to large, moved, rolled and tilted, lit,
defocused and blurred by motion, and the whole frame gets sensor noise and goes through JPEG. Each frame is a pure
function of the seed and its index, so a run can be repeated and resumed. Proves plumbing, not accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lfr.domain.faces import Image
from lfr.vision.drawing.backdrop import HEIGHT, HORIZON, WIDTH, colour, empty_street
from lfr.vision.drawing.film import Film
from lfr.vision.drawing.head import Head
from lfr.vision.drawing.person import Clothes, Stance, draw_person
from lfr.vision.source.cutouts import listed_head, passer_heads

_FACE_PX_AT_1M = 800.0  # a long lens, as a camera that reads faces has
_FAR_PX, _ASIDE_PX, _GONE_PX = 55.0, 185.0, 300.0  # face widths: appears, steps aside, has passed
_HEAD_DROP = 1.55  # the camera hangs above the heads: they sink by this many face widths
_ARRIVAL_S = 2.4
_LISTED_EVERY_S = 12.0
_LANES = (640, 300, 980, 460, 820)  # x where a person is when the face is _ASIDE_PX wide
_JPEG_QUALITY = 80
_NOISE_SIGMA = 4.0


@dataclass(frozen=True, slots=True)
class Walk:
    """One person's way towards the camera. start_s: seconds into the scene. listed: whether it is the volunteer."""

    start_s: float
    head: Head
    listed: bool
    x_far: float
    x_near: float
    speed: float
    phase: float
    light: float
    clothes: Clothes

    def face_px(self, age: float) -> float:
        """Width of the face in pixels at this age (seconds since start)."""
        distance = _FACE_PX_AT_1M / _FAR_PX - self.speed * age
        return _FACE_PX_AT_1M / distance if distance > 0 else math.inf

    def place(self, age: float) -> tuple[float, float]:
        """Where the middle of the face is, x y in pixels."""
        px = self.face_px(age)
        share = (px - _FAR_PX) / (_ASIDE_PX - _FAR_PX)
        x = self.x_far + (self.x_near - self.x_far) * share
        if px > _ASIDE_PX:  # past the camera on the nearer side
            side = 1.0 if self.x_near >= WIDTH / 2 else -1.0
            x += side * 12.0 * (px - _ASIDE_PX)
        step = abs(math.sin(2 * math.pi * 0.95 * age + self.phase))
        return x, HORIZON + _HEAD_DROP * px + 0.07 * px * step

    def stance(self, age: float, frame_s: float) -> Stance:
        """How they stand at this age. frame_s: seconds from frame to frame; the shutter is open for half of it."""
        px, (x, y) = self.face_px(age), self.place(age)
        before_x, before_y = self.place(max(0.0, age - frame_s))
        turn = 2 * math.pi * age
        defocus = 0.5 + 0.8 * abs(math.log2(px / 130.0)) * px / 130.0  # away from the sharpest distance
        return Stance(
            px=px,
            x=x,
            y=y,
            swing=math.sin(2 * math.pi * 0.95 * age + self.phase),
            roll=math.radians(3.5) * math.sin(0.5 * turn + self.phase),
            across=0.97 + 0.03 * math.cos(0.31 * turn + self.phase),  # a little to the side
            along=0.98 + 0.02 * math.cos(0.43 * turn),  # and up and down
            shear=0.03 * math.sin(0.27 * turn + self.phase),
            light=self.light,
            gain=self.light * (1.0 + 0.10 * math.sin(0.9 * age + 2 * self.phase)),  # pools of light on the way
            blur=min(defocus, 2.0),
            smear=((x - before_x) * 0.5, (y - before_y) * 0.5),
        )


class Street:
    """The scene. render(index) gives one frame: uint8 (720, 1280, 3) BGR. Raises ConfigError without the pictures."""

    def __init__(self, *, seconds: float, seed: int, fps: float, loop: bool) -> None:
        self.fps = fps
        self._seconds = seconds
        self._loop = loop
        rng = np.random.default_rng(seed)
        self._background = empty_street(rng)
        self._film = Film(rng, WIDTH, HEIGHT, sigma=_NOISE_SIGMA, quality=_JPEG_QUALITY)
        self._seed = seed
        self.walks = _schedule(rng, seconds)

    def render(self, index: int) -> Image:
        """The frame at this index."""
        t = index / self.fps
        frame = self._background.copy()
        for walk, age in sorted(self._present(t), key=lambda pair: pair[0].face_px(pair[1])):
            draw_person(frame, walk.head, walk.clothes, walk.stance(age, 1.0 / self.fps))
        gain = 1.0 + 0.07 * math.sin(2 * math.pi * t / 9.0) + 0.02 * math.sin(2 * math.pi * t / 1.3)
        cv2.convertScaleAbs(frame, dst=frame, alpha=gain, beta=2.0)
        return self._film.developed(frame, self._seed, index)

    def _present(self, t: float) -> list[tuple[Walk, float]]:
        ages = ((walk, t - walk.start_s) for walk in self.walks)
        wrapped = ((walk, age % self._seconds if self._loop and age >= 0 else age) for walk, age in ages)
        return [(walk, age) for walk, age in wrapped if age >= 0 and walk.face_px(age) < _GONE_PX]


def _schedule(rng: np.random.Generator, seconds: float) -> list[Walk]:
    """Somebody arrives every _ARRIVAL_S; the volunteer is first, then one of about every five."""
    passers = passer_heads()
    order = list(rng.permutation(len(passers)))
    walks: list[Walk] = []
    next_listed = 0.0
    for slot in range(max(1, math.ceil((seconds - 1.0) / _ARRIVAL_S))):
        start = slot * _ARRIVAL_S + (0.4 if slot == 0 else float(rng.uniform(0.0, 0.5)))
        listed = start >= next_listed
        if listed:
            next_listed += _LISTED_EVERY_S
        walks.append(
            Walk(
                start_s=start,
                head=listed_head() if listed else passers[order[slot % len(order)]],
                listed=listed,
                x_far=float(rng.uniform(440, 840)),
                x_near=_LANES[slot % len(_LANES)] + float(rng.uniform(-30, 30)),
                speed=float(rng.uniform(1.15, 1.45)),
                phase=float(rng.uniform(0, math.pi)),
                light=float(rng.uniform(0.88, 1.08)),
                clothes=Clothes(coat=colour(rng, 40, 130), trousers=colour(rng, 25, 80)),
            )
        )
    return walks
