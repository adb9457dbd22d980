"""What a pack does at a target FPIR, with the evidence beside every figure, and whether one way beats another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.intervals import Interval, error_free_needed, one_in
from lfr.evaluation.clusters import Samples, effective, middle, resample, share_interval
from lfr.evaluation.openset import Trials, threshold_for

TARGETS = (0.01, 0.001)
_CURVE_POINTS = 33


@dataclass(frozen=True, slots=True)
class Point:
    """One target. found of mated; errors of nonmated, both pooled over draws. tpir: its 95 % interval by people.

    error_people: different people behind the errors. strangers: different people who were searched without being
    listed. needed: how many of them, without an error, would show the target at 95 %.
    """

    target: float
    threshold: float
    found: int
    mated: int
    tpir_interval: Interval
    errors: int
    nonmated: int
    fpir_interval: Interval
    error_people: int
    strangers: int
    needed: int

    @property
    def tpir(self) -> float:
        """Share of mated searches found: first, and at or above the threshold."""
        return self.found / self.mated

    @property
    def fpir(self) -> float:
        """Share of non-mated searches that alert."""
        return self.errors / self.nonmated

    @property
    def supported(self) -> bool:
        """Whether the set has enough different strangers to show the target at all."""
        return self.strangers >= self.needed

    @property
    def words(self) -> str:
        """What the claim needs, and what there is."""
        has = "has" if self.supported else "has only"
        return (
            f"to show {one_in(self.target)} at 95 % confidence needs about {self.needed:,} unlisted people searched "
            f"without an error; this set {has} {self.strangers:,}"
        )


@dataclass(frozen=True, slots=True)
class Operated:
    """Points and the resamples behind them, column by column."""

    points: tuple[Point, ...]
    samples: Samples


@dataclass(frozen=True, slots=True)
class Gain:
    """One way against another on the same people, at one target. low, high: 95 % interval of the difference in TPIR."""

    target: float
    plain: Point
    better: Point
    low: float
    high: float

    @property
    def difference(self) -> float:
        """TPIR of the second way less the first's."""
        return self.better.tpir - self.plain.tpir


@dataclass(frozen=True, slots=True)
class Curve:
    """TPIR over FPIR with its band, float64 (points,) each. FPIR falls from left to right in no order but its own."""

    fpir: NDArray[np.float64]
    tpir: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def operate(trials: Trials, *, seed: int, targets: Sequence[float] = TARGETS) -> Operated:
    """Threshold, TPIR and evidence at each target."""
    samples = resample(trials, targets, seed=seed)
    points = tuple(_point(trials, target, samples, column) for column, target in enumerate(targets))
    return Operated(points, samples)


def gains(plain: Operated, better: Operated) -> tuple[Gain, ...]:
    """Compare two ways whose resamples drew the same people (same seed, same set)."""
    apart = better.samples.tpir - plain.samples.tpir
    found = []
    for column, (one, other) in enumerate(zip(plain.points, better.points, strict=True)):
        interval = middle(apart[:, column], other.tpir - one.tpir)
        found.append(Gain(one.target, one, other, interval.low, interval.high))
    return tuple(found)


def curve(trials: Trials, *, seed: int) -> Curve:
    """TPIR over FPIR, from one error in the whole set up to every search."""
    fpir = np.logspace(np.log10(1 / len(trials.tops)), 0, _CURVE_POINTS)
    samples = resample(trials, list(fpir), seed=seed, times=200)
    low, high = np.quantile(samples.tpir, [0.025, 0.975], axis=0)
    return Curve(fpir, samples.whole, np.minimum(low, samples.whole), np.maximum(high, samples.whole))


def _point(trials: Trials, target: float, samples: Samples, column: int) -> Point:
    threshold = threshold_for(trials.tops, target)
    errors = trials.errors(threshold)
    found = int(trials.accepted(threshold).sum())
    mated = len(trials.hits)
    tpir = found / mated
    interval = share_interval(samples.tpir[:, column], tpir, len(np.unique(trials.mated_of)))
    wrong = effective(errors, trials.nonmated_of, trials.nearest).interval
    return Point(
        target=target,
        threshold=threshold,
        found=found,
        mated=mated,
        tpir_interval=interval,
        errors=int(errors.sum()),
        nonmated=len(errors),
        fpir_interval=wrong,
        error_people=len(np.unique(trials.nonmated_of[errors])),
        strangers=trials.strangers,
        needed=error_free_needed(target),
    )
