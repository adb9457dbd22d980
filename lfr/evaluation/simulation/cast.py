"""Choosing who walks, who is listed, and which picture of each is shown. A picture that is listed is not shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lfr.domain.errors import SourceError
from lfr.evaluation.files import read_picture
from lfr.evaluation.simulation.heads import find_head
from lfr.evaluation.simulation.people import Person, people_in
from lfr.evaluation.simulation.settings import Settings
from lfr.evaluation.truth import Entry
from lfr.vision.drawing.backdrop import colour
from lfr.vision.drawing.head import Head
from lfr.vision.drawing.wear import WEARS, wearing
from lfr.vision.engine.base import FaceEngine

_ANY = ("people to walk past", "lower --people or --density, or give more pictures")
_SEVERAL = (
    "people with one picture to list and another to show",
    "lower --listed, give a second picture of each, or --same-picture",
)
_SHOWN = 2  # pictures of a person: the second takes over half way


@dataclass(frozen=True, slots=True)
class Walker:
    """One person who walks. enrol: the pictures on the list; probes: those that are shown, one head for each."""

    identity: str
    enrol: tuple[str, ...]
    probes: tuple[str, ...]
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody. entries: the watchlist, sorted by id. faceless: pictures passed over because no face was found."""

    walkers: tuple[Walker, ...]
    entries: tuple[Entry, ...]
    faceless: int


def choose_cast(
    folder: Path,
    settings: Settings,
    engine: FaceEngine,
    progress: Callable[[int, int], None] = lambda *_: None,
    *,
    without: Collection[str] = (),
) -> Cast:
    """Draw the cast by the settings' seed. engine: only tells where the faces are, to cut them out.

    without: people who are left out.

    Raises SourceError when the folder holds too few people, or too few with a face that can be cut out.
    """
    everybody = [person for person in people_in(folder) if person.name not in without]
    rng = np.random.default_rng((settings.seed, 0))
    order = [_shuffled(everybody[i], rng) for i in rng.permutation(len(everybody))]
    cutter = _Cutter(folder, engine)
    walkers: list[Walker] = []

    def add(found: Walker | None) -> None:
        if found is not None:
            walkers.append(found)
            progress(len(walkers), settings.people)

    several = [person for person in order if settings.same_picture or len(person.pictures) > 1]
    _require(folder, several, settings.listed, _SEVERAL)
    _require(folder, order, settings.people, _ANY)
    for person in several:
        if len(walkers) == settings.listed:
            break
        add(_listed(person, cutter))
    _require(folder, walkers, settings.listed, _SEVERAL, cutter.faceless)
    taken = {walker.identity for walker in walkers}
    for person in _rarest_first(order):
        if len(walkers) == settings.people:
            break
        if person.name not in taken:
            add(_unlisted(person, cutter))
    _require(folder, walkers, settings.people, _ANY, cutter.faceless)
    walkers = [_dressed(walker, settings, rng) for walker in walkers]
    return Cast(tuple(walkers), _entries(folder, order, walkers, settings), cutter.faceless)


def _shuffled(person: Person, rng: np.random.Generator) -> Person:
    """The same person, any of their pictures first."""
    return Person(person.name, tuple(person.pictures[i] for i in rng.permutation(len(person.pictures))))


def _require(folder: Path, there: Sequence[object], wanted: int, whom: tuple[str, str], faceless: int = 0) -> None:
    """Raise SourceError when there are fewer people than wanted. whom: in words, and what to do about it."""
    if len(there) < wanted:
        why = f" ({faceless} pictures in which no face was found)" if faceless else ""
        raise SourceError(f"{folder}: {wanted} {whom[0]} are needed, {len(there)} are there{why}", hint=whom[1])


def _rarest_first(people: list[Person]) -> list[Person]:
    """Those of one picture first: whoever has two may yet be needed for a list."""
    return sorted(people, key=lambda person: len(person.pictures) > 1)


def _listed(person: Person, cutter: _Cutter) -> Walker | None:
    shown = person.pictures[1:] if len(person.pictures) > 1 else person.pictures
    found = cutter.cut(shown)
    return Walker(person.name, person.pictures[:1], tuple(found), tuple(found.values())) if found else None


def _unlisted(person: Person, cutter: _Cutter) -> Walker | None:
    found = cutter.cut(person.pictures)
    return Walker(person.name, (), tuple(found), tuple(found.values())) if found else None


def _dressed(walker: Walker, settings: Settings, rng: np.random.Generator) -> Walker:
    over, wear, cloth = rng.uniform(), WEARS[int(rng.integers(len(WEARS)))], colour(rng, 20, 140)
    if over >= settings.occluded:
        return walker
    heads = tuple(wearing(head, wear, cloth) for head in walker.heads)
    return Walker(walker.identity, walker.enrol, walker.probes, heads)


def _entries(folder: Path, order: list[Person], walkers: list[Walker], settings: Settings) -> tuple[Entry, ...]:
    """Those who are listed and walk, and as many others who never appear as make up the list."""
    entries = [Entry(walker.identity, walker.enrol, appears=True) for walker in walkers if walker.enrol]
    walking = {walker.identity for walker in walkers}
    others = [person for person in order if person.name not in walking][: settings.watchlist_size - len(entries)]
    entries += [Entry(person.name, person.pictures[:1]) for person in others]
    if len(entries) < settings.watchlist_size:
        raise SourceError(
            f"{folder}: {settings.watchlist_size} people to list are needed, {len(entries)} are there",
            hint="lower --watchlist-size or --people, or give more pictures",
        )
    return tuple(sorted(entries, key=lambda entry: entry.id))


class _Cutter:
    """Cuts heads out of pictures and counts those without a face."""

    def __init__(self, folder: Path, engine: FaceEngine) -> None:
        self._folder = folder
        self.faceless = 0
        self._engine = engine

    def cut(self, pictures: tuple[str, ...]) -> dict[str, Head]:
        """The first heads found in these pictures, at most _SHOWN."""
        found: dict[str, Head] = {}
        for name in pictures:
            if len(found) == _SHOWN:
                break
            image = read_picture(self._folder / name)
            head = None if image is None else find_head(self._engine, image)
            if head is None:
                self.faceless += 1
            else:
                found[name] = head
        return found
