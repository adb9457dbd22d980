"""Other ways to use the same pictures: other lists' sizes, two pictures for each entry, several shots as a transit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lfr.evaluation.labelled_set import LabelledSet
from lfr.evaluation.openset import Draw, Material, Rows, Scores, Trials, draw_lists, search, similarity, top
from lfr.evaluation.operating import Gain, Operated, gains, operate

_MOST_SHOTS = 3
_SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Variant:
    """One way against another on the same lists and people. entries, people: on each list, in the set's part used."""

    entries: int
    plain: Operated
    better: Operated
    gains: tuple[Gain, ...]


def sizes(material: Material, *, asked: int, seed: int, draws: int) -> list[tuple[int, Operated]]:
    """Other list sizes that the set allows, smaller and larger than the one asked for."""
    able = int((material.people.per_person > 1).sum())
    wanted = [size for size in _SIZES if size != asked and size <= able and 2 * size <= len(material.people.people)]
    return [
        (size, operate(search(material, draw_lists(material.people, size, seed=seed, draws=draws)), seed=seed))
        for size in wanted
    ]


def two_pictures(material: Material, *, most: int, seed: int, draws: int) -> Variant | None:
    """Two pictures for each entry against one, with the same probes. None where too few people have three pictures."""
    entries = min(most, int((material.people.per_person > 2).sum()) * 2 // 3)
    if entries < 1 or entries >= len(material.people.people):
        return None
    two = list(draw_lists(material.people, entries, seed=seed, draws=draws, images=2))
    one = [replace(draw, listed=draw.listed[:entries]) for draw in two]
    return _variant(search(material, one), search(material, two), seed)


def fused_stills(material: Material, *, most: int, seed: int, draws: int) -> Variant | None:
    """A person's other pictures (two or three) as one transit, against each of them alone. None with too few pictures.

    Strangers pass in the same way, so only people with two pictures and more take part.
    """
    part = _with_pictures(material.people, 2)
    entries = min(most, int((material.people.per_person > 2).sum()) * 2 // 3)
    if entries < 1 or entries >= len(part):
        return None
    drawn = list(draw_lists(material.people, entries, seed=seed, draws=draws, images=2))
    # One picture is listed; the second, drawn for a longer list, walks with the others.
    lists = [_one_listed(material.people, draw, entries, part) for draw in drawn]
    return _variant(search(material, lists), _fused(material, lists, entries), seed)


def _with_pictures(people: LabelledSet, fewest: int) -> Rows:
    return np.flatnonzero(people.per_person >= fewest)


def _one_listed(people: LabelledSet, draw: Draw, entries: int, part: Rows) -> Draw:
    owner = people.owner
    mated = np.sort(np.concatenate([draw.listed[entries:], draw.mated]))
    strangers = draw.nonmated[np.isin(owner[draw.nonmated], part)]
    return Draw(draw.listed[:entries], _first(mated, owner), _first(strangers, owner))


def _first(rows: Rows, owner: Rows) -> Rows:
    """At most three rows of each person; rows are in order, so a person's rows stand together."""
    starts = np.flatnonzero(np.diff(owner[rows], prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    return rows[place < _MOST_SHOTS]


def _fused(material: Material, draws: Sequence[Draw], entries: int) -> Trials:
    owner = material.people.owner
    parts = []
    for draw in draws:
        entry_of = owner[draw.listed]
        mated, mated_of = _together(material, draw.mated, draw.listed)
        scores, names = top(mated, entry_of)
        hits = np.where(names == mated_of, scores, np.float32(-np.inf))
        strangers, strangers_of = _together(material, draw.nonmated, draw.listed)
        tops, nearest = top(strangers, entry_of)
        parts.append((hits, mated_of, tops, strangers_of, nearest))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Trials(entries, len(material.people.people), len(parts), *columns)


def _together(material: Material, rows: Rows, listed: Rows) -> tuple[Scores, Rows]:
    """Scores of one fused template for each person in `rows`: the mean of the pictures with a face."""
    owner = material.people.owner[rows]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    counted = material.seen[rows].astype(np.float32)
    total = np.add.reduceat(material.templates[rows] * counted[:, None], starts, axis=0)
    count = np.add.reduceat(counted, starts)
    if material.metric == "cosine":
        fused = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-6)
    else:
        fused = total / np.maximum(count, 1)[:, None]
    scores = similarity(fused.astype(np.float32), material.templates[listed], material.metric)
    scores[count == 0] = -np.inf
    scores[:, ~material.seen[listed]] = -np.inf
    return scores, owner[starts]


def _variant(plain: Trials, better: Trials, seed: int) -> Variant:
    one, other = operate(plain, seed=seed), operate(better, seed=seed)
    return Variant(plain.entries, one, other, gains(one, other))
