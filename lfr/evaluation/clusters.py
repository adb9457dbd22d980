"""Intervals where trials hang together: several pictures of one person, one person against many lists.

Curves: people are drawn again with replacement and all their searches with them (identity bootstrap; Efron 1979,
Bolle et al. 2004). Single rates: the exact interval at the effective number of trials (Korn and Graubard 1998), its
design effect clustered both by who was searched and by whom the list showed (Cameron, Gelbach and Miller 2011).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.intervals import Interval, clopper_pearson
from lfr.evaluation.openset import Rows, Trials

TIMES = 1000
_CHUNK = 40


@dataclass(frozen=True, slots=True)
class Effective:
    """Errors among trials, counted as if trials were independent. people: different people among the trials."""

    errors: float
    trials: float
    people: int

    @property
    def interval(self) -> Interval:
        """The exact 95 % interval of the rate."""
        return clopper_pearson(self.errors, self.trials)


def effective(errors: NDArray[np.bool_], searched: Rows, listed: Rows) -> Effective:
    """The effective size of non-mated searches. searched: who was searched for; listed: whose entry came first.

    Without any error nothing tells how trials hang together: then a person counts once.
    """
    people = len(np.unique(searched))
    count, total = int(errors.sum()), len(errors)
    if not count:
        return Effective(0.0, float(people), people)
    rate = count / total
    by_person = np.bincount(searched, errors - rate)
    blamed = np.bincount(listed[errors], minlength=int(listed.max()) + 1)[np.unique(listed)]
    cells = np.unique(np.stack([searched[errors], listed[errors]]), axis=1, return_counts=True)[1]
    spread = (by_person**2).sum() + ((blamed - blamed.mean()) ** 2).sum() - (cells**2).sum()
    inflation = max(1.0, float(spread) / (count * (1 - rate)) if rate < 1 else 1.0)
    return Effective(count / inflation, total / inflation, people)


@dataclass(frozen=True, slots=True)
class Samples:
    """What the bootstrap gave: TPIR and threshold, float64 (times, targets); `whole` is the set itself, (targets,)."""

    whole: NDArray[np.float64]
    tpir: NDArray[np.float64]
    threshold: NDArray[np.float64]


def resample(trials: Trials, targets: Sequence[float], *, seed: int, times: int = TIMES) -> Samples:
    """TPIR at the threshold for each target FPIR, over people drawn again. The same seed draws the same people."""
    order, hit_order = np.argsort(-trials.tops, kind="stable"), np.argsort(-trials.hits, kind="stable")
    tops, hits = trials.tops[order], trials.hits[hit_order]
    nonmated_of, mated_of = trials.nonmated_of[order], trials.mated_of[hit_order]
    # A threshold lies right above the first score that would be one error too many: hits above that score count.
    found_above = np.searchsorted(-hits, -tops, side="left")

    def at(weights: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        alerts = np.cumsum(weights[:, nonmated_of], axis=1, dtype=np.float64)
        found = np.cumsum(weights[:, mated_of], axis=1, dtype=np.float64)
        found = np.concatenate([np.zeros((len(found), 1)), found], axis=1)
        tpir = np.empty((len(weights), len(targets)))
        level = np.empty_like(tpir)
        for column, target in enumerate(targets):
            first = (alerts <= target * alerts[:, -1:] + 1e-9).sum(axis=1)
            none = first >= len(tops)
            first = np.minimum(first, len(tops) - 1)
            above = np.where(none, len(hits), found_above[first])
            tpir[:, column] = found[np.arange(len(found)), above] / np.maximum(found[:, -1], 1e-9)
            level[:, column] = tops[first]
        return tpir, level

    whole, _ = at(np.ones((1, trials.people), np.float32))
    parts = [at(weights) for weights in person_weights(trials.people, times, seed)]
    return Samples(whole[0], np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))


def person_weights(people: int, times: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """How often each person is drawn, with replacement: float32 (some, people), `times` in all."""
    rng = np.random.default_rng([seed, people])
    for start in range(0, times, _CHUNK):
        some = min(_CHUNK, times - start)
        yield rng.multinomial(people, np.full(people, 1 / people), size=some).astype(np.float32)


def middle(samples: NDArray[np.float64], whole: float, confidence: float = 0.95) -> Interval:
    """The percentile interval, never without the value of the set itself."""
    tail = 50 * (1 - confidence)
    low, high = np.nanpercentile(samples, [tail, 100 - tail]) if np.isfinite(samples).any() else (whole, whole)
    return Interval(min(float(low), whole), max(float(high), whole))


def share_interval(samples: NDArray[np.float64], whole: float, people: int) -> Interval:
    """As `middle`; where every sample says 0 or 1 alike, the exact interval of so many people instead."""
    if whole in (0.0, 1.0):
        return clopper_pearson(whole * people, people)
    return middle(samples, whole)
