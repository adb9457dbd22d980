"""Drawing the frames of a simulated clip. Each is a function of the settings and its index alone."""

from __future__ import annotations

import cv2
import numpy as np

from lfr.domain.faces import Image
from lfr.evaluation.simulation.boxes import shown_head
from lfr.evaluation.simulation.cast import Walker
from lfr.evaluation.simulation.plan import Plan
from lfr.vision.drawing.backdrop import empty_street
from lfr.vision.drawing.film import Film
from lfr.vision.drawing.person import draw_person


class Stage:
    """The scene. render(index) may be called from several threads at once."""

    def __init__(self, plan: Plan, walkers: tuple[Walker, ...]) -> None:
        settings = plan.settings
        rng = np.random.default_rng((settings.seed, 3))
        size = (settings.width, settings.height)
        self._backdrop = np.asarray(cv2.resize(empty_street(rng), size, interpolation=cv2.INTER_AREA), np.uint8)
        self._film = Film(rng, *size, sigma=settings.noise, quality=settings.quality)
        self._plan = plan
        self._walkers = walkers

    def render(self, index: int) -> Image:
        """The frame at this index: uint8 (height, width, 3) BGR."""
        t = index / self._plan.settings.fps
        frame: Image = self._backdrop.copy()
        for walk, stance in self._plan.present(index):
            draw_person(frame, shown_head(self._walkers[walk.number], walk, t), walk.clothes, stance)
        cv2.convertScaleAbs(frame, dst=frame, alpha=self._plan.gain(index))
        return self._film.developed(frame, self._plan.settings.seed, index)
