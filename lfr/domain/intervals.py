"""How sure a rate is: exact and Wilson intervals, and how many trials a claim needs.

All intervals are two-sided at 95 % unless told otherwise, all bounds one-sided. Trials are taken as independent; where
they are not (several pictures of one person), give effective numbers (`lfr.evaluation.clusters`): none of these
functions asks for whole ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from scipy.special import betaincinv, gammaincinv, ndtri

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """From low to high, both inside."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value lies in it."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Rate:
    """A share that never goes without its evidence (J3). events and of: counts. low, high: its 95 % interval."""

    events: int
    of: int
    low: float
    high: float

    @classmethod
    def counted(cls, events: int, of: int) -> Rate:
        """With the exact interval of independent trials."""
        return cls(events, of, *clopper_pearson(events, of))

    @property
    def value(self) -> float | None:
        """The share, 0..1; None where there was nothing to take a share of."""
        return self.events / self.of if self.of else None

    def __str__(self) -> str:
        if not self.of:
            return "0 of 0 (no evidence)"
        return f"{self.events:,} of {self.of:,} ({percent(self.events / self.of)}, 95 % {span(self.low, self.high)})"


def clopper_pearson(events: float, of: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a binomial share (Clopper and Pearson 1934). 0 of 0 gives 0 to 1. Raises ValueError."""
    _check(events, of, confidence)
    tail = (1 - confidence) / 2
    low = float(betaincinv(events, of - events + 1, tail)) if events > 0 else 0.0
    high = float(betaincinv(events + 1, of - events, 1 - tail)) if events < of else 1.0
    return Interval(low, high)


def wilson(events: float, of: float, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a binomial share (Wilson 1927). 0 of 0 gives 0 to 1. Raises ValueError."""
    _check(events, of, confidence)
    if not of:
        return Interval(0.0, 1.0)
    z = float(ndtri((1 + confidence) / 2))
    share, weight = events / of, z * z / of
    centre = (share + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    # Rounding must not cut off a share of 0 or 1.
    return Interval(0.0 if not events else max(0.0, centre - reach), 1.0 if events == of else min(1.0, centre + reach))


def poisson(events: float, of: float, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of events per trial, for rare events among many (Garwood 1936). Raises ValueError."""
    if events < 0 or of <= 0 or not 0 < confidence < 1:
        raise ValueError(f"no interval for {events} events in {of} at {confidence}")
    tail = (1 - confidence) / 2
    low = float(gammaincinv(events, tail)) if events > 0 else 0.0
    return Interval(low / of, float(gammaincinv(events + 1, 1 - tail)) / of)


def upper_bound(events: float, of: float, confidence: float = CONFIDENCE) -> float:
    """What the share is below, at this confidence: the exact one-sided bound. Zero of n gives about 3 / n."""
    return clopper_pearson(events, of, 2 * confidence - 1).high


def lower_bound(events: float, of: float, confidence: float = CONFIDENCE) -> float:
    """What the share is above, at this confidence: the exact one-sided bound."""
    return clopper_pearson(events, of, 2 * confidence - 1).low


def error_free_needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """How many trials without one error show that the rate is at most this. Raises ValueError outside 0..1."""
    if not 0 < rate < 1:
        raise ValueError(f"a rate lies between 0 and 1, not {rate}")
    return math.ceil(math.log(1 - confidence) / math.log1p(-rate) - 1e-9)


def sample_per_group(one: float, other: float, *, power: float = 0.8, significance: float = 0.05) -> int:
    """Trials that each of two groups needs before a difference between these two rates would be noticed.

    The usual two-sided comparison of two shares (Fleiss 1981, without continuity correction). Raises ValueError on
    equal rates or rates outside 0..1.
    """
    if not (0 <= one <= 1 and 0 <= other <= 1) or one == other:
        raise ValueError(f"no sample tells {one} from {other}")
    middle = (one + other) / 2
    by_chance = float(ndtri(1 - significance / 2)) * math.sqrt(2 * middle * (1 - middle))
    by_power = float(ndtri(power)) * math.sqrt(one * (1 - one) + other * (1 - other))
    return math.ceil(((by_chance + by_power) / (one - other)) ** 2 - 1e-9)


def percent(share: float) -> str:
    """0.98643 as "98.64 %", 0.00017 as "0.017 %": two figures of what matters, no more than four digits."""
    scaled = 100 * share
    distance = min(scaled, 100 - scaled)
    digits = 2 if distance <= 0 or distance >= 0.1 else min(6, 1 - math.floor(math.log10(distance)))
    return f"{scaled:.{digits}f} %"


def span(low: float, high: float) -> str:
    """An interval of shares as "98.1 to 99.2 %"."""
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def one_in(rate: float) -> str:
    """0.001 as "1 in 1,000"; "none" for 0."""
    return f"1 in {round(1 / rate):,}" if rate > 0 else "none"


def _check(events: float, of: float, confidence: float) -> None:
    if not 0 <= events <= of or not 0 < confidence < 1:
        raise ValueError(f"no interval for {events} of {of} at {confidence}")
