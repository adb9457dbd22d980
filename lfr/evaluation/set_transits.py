"""A set's people as made transits: what fusing the shots of a passage gives over its best shot alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lfr.domain.packs import Pack
from lfr.evaluation.made_transits import Passages, pass_by
from lfr.evaluation.openset import Draw, Material, Rows, Scores, Trials, draw_lists
from lfr.evaluation.operating import gains, operate
from lfr.evaluation.variants import Variant
from lfr.vision.engine.base import FaceEngine


@dataclass(frozen=True, slots=True)
class Walked:
    """fused against single: plain is the best shot alone. missed: walkers of whom no two good shots came."""

    variant: Variant
    listed_walkers: int
    strangers: int
    missed: int


def walk_set(
    engines: Sequence[FaceEngine],
    pack: Pack,
    material: Material,
    *,
    entries: int,
    strangers: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> Walked:
    """List one draw of the set and let listed people (another picture of each) and so many strangers pass by once.

    A walker who was not seen is a miss where listed, and no alert where not. Raises SourceError as draw_lists does.
    """
    people = material.people
    draw = next(draw_lists(people, entries, seed=seed, draws=1))
    others = _one_each(people.owner, draw.nonmated)
    rng = np.random.default_rng([seed, 1])
    others = np.sort(rng.permutation(others)[:strangers])
    mine = _one_each(people.owner, draw.mated)
    mine = np.sort(rng.permutation(mine)[: max(strangers, 1)])
    rows = np.concatenate([mine, others])
    listed = material.templates[draw.listed]
    paths = [people.pictures[row] for row in rows]
    passages = pass_by(engines, pack, paths, listed, seed, progress)
    ways = [_trials(material, draw, rows, len(mine), passages, scores) for scores in (passages.single, passages.fused)]
    single, fused = (operate(trials, seed=seed) for trials in ways)
    return Walked(Variant(entries, single, fused, gains(single, fused)), len(mine), len(others), passages.missed)


def _one_each(owner: Rows, rows: Rows) -> Rows:
    return rows[np.flatnonzero(np.diff(owner[rows], prepend=-1))]


def _trials(material: Material, draw: Draw, rows: Rows, mated: int, passages: Passages, scores: Scores) -> Trials:
    owner = material.people.owner
    every = np.full((len(rows), len(draw.listed)), -np.inf, np.float32)
    every[passages.walkers] = scores
    every[:, ~material.seen[draw.listed]] = -np.inf
    best = every.argmax(axis=1)
    tops, names = every[np.arange(len(rows)), best], owner[draw.listed][best]
    whose = owner[rows]
    hits = np.where(names[:mated] == whose[:mated], tops[:mated], np.float32(-np.inf))
    return Trials(
        entries=len(draw.listed),
        people=len(material.people.people),
        draws=1,
        hits=hits,
        mated_of=whose[:mated],
        tops=tops[mated:],
        nonmated_of=whose[mated:],
        nearest=names[mated:],
    )
