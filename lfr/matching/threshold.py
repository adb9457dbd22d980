"""The score threshold for a target FPIR at a watchlist size, from the pack's calibration; never from folklore.

FPIR of one transit against N entries is 1 - (1 - FMR)^N (ISO/IEC 19795-1, independent comparisons), so the bigger the
list, the higher the threshold must stand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from lfr.domain.errors import ConfigError
from lfr.domain.packs import Calibration, Pack
from lfr.matching.evidence import evidence_for


@dataclass(frozen=True, slots=True)
class Threshold:
    """value: score. basis: where it comes from, in plain words. supported: False where it lies beyond the evidence.

    low, high: its 95 % interval, None where the calibration states none.
    """

    value: float
    basis: str
    supported: bool
    low: float | None = None
    high: float | None = None


def for_watchlist(pack: Pack, entries: int, *, target_fpir: float | None, fixed: float | None) -> Threshold:
    """The threshold in force for a list of `entries` people.

    fixed: a threshold that somebody set outright. Raises ConfigError when there is neither that nor a calibration.
    """
    if fixed is not None:
        return Threshold(fixed, "set by configuration", supported=False)
    if pack.calibration is None:
        raise ConfigError(
            f"pack {pack.name} has no calibration, so no threshold can be derived",
            hint="set matcher.threshold or --threshold, or use a calibrated pack",
        )
    target = target_fpir or pack.calibration.target_fpir
    return derive(pack.calibration, max(entries, 1), target)


def derive(calibration: Calibration, entries: int, target_fpir: float) -> Threshold:
    """The smallest score at which a transit of an unlisted person alerts with probability <= target_fpir."""
    wanted = math.log10(-math.expm1(math.log1p(-target_fpir) / entries))
    points = sorted(calibration.fmr, reverse=True)  # from common false matches (low score) to rare ones (high score)
    measured = calibration.measured_to <= wanted
    enough = evidence_for(calibration, entries, target_fpir).supported
    value = _interpolate(points, wanted)
    basis = f"calibrated for a false alert in {round(1 / target_fpir)} transits at {entries} entries"
    if not measured:
        basis += ", beyond the measured range (extrapolated)"
    elif not enough:
        basis += ", from fewer transits than would show it"
    bounds = sorted(calibration.bounds, reverse=True)
    ends = (
        [round(_interpolate([(b[0], b[side]) for b in bounds], wanted), 4) for side in (1, 2)] if bounds else [None] * 2
    )
    return Threshold(round(value, 4), basis, measured and enough, *ends)


def _interpolate(points: list[tuple[float, float]], wanted: float) -> float:
    for (left, low), (right, high) in pairwise(points):
        if left >= wanted >= right:
            return low + (high - low) * (left - wanted) / (left - right)
    (left, low), (right, high) = points[-2:] if wanted < points[-1][0] else points[:2]
    return low + (high - low) * (left - wanted) / (left - right)
