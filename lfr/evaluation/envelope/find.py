"""Finding the envelope of a pack: each condition through its levels, with the same people at every level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lfr.domain.envelope import Envelope
from lfr.domain.errors import ConfigError, SourceError
from lfr.domain.packs import Pack
from lfr.evaluation.envelope.derive import Level, certified, derive
from lfr.evaluation.envelope.levels import AXES, USUAL, Axis, Held
from lfr.evaluation.envelope.lineup import Mover
from lfr.evaluation.envelope.transits import Outcome, enrol, entry_id, pass_by
from lfr.evaluation.simulation.cast import choose_cast
from lfr.evaluation.simulation.settings import Settings
from lfr.matching.matcher import Matcher
from lfr.matching.threshold import Threshold, for_watchlist
from lfr.vision.engine.base import FaceEngine

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be measured. entries: listed people; transits: of them, at each level. floor: least TPIR."""

    entries: int = 200
    transits: int = 100
    floor: float = 0.85
    target_fpir: float | None = None
    threshold: float | None = None
    seed: int = 1
    without: frozenset[str] = frozenset()
    axes: tuple[Axis, ...] = AXES


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured. envelope: None where the usual conditions fail; refusal: why, in words."""

    wanted: Wanted
    threshold: Threshold
    enrolled: int
    not_enrolled: int
    faceless: int
    levels: dict[Any, list[Level]]
    envelope: Envelope | None
    refusal: str


def find_envelope(
    engine: FaceEngine, pack: Pack, folder: Path, wanted: Wanted, progress: Progress = lambda *_: None
) -> Found:
    """Measure every level of every condition and derive the envelope.

    Raises SourceError when the folder holds too few people, ConfigError without a threshold or with more transits than
    entries.
    """
    if wanted.transits > wanted.entries:
        raise ConfigError(
            f"{wanted.transits} listed people cannot pass where {wanted.entries} are listed",
            hint="lower --transits or raise --watchlist-size",
        )
    settings = Settings(people=wanted.transits, listed=wanted.transits, watchlist_size=wanted.entries, seed=wanted.seed)
    cast = choose_cast(
        folder, settings, engine, lambda done, total: progress("people", done, total), without=wanted.without
    )
    gallery = enrol(engine, pack, folder, cast.entries)
    listed = {item.entry_id for item in gallery}
    threshold = for_watchlist(pack, len(listed), target_fpir=wanted.target_fpir, fixed=wanted.threshold)
    matcher = Matcher(pack.recogniser.dim, pack.recogniser.metric, threshold)
    matcher.add(gallery)
    people = [
        (walker.identity, Mover(number, walker.heads[0]))
        for number, walker in enumerate(cast.walkers)
        if entry_id(walker.identity) in listed
    ]
    levels = _measure(engine, pack, matcher, people, wanted, progress)
    envelope, refusal = _derived(levels, wanted)
    return Found(
        wanted,
        matcher.threshold,
        len(gallery),
        len(cast.entries) - len(gallery),
        cast.faceless,
        levels,
        envelope,
        refusal,
    )


def report_of(found: Found, pack: Pack, digest: str, seconds: float) -> dict[str, Any]:
    """Everything that was measured, ready for JSON."""
    return {
        "pack": pack.name,
        "pack_digest": digest,
        "threshold": found.threshold.value,
        "threshold_basis": found.threshold.basis,
        "entries": found.enrolled,
        "not_enrolled": found.not_enrolled,
        "pictures_without_face": found.faceless,
        "floor": found.wanted.floor,
        "seed": found.wanted.seed,
        "envelope": None
        if found.envelope is None
        else {name: round(getattr(found.envelope, name), 4) for name in Envelope.__struct_fields__},
        "refusal": found.refusal,
        "axes": [_axis(axis, found) for axis in found.wanted.axes],
        "seconds": round(seconds, 1),
    }


def _axis(axis: Axis, found: Found) -> dict[str, Any]:
    levels = found.levels[axis.name]
    passed = certified(levels, getattr(USUAL, axis.name), found.wanted.floor)
    return {
        "name": axis.name,
        "title": axis.title,
        "usual": getattr(USUAL, axis.name),
        "certified": [passed[0].at, passed[-1].at] if passed else None,
        # A range that ends where the measuring ended may go on: nobody looked.
        "reaches_the_end": [passed[0] is levels[0], passed[-1] is levels[-1]] if passed else [False, False],
        "levels": [_level(level) for level in levels],
    }


def _level(level: Level) -> dict[str, Any]:
    low, high = level.interval
    outcome = level.outcome
    return {
        "at": level.at,
        "transits": outcome.transits,
        "found": outcome.found,
        "wrong": outcome.wrong,
        "undetected": outcome.undetected,
        "tpir": round(level.tpir, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "measured": outcome.measured,
    }


def _measure(
    engine: FaceEngine,
    pack: Pack,
    matcher: Matcher,
    people: Sequence[tuple[str, Mover]],
    wanted: Wanted,
    progress: Progress,
) -> dict[Any, list[Level]]:
    known: dict[Held, Outcome] = {}
    total = sum(len(axis.levels) for axis in wanted.axes) * len(people)
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress("transits", done, total)

    levels: dict[Any, list[Level]] = {}
    for axis in wanted.axes:
        for at in axis.levels:
            held = axis.held(at)
            if held in known:  # the usual conditions stand on every axis
                tell(len(people))
            else:
                known[held] = pass_by(engine, pack, matcher, people, held, wanted.seed, tell)
            levels.setdefault(axis.name, []).append(Level(at, known[held]))
    return levels


def _derived(levels: dict[Any, list[Level]], wanted: Wanted) -> tuple[Envelope | None, str]:
    try:
        return derive(levels, wanted.floor), ""
    except SourceError as error:
        return None, error.message
