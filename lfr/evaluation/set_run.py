"""One evaluation of a labelled set, whole: what was measured, in one object that figures and pages are made from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.intervals import Rate
from lfr.domain.packs import Pack
from lfr.evaluation.baseline_set import BaselineSet
from lfr.evaluation.embed_set import Embedded
from lfr.evaluation.equity import Finding, Spread, compare_groups, spreads
from lfr.evaluation.groups import Groups
from lfr.evaluation.labelled_set import LabelledSet
from lfr.evaluation.openset import Material, Trials, draw_lists, search
from lfr.evaluation.operating import Curve, Gain, Operated, curve, gains, operate
from lfr.evaluation.set_transits import Walked, walk_set
from lfr.evaluation.suspects import Suspect, find_suspects, people_of
from lfr.evaluation.variants import Variant, fused_stills, sizes, two_pictures
from lfr.evaluation.verification import Pairs, Verified, verify
from lfr.vision.engine.base import FaceEngine

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. entries: people on each list. strangers: unlisted people who pass by as made transits."""

    entries: int
    seed: int = 1
    draws: int = 20
    strangers: int = 0


@dataclass(frozen=True, slots=True)
class Against:
    """The library's own path on the same pictures and lists. gains: ours less theirs."""

    name: str
    operated: Operated
    curve: Curve
    rank1: float
    faceless: Rate
    verified: Verified | None
    gains: tuple[Gain, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result. seconds: wall time of the whole evaluation. without_suspects: None where nobody is suspect."""

    pack: Pack
    people: LabelledSet
    embedded: Embedded
    plan: Plan
    trials: Trials
    operated: Operated
    curve: Curve
    faceless: Rate
    suspects: tuple[Suspect, ...]
    without_suspects: Operated | None
    sizes: tuple[tuple[int, Operated], ...]
    two_pictures: Variant | None
    fused_stills: Variant | None
    walked: Walked | None
    groups: Groups | None
    findings: tuple[Finding, ...]
    spreads: tuple[Spread, ...]
    verified: Verified | None
    against: Against | None
    workers: int
    seconds: float

    @property
    def entries(self) -> int:
        """People on each list."""
        return self.trials.entries


def evaluate_set(
    engines: Sequence[FaceEngine],
    pack: Pack,
    people: LabelledSet,
    embedded: Embedded,
    plan: Plan,
    *,
    pairs: Pairs | None = None,
    groups: Groups | None = None,
    baseline: BaselineSet | None = None,
    progress: Progress,
    started: float | None = None,
) -> Evaluated:
    """Everything that follows from the templates. started: perf_counter() when the whole run began.

    The templates, thresholds and rates are made before any group is looked at (I5). Raises SourceError on a set from
    which no list can be drawn.
    """
    began = time.perf_counter() if started is None else started
    material = Material(people, embedded.templates, embedded.seen, pack.recogniser.metric)
    entries, seed, draws = plan.entries, plan.seed, plan.draws
    tell = _steps(progress, 7 + (plan.strangers > 0))
    trials = _searched(material, entries, plan)
    operated = operate(trials, seed=seed)
    tell()
    found_curve = curve(trials, seed=seed)
    tell()
    suspects = find_suspects(material)
    without = _without(material, people_of(people, suspects), entries, plan)
    tell()
    found_sizes = sizes(material, asked=entries, seed=seed, draws=draws)
    two = two_pictures(material, most=entries, seed=seed, draws=draws)
    tell()
    stills = fused_stills(material, most=entries, seed=seed, draws=draws)
    tell()
    verified = verify(pairs, embedded.templates, embedded.seen, material.metric, seed=seed) if pairs else None
    against = _against(baseline, material, operated, pairs, entries, plan) if baseline else None
    tell()
    walked = None
    if plan.strangers:
        walked = walk_set(
            engines, pack, material, entries=entries, strangers=plan.strangers, seed=seed,
            progress=lambda done, total: progress("walk", done, total),
        )  # fmt: skip
        tell()
    findings = compare_groups(trials, groups, operated.points[0].threshold, seed=seed) if groups else []
    tell()
    return Evaluated(
        pack=pack,
        people=people,
        embedded=embedded,
        plan=plan,
        trials=trials,
        operated=operated,
        curve=found_curve,
        faceless=_faceless(embedded.seen),
        suspects=tuple(suspects),
        without_suspects=without,
        sizes=tuple(found_sizes),
        two_pictures=two,
        fused_stills=stills,
        walked=walked,
        groups=groups,
        findings=tuple(findings),
        spreads=tuple(spreads(findings)),
        verified=verified,
        against=against,
        workers=len(engines),
        seconds=time.perf_counter() - began,
    )


def _steps(progress: Progress, total: int) -> Callable[[], None]:
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        progress("measure", done, total)

    return tell


def _searched(material: Material, entries: int, plan: Plan) -> Trials:
    return search(material, draw_lists(material.people, entries, seed=plan.seed, draws=plan.draws))


def _faceless(seen: NDArray[np.bool_]) -> Rate:
    return Rate.counted(int((~seen).sum()), len(seen))


def _without(material: Material, left_out: NDArray[np.int64], entries: int, plan: Plan) -> Operated | None:
    """The same on lists drawn from everybody else; None where nobody is left out or too few are left."""
    if not len(left_out):
        return None
    rest = material.part(~np.isin(material.people.owner, left_out))
    able = int((rest.people.per_person > 1).sum())
    if able < entries or len(rest.people.people) <= entries:
        return None
    return operate(_searched(rest, entries, plan), seed=plan.seed)


def _against(
    baseline: BaselineSet, material: Material, ours: Operated, pairs: Pairs | None, entries: int, plan: Plan
) -> Against:
    theirs = Material(material.people, baseline.templates, baseline.seen, material.metric)
    trials = _searched(theirs, entries, plan)
    operated = operate(trials, seed=plan.seed)
    verified = verify(pairs, theirs.templates, theirs.seen, theirs.metric, seed=plan.seed) if pairs else None
    return Against(
        name=baseline.name,
        operated=operated,
        curve=curve(trials, seed=plan.seed),
        rank1=trials.rank1,
        faceless=_faceless(baseline.seen),
        verified=verified,
        gains=gains(operated, ours),
        seconds=baseline.seconds,
    )
