"""Which detections are the same passage of the same person: boxes in, track numbers out.

Two-stage association as in ByteTrack (Zhang et al. 2022), with a constant-velocity prediction (alpha-beta filter) and
the assignment problem solved by SciPy. Only where boxes lie counts, never what a face looks like: a track cannot
outlive a gap of `patience` seconds, and nothing links two tracks (D5: no re-identification).

Why not a kept library: see docs/architecture.md, "Tracking".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

_FAR = 1e3


@dataclass(frozen=True, slots=True)
class TrackingRules:
    """patience: seconds a track survives unseen. confirm: detections that make it a transit.

    high: detector score of the first association stage. gate: largest distance of centres, in face widths, at which a
    detection may continue a track. alpha, beta: gains of the position and velocity filter.
    """

    patience: float = 1.0
    confirm: int = 3
    high: float = 0.6
    gate: float = 1.2
    alpha: float = 0.75
    beta: float = 0.35


@dataclass(slots=True)
class Track:
    """One person in view. state: centre x, centre y, log width, log height; velocity: the same per second."""

    number: int
    state: NDArray[np.float64]
    velocity: NDArray[np.float64]
    seen_at: float
    hits: int = 1

    def at(self, media_s: float) -> NDArray[np.float64]:
        """The predicted state."""
        return self.state + self.velocity * min(media_s - self.seen_at, 0.5)


class Tracker:
    """Follows faces within one camera view. Not thread-safe; times are presentation times in seconds, never falling."""

    def __init__(self, rules: TrackingRules | None = None) -> None:
        self.rules = rules or TrackingRules()
        self._tracks: list[Track] = []
        self._numbers = 0

    @property
    def live(self) -> set[int]:
        """Numbers of the tracks that may still continue."""
        return {track.number for track in self._tracks}

    def update(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], media_s: float) -> NDArray[np.int64]:
        """Give each detection its track's number.

        boxes: float32 (n, 4) x1 y1 x2 y2; scores: float32 (n,). Returns int64 (n,): the track's number once it has
        `confirm` detections, its negative before that. Numbers start at 1 and are never used twice.
        """
        rules = self.rules
        self._tracks = [t for t in self._tracks if media_s - t.seen_at <= rules.patience]
        states = _states(boxes)
        owner = np.full(len(boxes), -1)
        free = list(range(len(self._tracks)))
        for stage in (scores >= rules.high, scores < rules.high):
            rows = np.flatnonzero(stage & (owner < 0))
            if len(rows) and free:
                taken = self._associate(states, rows, free, media_s, owner)
                free = [i for i in free if i not in taken]
        for row in np.flatnonzero((owner < 0) & (scores >= rules.high)):
            self._numbers += 1
            owner[row] = len(self._tracks)
            self._tracks.append(Track(self._numbers, states[row], np.zeros(4), media_s))
        return np.array([self._name(i) for i in owner], np.int64)

    def _name(self, index: int) -> int:
        if index < 0:
            return 0
        track = self._tracks[index]
        return track.number if track.hits >= self.rules.confirm else -track.number

    def _associate(
        self,
        states: NDArray[np.float64],
        rows: NDArray[np.intp],
        free: list[int],
        media_s: float,
        owner: NDArray[np.int64],
    ) -> set[int]:
        predicted = np.stack([self._tracks[i].at(media_s) for i in free])
        cost = _distance(predicted, states[rows])
        lapses = np.array([media_s - self._tracks[i].seen_at for i in free])
        # The longer unseen, the further the person may have strayed from the prediction.
        allowed = self.rules.gate * (1.0 + np.minimum(lapses, 0.5))[:, None]
        picks = linear_sum_assignment(np.where(cost > allowed, _FAR, cost))
        taken: set[int] = set()
        for a, b in zip(*picks, strict=True):
            if cost[a, b] <= allowed[a, 0]:
                index, row = free[a], rows[b]
                self._correct(self._tracks[index], states[row], media_s)
                owner[row] = index
                taken.add(index)
        return taken

    def _correct(self, track: Track, seen: NDArray[np.float64], media_s: float) -> None:
        elapsed = max(media_s - track.seen_at, 1e-3)
        predicted = track.at(media_s)
        residual = seen - predicted
        track.state = predicted + self.rules.alpha * residual
        # The second sighting sets the velocity outright: a walker's first step must not look like a jump.
        gain = 1.0 if track.hits == 1 else self.rules.beta
        track.velocity = track.velocity + gain * residual / elapsed
        track.velocity[2:] = np.clip(track.velocity[2:], -1.0, 1.0)
        track.seen_at = media_s
        track.hits += 1


def _states(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0).astype(np.float64)
    centres = (boxes[:, :2].astype(np.float64) + boxes[:, 2:]) / 2
    return np.concatenate([centres, np.log(wide)], axis=1)


def _distance(tracks: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of centres in face widths plus the difference of log sizes: (tracks, detections)."""
    delta = tracks[:, None, :] - seen[None, :, :]
    width = np.exp((tracks[:, None, 2] + seen[None, :, 2]) / 2)
    centres = np.hypot(delta[..., 0], delta[..., 1]) / width
    return np.asarray(centres + 0.5 * np.abs(delta[..., 2:]).mean(axis=2))
