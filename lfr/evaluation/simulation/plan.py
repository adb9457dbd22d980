"""Who walks where and when, and how they stand in each frame: everything about a clip but its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lfr.evaluation.simulation.path import Path, View, draw_path, view_of
from lfr.evaluation.simulation.settings import Settings
from lfr.vision.drawing.backdrop import colour
from lfr.vision.drawing.person import Clothes, Stance

_SAMPLES = 400  # paths drawn to learn how long a passage lasts


@dataclass(frozen=True, slots=True)
class Walk:
    """One passage. start_s: seconds into the clip, below 0 for somebody who is under way when it begins.

    phase: of the gait. tall: metres above the average, in face widths. light: of the person. turn: degrees the head
    is turned all the while; sway: degrees it moves to and fro.
    """

    number: int
    path: Path
    start_s: float
    clothes: Clothes
    phase: float
    cadence: float
    tall: float
    light: float
    turn: float
    sway: float

    def stance(self, view: View, settings: Settings, t: float) -> Stance | None:
        """How they stand at second t; None before and after their passage."""
        age = t - self.start_s
        if not 0 <= age <= self.path.seconds:
            return None
        px, x, y = self._place(view, age)
        _, was_x, was_y = self._place(view, age - settings.shutter / settings.fps)
        step = 2 * math.pi * self.cadence * age + self.phase
        slow = 2 * math.pi * age
        return Stance(
            px=px,
            x=x,
            y=y,
            swing=math.sin(step),
            roll=math.radians(3.0) * math.sin(0.5 * slow + self.phase),
            along=0.98 + 0.02 * math.cos(0.43 * slow),
            yaw=self.turn + self.sway * math.sin(0.33 * slow + self.phase),
            pitch=0.5 * self.sway * math.sin(0.41 * slow + 2 * self.phase),
            light=self.light,
            gain=self.light * (1.0 + 0.08 * math.sin(0.9 * age + 2 * self.phase)),  # pools of light on the way
            blur=settings.defocus,
            smear=(x - was_x, y - was_y),
        )

    def half(self, t: float) -> bool:
        """Whether the second half of the passage has begun."""
        return t - self.start_s > self.path.seconds / 2

    def _place(self, view: View, age: float) -> tuple[float, float, float]:
        px, x, y = view.place(*self.path.at(age))
        bob = abs(math.sin(2 * math.pi * self.cadence * age + self.phase))
        return px, x, y + (0.07 * bob - self.tall) * px


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole clip. walks: by number, which is the index of the walker in the cast."""

    settings: Settings
    view: View
    walks: tuple[Walk, ...]

    def present(self, index: int) -> list[tuple[Walk, Stance]]:
        """Who is there in this frame, the farthest first, as they are drawn."""
        t = index / self.settings.fps
        stances = ((walk, walk.stance(self.view, self.settings, t)) for walk in self.walks)
        there = [(walk, stance) for walk, stance in stances if stance is not None]
        return sorted(there, key=lambda pair: (pair[1].px, pair[0].number))

    def gain(self, index: int) -> float:
        """How bright this frame is, within the settings' range."""
        low, high = self.settings.light
        return (low + high) / 2 + (high - low) / 2 * math.sin(2 * math.pi * index / self.settings.fps / 9.0)


def draw_plan(settings: Settings) -> Plan:
    """Draw the passages by the seed: starts spread evenly, each passage whole where the clip is long enough."""
    rng = np.random.default_rng((settings.seed, 1))
    view = view_of(settings)
    order = rng.permutation(settings.people)
    walks = []
    for number in range(settings.people):
        path = draw_path(rng, view, settings)
        share = (int(order[number]) + float(rng.uniform())) / settings.people
        walks.append(_walk(rng, number, path, share * (settings.seconds - path.seconds), settings))
    return Plan(settings, view, tuple(walks))


def people_for(settings: Settings, density: float) -> int:
    """How many people make `density` of them in the picture at once, on average."""
    rng = np.random.default_rng((settings.seed, 2))
    view = view_of(settings)
    lasts = np.mean([min(draw_path(rng, view, settings).seconds, settings.seconds) for _ in range(_SAMPLES)])
    return max(1, round(density * settings.seconds / float(lasts)))


def _walk(rng: np.random.Generator, number: int, path: Path, start_s: float, settings: Settings) -> Walk:
    # A still shows no profile, so whoever walks across looks towards the camera as far as `pose` says.
    glance = float(np.clip(0.5 * path.heading + rng.normal(0, 0.3) * settings.pose, -1, 1)) * 0.65 * settings.pose
    return Walk(
        number=number,
        path=path,
        start_s=start_s,
        clothes=Clothes(coat=colour(rng, 40, 130), trousers=colour(rng, 25, 80)),
        phase=float(rng.uniform(0, math.pi)),
        cadence=float(rng.uniform(0.85, 1.05)),
        tall=float(rng.normal(0, 0.25)),
        light=float(rng.uniform(0.9, 1.08)),
        turn=glance,
        sway=0.35 * settings.pose,
    )
