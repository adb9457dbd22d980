"""Do rates differ between groups of people? Differential performance in the sense of ISO/IEC 19795-10.

Every group is compared with everybody else of its column. The tests are permutation tests over people (a person's
searches move together), adjusted together for all groups, intersections and both rates by Holm's method (1979), so
that the chance of even one false alarm is 5 %. "No difference" is never concluded from a test that found none: a group
is called *within margin* only where a simultaneous interval of the difference lies inside the margin and enough people
were tested. Everything else is *insufficient evidence*, and no finding can be built without one of the three (I2).

Labels are read here and in reports only. They come after all scores are made (I5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lfr.domain.intervals import Interval, sample_per_group
from lfr.evaluation.clusters import effective, share_interval
from lfr.evaluation.group_rates import TIMES, Masks, PersonCounts, permuted, resampled
from lfr.evaluation.groups import NOT_STATED, Groups
from lfr.evaluation.openset import Rows, Trials

TPIR_MARGIN = 0.05
"""Points by which a group's TPIR may differ from everybody else's."""
FPIR_RATIO = 2.0
"""Times by which a group's FPIR may exceed everybody else's, or fall short of it."""
SIGNIFICANCE = 0.05
_FEWEST = 30

Measure = Literal["tpir", "fpir"]
Shown = Literal["fnir", "fpir"]
_SHOWN: tuple[tuple[Measure, Shown], ...] = (("tpir", "fnir"), ("fpir", "fpir"))


class State(Enum):
    """What the evidence allows to say about one group. There is no fourth state and no way around naming one."""

    DIFFERENCE = "difference found"
    WITHIN = "within margin"
    INSUFFICIENT = "insufficient evidence"


@dataclass(frozen=True, slots=True)
class Share:
    """One rate of one group at the threshold. events of trials, pooled over draws; people: different ones."""

    events: int
    trials: int
    people: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """0..1, None without a trial."""
        return self.events / self.trials if self.trials else None


@dataclass(frozen=True, slots=True)
class Finding:
    """One group's rate beside everybody else's. state is required and checked: it cannot contradict the evidence.

    needed: people that each side needs before a difference of the margin would be noticed (power 80 %), None where no
    number of people can be derived. p: adjusted by Holm, None where nothing could be tested. low, high: simultaneous
    interval of the difference (tpir: group less others) or of the ratio (fpir: group by others).
    Raises ValueError on a state that the numbers do not allow.
    """

    column: str
    group: str
    measure: Measure
    state: State
    share: Share
    others: Share
    p: float | None
    low: float
    high: float
    needed: int | None

    def __post_init__(self) -> None:
        if self.state is State.WITHIN and not (self._enough and self._inside):
            raise ValueError(f"{self.group}: within margin needs enough people and an interval inside the margin")
        if self.state is State.DIFFERENCE and (self.p is None or self.p >= SIGNIFICANCE):
            raise ValueError(f"{self.group}: a difference needs a significant test")

    @property
    def _enough(self) -> bool:
        return self.needed is not None and min(self.share.people, self.others.people) >= self.needed

    @property
    def _inside(self) -> bool:
        return _inside(self.measure, self.low, self.high)

    def __str__(self) -> str:
        what = "TPIR" if self.measure == "tpir" else "FPIR"
        if self.state is State.DIFFERENCE:
            return f"{self.group}: a difference in {what} was found (adjusted p {self.p:.4f})"
        if self.state is State.WITHIN:
            margin = f"{TPIR_MARGIN * 100:.0f} points" if self.measure == "tpir" else f"a factor of {FPIR_RATIO:.0f}"
            return f"{self.group}: {what} within {margin} of everybody else's"
        need = "no number of people can be derived" if self.needed is None else f"needs about {self.needed:,} people"
        return f"{self.group}: insufficient evidence on {what} ({need}; there are {self.share.people:,})"


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart the groups of one column are, as ISO/IEC 19795-10 and NIST IR 8429 sum it up, over point values.

    worst_by_best: the highest rate by the lowest. worst_by_mean: the highest by the groups' geometric mean. None where
    a rate is zero or fewer than two groups are left: then no ratio exists, which is not the same as no difference.
    left_out: groups of fewer than 30 tested people, whose point values say nothing, and "not stated".
    """

    column: str
    measure: Shown
    groups: int
    left_out: tuple[str, ...]
    worst: str
    worst_by_best: float | None
    worst_by_mean: float | None


