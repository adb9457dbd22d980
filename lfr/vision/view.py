"""What a camera usually sees, learned from its own pictures, and how much of it is still there (C5).

A fixed camera's background does not move; passers-by do, and vanish from an average over a second or two. What stays
is compared as structure (what stands out from its surroundings, relative to the light there), so a cloud or a lamp
changes nothing, while a hand on the lens, a smear, a turn or a push does. No face survives in it: it is 160 pixels wide
and averaged, and it dies with its process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image

Plane = NDArray[np.float32]

SIZE, GRID = (160, 96), (20, 12)
"""Pixels in which structure is compared, and cells in which it is counted."""
NOW_S, USUAL_S = 1.5, 60.0
"""Time constants of what is there now, and of what usually is."""
LEARN_S = 3.0
"""Until so much was seen, nothing is said about the view."""
_TEXTURED = 0.0006
"""A cell's mean square of structure below which there is nothing to miss in it."""
_KEPT = 0.4
"""A cell is lost when less than this share of its usual structure is in its place."""
_BELONGS = 0.5
"""A cell belongs to the zone when so much of it does."""
_GLOOM = 12.0
"""Grey levels added to a divisor, so that noise in the dark does not count as structure."""
_FEW = 4
"""With fewer textured cells in the zone than this, a lost one says nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How the view compares with the usual one. The neutral values say: nothing is missing.

    alike: correlation of the whole picture's structure with the usual, -1..1. lost: share of the zone's textured cells
    whose structure is gone. left: energy in those cells against the usual; near 0 = something flat hides them. detail:
    fine detail in the tenth of the zone that has most of it (mean absolute Laplacian over mean grey level). fine: the
    same against the usual.
    """

    detail: float
    alike: float = 1.0
    lost: float = 0.0
    left: float = 1.0
    fine: float = 1.0


class View:
    """One camera's view. area: the zone, uint8, of the pictures' height and width; not 0 = belongs to it."""

    def __init__(self, area: NDArray[np.uint8]) -> None:
        self._cells = _cells(area) >= 255 * _BELONGS
        if not self._cells.any():  # a zone smaller than a cell
            self._cells = _cells(area) > 0
        self.learn()

    def learn(self) -> None:
        """What comes from now on is the usual view: the camera was set up, or somebody looked at it."""
        self._now: Plane | None = None
        self._usual = self._latest = np.zeros(SIZE[::-1], np.float32)
        self._usual_fine = self._fine = 0.0
        self._began = self._at = self._step = 0.0

    def look(self, picture: Image, media_s: float) -> Seen:
        """Compare one picture (BGR, of the area's size) at its presentation time with the usual view."""
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        self._latest = _structure(grey)
        detail = self._fine = float(np.quantile(_fine(grey)[self._cells], 0.9))
        if self._now is None:
            self._now, self._usual, self._usual_fine = self._latest.copy(), self._latest.copy(), self._fine
            self._began = self._at = media_s
            return Seen(detail)
        self._step, self._at = max(media_s - self._at, 0.0), media_s
        self._now += self._share(NOW_S) * (self._latest - self._now)
        if media_s - self._began < LEARN_S:
            self.follow()
            return Seen(detail)
        return self._compared(detail, self._now)

    def follow(self) -> None:
        """The picture just looked at is an ordinary one: the usual view moves a little towards it."""
        share = self._share(USUAL_S)
        self._usual += share * (self._latest - self._usual)
        self._usual_fine += float(share) * (self._fine - self._usual_fine)

    def _share(self, constant_s: float) -> np.float32:
        """How much one step counts in an average; at first everything counts alike."""
        seen = max(self._at - self._began, self._step, 1e-6)
        return np.float32(1 - math.exp(-self._step / min(constant_s, seen)))

    def _compared(self, detail: float, now: Plane) -> Seen:
        usual = self._usual
        had, has, both = _cells(usual * usual), _cells(now * now), _cells(now * usual)
        textured = had > _TEXTURED
        alike = float(both.sum() / math.sqrt(max(float(had.sum() * has.sum()), 1e-12)))
        textured &= self._cells
        lost = textured & (both < _KEPT * had)
        return Seen(
            detail,
            alike if had.mean() > _TEXTURED else 1.0,
            float(lost.sum() / max(textured.sum(), 1)) if textured.sum() >= _FEW else 0.0,
            float(has[lost].sum() / had[lost].sum()) if lost.any() else 1.0,
            self._fine / max(self._usual_fine, 1e-3),
        )


def _structure(grey: NDArray[np.uint8]) -> Plane:
    small = cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    around = cv2.GaussianBlur(small, (0, 0), 3)
    return np.asarray((small - around) / (around + _GLOOM), np.float32)


def _fine(grey: NDArray[np.uint8]) -> Plane:
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    return np.asarray(_cells(np.abs(edges)) / (_cells(grey) + _GLOOM), np.float32)


def _cells(plane: Plane | NDArray[np.uint8]) -> Plane:
    return np.asarray(cv2.resize(plane, GRID, interpolation=cv2.INTER_AREA), np.float32)
