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
    ranked = _Ranked(trials)
    whole, _ = ranked.at(np.ones((1, trials.people), np.float32), targets)
    parts = [ranked.at(weights, targets) for weights in person_weights(trials.people, times, seed)]
    return Samples(whole[0], np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))


class _Ranked:
    """Trials in order of their scores, so that a resample is a matter of running sums over the few that decide."""

    def __init__(self, trials: Trials) -> None:
        order, hit_order = np.argsort(-trials.tops, kind="stable"), np.argsort(trials.hits, kind="stable")
        self._tops, self._nonmated_of = trials.tops[order], trials.nonmated_of[order]
        self._hits, self._mated_of = trials.hits[hit_order], trials.mated_of[hit_order]
        self._nonmated = np.bincount(trials.nonmated_of, minlength=trials.people).astype(np.float64)
        self._mated = np.bincount(trials.mated_of, minlength=trials.people).astype(np.float64)

    def at(
        self, weights: NDArray[np.float32], targets: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """TPIR and threshold, float64 (weights, targets), where each person counts so often."""
        allowed = (weights @ self._nonmated)[:, None] * np.array(targets)[None] + 1e-9
        first = self._first_too_many(weights, allowed)
        every = first >= len(self._tops)
        level = self._tops[np.minimum(first, len(self._tops) - 1)]
        # A threshold lies right above the first score that would be one error too many: hits must exceed that score.
        missed = np.where(
            every, np.searchsorted(self._hits, level, side="left"), np.searchsorted(self._hits, level, side="right")
        )
        missed = np.maximum(missed, np.isneginf(self._hits).sum())
        lost = np.cumsum(weights[:, self._mated_of[: missed.max(initial=0)]], axis=1, dtype=np.float64)
        lost = np.concatenate([np.zeros((len(lost), 1)), lost], axis=1)
        of = np.maximum(weights @ self._mated, 1e-9)
        return 1 - np.take_along_axis(lost, missed, axis=1) / of[:, None], level.astype(np.float64)

    def _first_too_many(self, weights: NDArray[np.float32], allowed: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rank of the first non-mated search that exceeds the allowed weight, int64 (weights, targets)."""
        width = min(len(self._tops), 200 + int(4 * allowed.max(initial=0)))
        while True:
            alerts = np.cumsum(weights[:, self._nonmated_of[:width]], axis=1, dtype=np.float64)
            if width == len(self._tops) or (alerts[:, -1:] > allowed).all():
                columns = [(alerts <= limit[:, None]).sum(axis=1) for limit in allowed.T]
                return np.stack(columns, axis=1).astype(np.int64)
            width = min(len(self._tops), 4 * width)


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
