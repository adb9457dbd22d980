"""Open-set identification on a labelled set: lists are drawn, everybody else is a stranger (ISO/IEC 19795-1).

One draw: so many people with enough pictures are chosen by a seed and one picture (or more) of each is listed. Their
other pictures are mated probes, every picture of everybody else is a non-mated one. A picture without a face is a miss
where it is mated, leaves its entry without a template where it is listed, and never alerts where it is non-mated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import SourceError
from lfr.domain.faces import Metric, Templates
from lfr.evaluation.labelled_set import LabelledSet

Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
MOST_AT_ONCE = 12_000
"""Pictures up to which a set's scores are held in one array (at most 0.6 GB)."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One list, as rows of the templates. listed: the first picture of every entry, then the second ones."""

    listed: Rows
    mated: Rows
    nonmated: Rows


@dataclass(frozen=True, slots=True)
class Trials:
    """The searches of all draws together. Indices of people are the set's.

    hits: score of each mated search if its own entry came first, else -inf. tops: best score of each non-mated search,
    -inf without a face. nearest: whose entry that was. entries: people on each list. people: how many the set has.
    """

    entries: int
    people: int
    draws: int
    hits: Scores
    mated_of: Rows
    tops: Scores
    nonmated_of: Rows
    nearest: Rows

    @property
    def rank1(self) -> float:
        """Share of mated searches whose own entry came first, at any score."""
        return float(np.isfinite(self.hits).mean())

    @property
    def strangers(self) -> int:
        """How many different people were searched for without being listed."""
        return len(np.unique(self.nonmated_of))

    def accepted(self, threshold: float) -> NDArray[np.bool_]:
        """Which mated searches are found at this threshold (TPIR: first and at least as high)."""
        return np.asarray((self.hits >= np.float32(threshold)) & np.isfinite(self.hits), np.bool_)

    def errors(self, threshold: float) -> NDArray[np.bool_]:
        """Which non-mated searches alert at this threshold (FPIR)."""
        return np.asarray((self.tops >= np.float32(threshold)) & np.isfinite(self.tops), np.bool_)


class Material:
    """A set and what became of its pictures: templates, float32 (pictures, dim), and which pictures have a face.

    Draws overlap, so all scores of a set that is not too large are made once and looked up.
    """

    def __init__(self, people: LabelledSet, templates: Templates, seen: NDArray[np.bool_], metric: Metric) -> None:
        self.people, self.templates, self.seen = people, templates, seen
        self.metric: Metric = metric
        self._every: Scores | None = None

    def scores(self, rows: Rows, listed: Rows) -> Scores:
        """Scores of these pictures against those, float32; -inf where one of the two has no face."""
        if len(self.seen) > MOST_AT_ONCE:
            return self._scored(rows, listed)
        if self._every is None:
            whole = np.arange(len(self.seen))
            self._every = self._scored(whole, whole)
        return self._every[np.ix_(rows, listed)]

    def part(self, kept: NDArray[np.bool_]) -> Material:
        """Only these pictures; people without one are gone."""
        names, owner = np.unique(self.people.owner[kept], return_inverse=True)
        people = LabelledSet(
            tuple(self.people.people[name] for name in names),
            tuple(path for path, keep in zip(self.people.pictures, kept, strict=True) if keep),
            owner.astype(np.int64),
        )
        found = Material(people, self.templates[kept], self.seen[kept], self.metric)
        if self._every is not None:
            found._every = self._every[np.ix_(kept, kept)]
        return found

    def _scored(self, rows: Rows, listed: Rows) -> Scores:
        scores = similarity(self.templates[rows], self.templates[listed], self.metric)
        scores[~self.seen[rows]] = -np.inf
        scores[:, ~self.seen[listed]] = -np.inf
        return scores


def usual_entries(people: LabelledSet) -> int:
    """The list's size where none is asked for: 500, or fewer so that as many people stay off the list as are on it."""
    return min(500, len(people.people) // 2, int((people.per_person > 1).sum()))


def draw_lists(people: LabelledSet, entries: int, *, seed: int, draws: int, images: int = 1) -> Iterator[Draw]:
    """Lists of `entries` people with `images` pictures each; draw d takes seed + d.

    Raises SourceError at once, as check_lists does.
    """
    check_lists(people, entries, images=images)
    able = np.flatnonzero(people.per_person > images)
    return (_draw(people, able, entries, images, np.random.default_rng(seed + d)) for d in range(draws))


def check_lists(people: LabelledSet, entries: int, *, images: int) -> None:
    """Raise SourceError when too few people have more than `images` pictures, or nobody is left who is not listed."""
    able = np.flatnonzero(people.per_person > images)
    if not 1 <= entries <= len(able):
        raise SourceError(
            f"{len(able)} people have more than {images} picture{'s' if images > 1 else ''}: "
            f"no list of {entries} can be drawn",
            hint=f"give --watchlist-size at most {len(able)}" if len(able) else "give people more pictures each",
        )
    if entries >= len(people.people):
        raise SourceError("nobody is left who is not listed", hint="give a smaller --watchlist-size")


def _draw(people: LabelledSet, able: Rows, entries: int, images: int, rng: np.random.Generator) -> Draw:
    chosen = np.sort(rng.choice(able, entries, replace=False))
    orders = [rng.permutation(people.rows[person]) for person in chosen]
    others = np.ones(len(people.people), np.bool_)
    others[chosen] = False
    return Draw(
        listed=np.concatenate([[order[place] for order in orders] for place in range(images)]).astype(np.int64),
        mated=np.concatenate([np.sort(order[images:]) for order in orders]),
        nonmated=np.flatnonzero(others[people.owner]),
    )


def search(material: Material, draws: Iterable[Draw]) -> Trials:
    """Search every probe of each draw in its list."""
    owner = material.people.owner
    parts = []
    for draw in draws:
        entry_of = owner[draw.listed]
        scores, names = top(material.scores(draw.mated, draw.listed), entry_of)
        mated_of = owner[draw.mated]
        hits = np.where(names == mated_of, scores, np.float32(-np.inf))
        tops, nearest = top(material.scores(draw.nonmated, draw.listed), entry_of)
        parts.append((hits, mated_of, tops, owner[draw.nonmated], nearest))
        entries = len(np.unique(entry_of))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Trials(entries, len(material.people.people), len(parts), *columns)


def top(scores: Scores, entry_of: Rows) -> tuple[Scores, Rows]:
    """Best score of each row and whose it is. An entry counts by its best picture."""
    places = scores.argmax(axis=1)
    return scores[np.arange(len(scores)), places], entry_of[places]


def similarity(probes: Templates, listed: Templates, metric: Metric) -> Scores:
    """Scores of (n, dim) against (m, dim): float32 (n, m), higher is more alike."""
    products = np.asarray(probes @ listed.T, np.float32)
    if metric == "cosine":
        return products
    squares = (probes * probes).sum(axis=1)[:, None] + (listed * listed).sum(axis=1)[None] - 2 * products
    return np.asarray(1 - np.sqrt(np.maximum(squares, 0)), np.float32)


def threshold_for(tops: Scores, target: float) -> float:
    """The smallest threshold at which at most this share of non-mated searches has a top score that reaches it.

    It lies right above a score that was seen: the next float32.
    """
    ordered = np.sort(tops)[::-1]
    allowed = int(np.floor(target * len(ordered) + 1e-9))
    if allowed >= len(ordered):
        return float(ordered[-1])
    return float(np.nextafter(ordered[allowed], np.float32(np.inf), dtype=np.float32))
