"""Pictures that are probably not whose they say: a file twice, one person under two names, a wrong person's face.

They stay in every rate. The report lists them, and says what the rates would be without them: one person under two
names makes true matches count as false ones, and just these stand at the top of a tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lfr.evaluation.labelled_set import LabelledSet, same_files
from lfr.evaluation.openset import Material, Rows, Scores

Kind = Literal["same file under two names", "same file twice", "like somebody else", "unlike their own"]

_CHUNK = 512
_TAIL = 0.1
_CHANCE = 0.1
"""How many pictures of a clean set would be called like somebody else by chance."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Pictures (rows of the set) that a person should look at. score: of the pair, NaN where files are equal."""

    kind: Kind
    pictures: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class _Nearest:
    """For each picture: best score against own pictures and against strangers', and which picture that was."""

    own: Scores
    other: Scores
    other_row: Rows


def find_suspects(material: Material) -> list[Suspect]:
    """All suspects, the surest kind first. Only scores and file contents are looked at.

    Like somebody else: a score against a stranger so high that an exponential tail, fitted to each picture's best
    stranger, expects a tenth of one such picture in the set. Unlike their own: less like all their own pictures than
    pictures usually are like their nearest stranger.
    """
    people = material.people
    found = [_same_file(people, rows) for rows in same_files(people.pictures)]
    known = {frozenset(suspect.pictures) for suspect in found}
    nearest = _nearest(material)
    with_stranger = np.isfinite(nearest.other)
    if with_stranger.sum() < 20:
        return found
    level = chance_level(nearest.other[with_stranger])
    for row in np.argsort(-nearest.other):
        pair = frozenset((int(row), int(nearest.other_row[row])))
        if nearest.other[row] >= level and pair not in known:
            known.add(pair)
            found.append(Suspect("like somebody else", tuple(sorted(pair)), float(nearest.other[row])))
    usual = float(np.median(nearest.other[with_stranger]))
    unlike = np.flatnonzero(np.isfinite(nearest.own) & (nearest.own < usual))
    found += [
        Suspect("unlike their own", (int(row),), float(nearest.own[row]))
        for row in unlike[np.argsort(nearest.own[unlike])]
    ]
    return found


def chance_level(best: Scores) -> float:
    """The score that a tenth of a picture reaches by chance. best: each picture's best score against a stranger.

    The median excess over the highest tenth says how fast the tail falls: it is not moved by the suspects in it.
    """
    ordered = np.sort(best)[::-1]
    count = max(2, math.ceil(_TAIL * len(ordered)))
    start = float(ordered[count - 1])
    scale = max(float(np.median(ordered[:count] - start)), 1e-6) / math.log(2)
    return start + scale * math.log(count / _CHANCE)


def people_of(people: LabelledSet, suspects: list[Suspect]) -> Rows:
    """Everybody with a suspect picture: indices, each once."""
    rows = [row for suspect in suspects for row in suspect.pictures]
    return np.unique(people.owner[rows]) if rows else np.zeros(0, np.int64)


def _same_file(people: LabelledSet, rows: tuple[int, ...]) -> Suspect:
    owners = {int(people.owner[row]) for row in rows}
    return Suspect("same file under two names" if len(owners) > 1 else "same file twice", rows, math.nan)


def _nearest(material: Material) -> _Nearest:
    owner = material.people.owner
    count = len(owner)
    every = np.arange(count)
    own, other = np.full(count, -np.inf, np.float32), np.full(count, -np.inf, np.float32)
    other_row = np.zeros(count, np.int64)
    for start in range(0, count, _CHUNK):
        rows = every[start : start + _CHUNK]
        scores = material.scores(rows, every)
        mine = owner[rows][:, None] == owner[None]
        strangers = np.where(mine, np.float32(-np.inf), scores)
        other[rows], other_row[rows] = strangers.max(axis=1), strangers.argmax(axis=1)
        scores[np.arange(len(rows)), rows] = -np.inf
        own[rows] = np.where(mine, scores, np.float32(-np.inf)).max(axis=1)
    return _Nearest(own, other, other_row)


def named(suspects: list[Suspect], name: Callable[[int], str]) -> list[tuple[str, str, str]]:
    """Kind, pictures by name, score in words: for a report that stays on this machine."""
    return [
        (s.kind, ", ".join(name(row) for row in s.pictures), "" if math.isnan(s.score) else f"{s.score:.3f}")
        for s in suspects
    ]