def compare_groups(trials: Trials, groups: Groups, threshold: float, *, seed: int) -> list[Finding]:
    """Findings for every group and every intersection, for TPIR and for FPIR, at one threshold of one pack.

    A group without anybody in it is there too, as insufficient evidence (I1).
    """
    names = [
        (column, name, mask)
        for column, by_name in [*((c, groups.masks(c)) for c in groups.labels), *groups.intersections().items()]
        for name, mask in by_name.items()
    ]
    if not names:
        return []
    masks = np.stack([mask for *_, mask in names])
    sides = (_Side.of("tpir", trials, threshold, masks, seed), _Side.of("fpir", trials, threshold, masks, seed))
    adjusted = holm([p for side in sides for p in side.raw])
    level = 1 - SIGNIFICANCE / max(1, sum(p is not None for p in adjusted))
    return [
        _finding(column, name, side, place, adjusted[number * len(names) + place], level)
        for place, (column, name, _) in enumerate(names)
        for number, side in enumerate(sides)
    ]


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted together (Holm 1979); None stays None and counts as no test."""
    known = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = highest
    return adjusted


def spreads(findings: Sequence[Finding]) -> list[Spread]:
    """One line for each column and measure: misses (FNIR) and false alerts (FPIR), the worst group by the others."""
    found: list[Spread] = []
    for column in dict.fromkeys(finding.column for finding in findings):
        for measure, shown in _SHOWN:
            ours = [f for f in findings if f.column == column and f.measure == measure]
            counted = [f for f in ours if f.share.people >= _FEWEST and f.group != NOT_STATED]
            rates = {f.group: _bad(f) for f in counted}
            left_out = tuple(f.group for f in ours if f.group not in rates)
            found.append(_spread(column, shown, rates, left_out))
    return found


def _bad(finding: Finding) -> float:
    value = finding.share.value or 0.0
    return 1 - value if finding.measure == "tpir" else value


def _spread(column: str, measure: Shown, rates: dict[str, float], left_out: tuple[str, ...]) -> Spread:
    worst = max(rates, key=lambda name: rates[name]) if rates else ""
    if len(rates) < 2 or min(rates.values()) <= 0:
        return Spread(column, measure, len(rates), left_out, worst, None, None)
    mean = math.exp(sum(math.log(rate) for rate in rates.values()) / len(rates))
    return Spread(column, measure, len(rates), left_out, worst, rates[worst] / min(rates.values()), rates[worst] / mean)


@dataclass(frozen=True, slots=True)
class _Side:
    """One measure for all groups: who is in, what happened to whom, and the same drawn again."""

    measure: Measure
    masks: Masks
    counts: PersonCounts
    raw: list[float | None]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]
    events: NDArray[np.bool_]
    searched: Rows
    nearest: Rows | None

    @classmethod
    def of(cls, measure: Measure, trials: Trials, threshold: float, masks: Masks, seed: int) -> _Side:
        found = measure == "tpir"
        events = trials.accepted(threshold) if found else trials.errors(threshold)
        searched = trials.mated_of if found else trials.nonmated_of
        counts = PersonCounts.of(events, searched, trials.people)
        inside, outside = resampled(counts, masks, seed)
        nearest = None if found else trials.nearest
        return cls(measure, masks, counts, permuted(counts, masks, seed), inside, outside, events, searched, nearest)

    def share(self, mask: NDArray[np.bool_], samples: NDArray[np.float64]) -> Share:
        """The rate of these people. samples: the same drawn again."""
        tested = mask & self.counts.tested
        people, of = int(tested.sum()), int(self.counts.trials[tested].sum())
        if not people:
            return Share(0, 0, 0, 0.0, 1.0)
        events = int(self.counts.events[tested].sum())
        if self.nearest is None:
            interval = share_interval(samples, events / of, people)
        else:
            chosen = mask[self.searched]
            interval = effective(self.events[chosen], self.searched[chosen], self.nearest[chosen]).interval
        return Share(events, of, people, min(interval.low, events / of), max(interval.high, events / of))

    @property
    def overall(self) -> float | None:
        total = float(self.counts.trials.sum())
        return float(self.counts.events.sum()) / total if total else None


def _finding(column: str, group: str, side: _Side, place: int, p: float | None, level: float) -> Finding:
    mask = side.masks[place]
    mine, theirs = side.share(mask, side.inside[:, place]), side.share(~mask, side.outside[:, place])
    low, high = _difference(side.measure, mine, theirs, side.inside[:, place], side.outside[:, place], level)
    needed = _needed(side.measure, side.overall)
    enough = needed is not None and min(mine.people, theirs.people) >= needed
    if p is not None and p < SIGNIFICANCE:
        state = State.DIFFERENCE
    elif enough and _inside(side.measure, low, high):
        state = State.WITHIN
    else:
        state = State.INSUFFICIENT
    return Finding(column, group, side.measure, state, mine, theirs, p, low, high, needed)


def _inside(measure: Measure, low: float, high: float) -> bool:
    if measure == "tpir":
        return low >= -TPIR_MARGIN and high <= TPIR_MARGIN
    return low >= 1 / FPIR_RATIO and high <= FPIR_RATIO


def _needed(measure: Measure, usual: float | None) -> int | None:
    if usual is None:
        return None
    if measure == "tpir":
        return sample_per_group(usual, usual - TPIR_MARGIN) if usual > TPIR_MARGIN else None
    return sample_per_group(usual, FPIR_RATIO * usual) if 0 < usual < 1 / FPIR_RATIO else None


def _difference(
    measure: Measure,
    mine: Share,
    theirs: Share,
    inside: NDArray[np.float64],
    outside: NDArray[np.float64],
    level: float,
) -> Interval:
    """The simultaneous interval: difference for TPIR, ratio for FPIR; unbounded where nothing is known."""
    unknown = Interval(-1.0, 1.0) if measure == "tpir" else Interval(0.0, math.inf)
    # Rates of 0 or 1 do not vary when people are drawn again, and that is no sign of certainty.
    if any(share.value in {None, 0.0} or share.value == 1.0 for share in (mine, theirs)):
        return unknown
    samples = inside - outside if measure == "tpir" else inside / np.maximum(outside, 0.5 / theirs.trials)
    samples = samples[np.isfinite(samples)]
    if len(samples) < TIMES // 2:
        return unknown
    tail = 50 * (1 - level)
    low, high = np.percentile(samples, [tail, 100 - tail])
    return Interval(float(low), float(high))
