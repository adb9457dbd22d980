"""Rates of groups of people drawn again and again: by resampling people (intervals) and by permuting them (tests)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.evaluation.openset import Rows

TIMES = 3000
_CHUNK = 250

Masks = NDArray[np.bool_]
"""Who is in which group: bool (groups, people)."""


@dataclass(frozen=True, slots=True)
class PersonCounts:
    """Events and trials of each person: float64 (people,)."""

    events: NDArray[np.float64]
    trials: NDArray[np.float64]

    @classmethod
    def of(cls, events: NDArray[np.bool_], owners: Rows, people: int) -> PersonCounts:
        """events: one flag for each trial. owners: whose trial it was."""
        trials = np.bincount(owners, minlength=people).astype(np.float64)
        return cls(np.bincount(owners, events, minlength=people).astype(np.float64), trials)

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Who had a trial at all."""
        return self.trials > 0


def resampled(counts: PersonCounts, masks: Masks, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates inside and outside of each group when people are drawn again with replacement: float64 (TIMES, groups).

    NaN where nobody of a group was drawn.
    """
    tested = counts.tested
    people = int(tested.sum())
    events, trials = counts.events[tested], counts.trials[tested]
    table = np.concatenate([_columns(events, masks[:, tested]), _columns(trials, masks[:, tested])], axis=1)
    sums = np.empty((TIMES, table.shape[1]))
    rng = np.random.default_rng(seed)
    for start in range(0, TIMES, _CHUNK):
        drawn = rng.integers(0, people, (_CHUNK, people))
        weights = np.stack([np.bincount(row, minlength=people) for row in drawn])
        sums[start : start + _CHUNK] = weights @ table
    groups = len(masks)
    inside, outside, of_inside, of_outside = (sums[:, i * groups : (i + 1) * groups] for i in range(4))
    return _share(inside, of_inside), _share(outside, of_outside)


def permuted(counts: PersonCounts, masks: Masks, seed: int) -> list[float | None]:
    """For each group, how often a group of as many random people differs as much from everybody else (two-sided p).

    None where one side is empty or where nothing varies: then there is nothing to test.
    """
    tested = counts.tested
    inside = masks[:, tested]
    events, trials = counts.events[tested], counts.trials[tested]
    sizes = inside.sum(axis=1)
    testable = (sizes > 0) & (sizes < len(events)) & (0 < events.sum() < trials.sum())
    as_far = np.zeros(len(masks))
    if testable.any():
        found = _apart(events[None], trials[None], inside)
        rng = np.random.default_rng(seed)
        for _ in range(TIMES // _CHUNK):
            orders = rng.permuted(np.tile(np.arange(len(events)), (_CHUNK, 1)), axis=1)
            as_far += (_apart(events[orders], trials[orders], inside) >= found - 1e-12).sum(axis=0)
    ps = (as_far + 1) / (TIMES + 1)
    return [float(p) if ok else None for p, ok in zip(ps, testable, strict=True)]


def _apart(events: NDArray[np.float64], trials: NDArray[np.float64], inside: Masks) -> NDArray[np.float64]:
    """Distance between the rates inside and outside: float64 (orders, groups)."""
    mine, of_mine = events @ inside.T, trials @ inside.T
    theirs, of_theirs = events.sum(axis=1)[:, None] - mine, trials.sum(axis=1)[:, None] - of_mine
    return np.nan_to_num(np.abs(_share(mine, of_mine) - _share(theirs, of_theirs)))


def _columns(values: NDArray[np.float64], inside: Masks) -> NDArray[np.float64]:
    return np.concatenate([values[:, None] * inside.T, values[:, None] * ~inside.T], axis=1)


def _share(events: NDArray[np.float64], trials: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(events / trials, np.float64)
