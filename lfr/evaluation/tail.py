"""How often unlisted people reach a score: counted as far as the data reach, carried on as a tail beyond.

Peaks over threshold (Pickands 1975): excesses over a high score follow a generalised Pareto law. Its shape is taken
from quartiles, which a few people listed under two names do not move, and never below zero: that a tail ends at some
score is not believed where no error would show it. All that lies beyond the counted range says "extrapolated".
Intervals come from drawing walkers and listed people again, both, because either makes comparisons hang together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import SourceError
from lfr.domain.intervals import upper_bound
from lfr.domain.packs import Calibration

DECADES = (-1.0, -1.5, -2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0, -5.5, -6.0, -6.5, -7.0)
_EVENTS = 20
"""Errors that a rate must rest on to count as measured."""
_SHAPE_FROM = -2.5
_STEEPEST = 0.5
_TIMES = 100


@dataclass(frozen=True, slots=True)
class Tail:
    """scores: best fused score of every transit against every entry, float32 (transits, entries)."""

    scores: NDArray[np.float32]
    missed: int = 0

    @property
    def seen(self) -> int:
        """Transits that gave a score."""
        return len(self.scores)


def fit_tail(tail: Tail, method: str, target_fpir: float, seed: int = 0) -> Calibration:
    """The false match rate as pairs (log10 of the rate per comparison, score), with bounds. Raises SourceError.

    10,000 comparisons are the least that says anything.
    """
    if tail.scores.size < 10_000:
        raise SourceError(f"{tail.scores.size} comparisons say too little about rare errors", hint="give more people")
    reach = [decade for decade in DECADES if tail.scores.size * 10**decade >= _EVENTS]
    found = _curve(tail.scores, len(reach), bounded=False)
    low, high = _drawn_again(tail.scores, len(reach), seed)
    low, high = np.minimum(low, found), np.maximum(high, found)
    return Calibration(
        method=method,
        fmr=_pairs(DECADES, found),
        measured_to=reach[-1],
        transits=tail.seen,
        comparisons=tail.scores.size,
        target_fpir=target_fpir,
        bounds=tuple((d, _short(a), _short(b)) for d, a, b in zip(DECADES, low, high, strict=True)),
        upper=_pairs([math.log10(fmr_upper(tail.scores, score)) for score in found], found),
    )


def fmr_upper(scores: NDArray[np.float32], threshold: float) -> float:
    """What the false match rate per comparison is below, at 95 %, by counting alone: nothing is extrapolated.

    Two bounds, the higher one counts. Transits with any error are independent trials: their exact bound, spread over
    the list. And the exact bound of single errors at their effective number, since one transit or one entry may make
    many. Without an error it is 3 / (transits x entries), however high the threshold stands.
    """
    errors = scores >= np.float32(threshold)
    transits, entries = scores.shape
    wrong = int(errors.any(axis=1).sum())
    by_transit = -math.log1p(-upper_bound(wrong, transits)) / entries if wrong <= transits / 2 else 0.0
    count = int(errors.sum())
    if not count:
        return by_transit
    rate = count / errors.size
    of_row, of_column = errors.sum(axis=1), errors.sum(axis=0)
    spread = ((of_row - of_row.mean()) ** 2).sum() + ((of_column - of_column.mean()) ** 2).sum() - count
    inflation = max(1.0, float(spread) / (count * (1 - rate)) if rate < 1 else 1.0)
    return max(by_transit, upper_bound(count / inflation, errors.size / inflation))


def fpir_at(scores: NDArray[np.float32], threshold: float, entries: int) -> float:
    """The share of transits with a false alert in a list of so many, averaged over all such lists: no tail, no model.

    entries: at most as many as were listed. The hypergeometric mean over sub-lists; it needs no independence.
    """
    listed = scores.shape[1]
    if not 1 <= entries <= listed:
        raise ValueError(f"a list of {entries} cannot be drawn from {listed}")
    wrong = (scores >= np.float32(threshold)).sum(axis=1)
    places = np.arange(entries)
    # P(no error) = product of (listed - wrong - i) / (listed - i)
    left = np.maximum(listed - wrong[:, None] - places, 0) / (listed - places)
    return float(1 - np.prod(left, axis=1).mean())


def _curve(scores: NDArray[np.float32], measured: int, *, bounded: bool) -> NDArray[np.float64]:
    """Score at each decade: float64 (decades,). bounded: believe a tail that ends."""
    size = scores.size
    deepest = math.ceil(size * 10 ** DECADES[0])
    top = np.sort(np.partition(scores.ravel(), size - deepest)[size - deepest :])[::-1].astype(np.float64)
    points = [top[math.ceil(size * 10**decade) - 1] for decade in DECADES[:measured]]
    # The median excess over the last decade measured says how fast the tail falls, the quartiles how it bends.
    last = top[: max(_EVENTS, int(size * 10 ** (DECADES[measured - 1] + 1)))]
    half = max(float(np.median(last - last[-1])), 1e-9)
    shape = _shape(top[: max(_EVENTS, math.ceil(size * 10**_SHAPE_FROM))])
    shape = min(_STEEPEST, shape if bounded else max(0.0, shape))
    scale = half / math.log(2) if abs(shape) < 1e-6 else half * shape / (2**shape - 1)
    scale += shape * float(points[-1] - last[-1])  # the same law seen from the last point that was measured
    for decade in DECADES[measured:]:
        fewer = (DECADES[measured - 1] - decade) * math.log(10)
        reach = fewer if abs(shape) < 1e-6 else math.expm1(shape * fewer) / shape
        points.append(points[measured - 1] + scale * reach)
    return np.array(points, np.float64)


def _shape(top: NDArray[np.float64]) -> float:
    """Pickands' estimator: log2 of how much the upper quartile's excess outgrows the median's. 0: exponential."""
    excess = top - top[-1]
    half, quarter = np.quantile(excess, [0.5, 0.75])
    return math.log2(max(quarter / half - 1, 1e-3)) if half > 0 else 0.0


def _drawn_again(
    scores: NDArray[np.float32], measured: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of the score at each decade, walkers and entries drawn again with replacement."""
    rng = np.random.default_rng(seed)
    transits, entries = scores.shape
    found: list[NDArray[np.float64]] = []
    for _ in range(_TIMES):
        again = scores[rng.integers(0, transits, transits)][:, rng.integers(0, entries, entries)]
        found.append(_curve(again, measured, bounded=False))
        found.append(_curve(again, measured, bounded=True))
    low, high = np.quantile(np.array(found), [0.025, 0.975], axis=0)
    return low, high


def _pairs(decades: tuple[float, ...] | list[float], scores: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(decade, 4), _short(score)) for decade, score in zip(decades, scores, strict=True))


def _short(score: float) -> float:
    return round(float(score), 4)
