"""Are the stated intervals honest? A set is split in halves again and again, and one half's promise tried on the other.

On one half a list is drawn and the threshold for a target FPIR derived. Its true FPIR is unknown, so the statement is:
a like half, with other people and another list, will show an FPIR in this interval (95 %). The interval carries both
uncertainties: where the threshold fell, and how many errors the other half happens to have. A plain binomial interval
of the other half has only the second one and covers the target in about 83 of 100 splits: it is printed beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import betabinom

from lfr.domain.errors import SourceError
from lfr.domain.intervals import Interval, clopper_pearson
from lfr.evaluation.clusters import Effective, effective
from lfr.evaluation.openset import Draw, Material, Trials, search, threshold_for


@dataclass(frozen=True, slots=True)
class Honesty:
    """covered: splits whose other half lay in the stated interval. naive: splits whose plain interval held the target.

    fpir: what each other half showed at the threshold, float64 (splits,). entries: people on each list.
    """

    target: float
    splits: int
    entries: int
    covered: int
    naive: int
    fpir: NDArray[np.float64]

    @property
    def share(self) -> float:
        """Share of splits covered; honest at 95 % means 0.90 to 0.99 over 200 splits."""
        return self.covered / self.splits


def stated_interval(derived: Effective, trials: float) -> Interval:
    """What another set will show, 95 %: a beta-binomial law over errors among so many effective trials.

    derived: errors and trials, both effective, behind the threshold.
    """
    count = max(1, round(trials))
    law = betabinom(count, derived.errors + 0.5, derived.trials - derived.errors + 0.5)
    return Interval(float(law.ppf(0.025)) / count, float(law.ppf(0.975)) / count)


def try_splits(
    material: Material,
    *,
    target: float,
    splits: int,
    seed: int,
    entries: int | None = None,
    progress: Callable[[int, int], None],
) -> Honesty:
    """Derive on one half, look at the other. entries: of each list, by default a tenth of the set's people.

    Raises SourceError on a set with fewer than 40 people.
    """
    count = len(material.people.people)
    if count < 40:
        raise SourceError(f"{count} people are too few to be split", hint="give at least 40")
    size = entries or max(1, count // 10)
    if size >= count // 2:
        raise SourceError(f"a list of {size} leaves nobody in half of {count} people", hint="give a shorter list")
    covered = naive = 0
    shown = np.empty(splits)
    for number in range(splits):
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(count)
        one, other = (_half(material, np.sort(part), size, rng) for part in (order[: count // 2], order[count // 2 :]))
        threshold = threshold_for(one.tops, target)
        derived = effective(one.errors(threshold), one.nonmated_of, one.nearest)
        errors = other.errors(threshold)
        shown[number] = errors.mean()
        # The other half's own clustering is not known beforehand: the deriving half's stands for it.
        trials = len(errors) * derived.trials / len(one.tops)
        covered += stated_interval(derived, trials).holds(float(shown[number]))
        naive += clopper_pearson(int(errors.sum()), len(errors)).holds(target)
        progress(number + 1, splits)
    return Honesty(target, splits, size, covered, naive, shown)


def _half(material: Material, part: NDArray[np.int64], size: int, rng: np.random.Generator) -> Trials:
    """List one picture of some of these people; every picture of the others is a stranger."""
    listed = rng.permutation(part)[:size]
    pictures = [rng.choice(material.people.rows[person]) for person in np.sort(listed)]
    others = np.setdiff1d(part, listed)
    strangers = np.concatenate([material.people.rows[person] for person in others])
    draw = Draw(np.array(pictures, np.int64), np.zeros(0, np.int64), strangers)
    return search(material, [draw])
