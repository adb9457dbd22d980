"""Letting listed people pass under one condition, through the pack's detector, shot rules, fusion and search.

The rules are the live ones (Transit, Matcher); only Ray, the tracker and the clock are left out: each person has a
place of their own and time is the picture's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import UUID, uuid5

import numpy as np

from lfr.domain.errors import SourceError
from lfr.domain.faces import Image
from lfr.domain.packs import Pack
from lfr.domain.transit import Transit
from lfr.domain.watchlist import GalleryItem
from lfr.evaluation.envelope.levels import Held
from lfr.evaluation.envelope.lineup import FPS, FRAMES, LineUp, Mover, Places
from lfr.evaluation.files import read_picture
from lfr.evaluation.truth import Entry
from lfr.matching.matcher import Matcher, ShotNote, TransitKey
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.conditions import detail, light
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit
from lfr.vision.stills import central_face, find_faces

CONFIRM_SHOTS = 2
_LONG_AFTER = FRAMES / FPS + 60.0  # seconds of the picture: no shot is as young
_NAMES = UUID("6f1c7c0e-3c1b-4c8e-9d0a-6a7a5f0f2b11")  # entries' ids come from their names


@dataclass(slots=True)
class Seen:
    """What the camera saw at one level: samples of every detected face, and of every frame's light."""

    face_px: list[float] = field(default_factory=list)
    yaw: list[float] = field(default_factory=list)
    sharpness: list[float] = field(default_factory=list)
    detail: list[float] = field(default_factory=list)
    luma: list[float] = field(default_factory=list)
    dark: list[float] = field(default_factory=list)
    bright: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float | None]:
        """The middle of each; None where no face was found."""
        return {name: round(median(values), 4) if (values := getattr(self, name)) else None for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One level. found: transits with an alert for the right entry. wrong: with one for another entry."""

    transits: int
    found: int
    wrong: int
    undetected: int
    measured: dict[str, float | None]


def entry_id(name: str) -> UUID:
    """The id of the entry of this name."""
    return uuid5(_NAMES, name)


def enrol(engine: FaceEngine, pack: Pack, folder: Path, entries: Sequence[Entry]) -> list[GalleryItem]:
    """One template of each entry's first picture; an entry without a face is left out. Raises SourceError on none."""
    items = []
    for entry in entries:
        image = read_picture(folder / entry.images[0])
        faces = None if image is None else find_faces(engine, image)
        if image is None or faces is None or not len(faces):
            continue
        crop = cut(
            image, faces.points[[central_face(faces, image.shape[1], image.shape[0])]], pack.recogniser.alignment
        )
        items.append(GalleryItem(entry_id(entry.id), entry_id(entry.images[0]), engine.embed(crop)[0]))
    if not items:
        raise SourceError(f"{folder}: no listed picture has a face in it", hint="give pictures of faces")
    return items


def pass_by(
    engine: FaceEngine,
    pack: Pack,
    matcher: Matcher,
    people: Sequence[tuple[str, Mover]],
    held: Held,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Everybody in `people` (name of their entry, how they move) passes once under these conditions.

    matcher: holds the list. Nobody's shots are left in it.
    """
    seen = Seen()
    found = wrong = undetected = 0
    places = Places.of(held.face_px).count
    for start in range(0, len(people), places):
        group = people[start : start + places]
        run = _Passage(engine, pack, matcher, len(group), seen)
        line = LineUp([mover for _, mover in group], held, seed)
        for step in range(FRAMES):
            run.look(line, line.frame(step), step / FPS)
        matcher.sweep(_LONG_AFTER)
        for place, (name, _) in enumerate(group):
            found += entry_id(name) in run.alerts[place]
            wrong += bool(run.alerts[place] - {entry_id(name)})
            undetected += place not in run.detected
        progress(len(group))
    return Outcome(len(people), found, wrong, undetected, seen.medians())


class _Passage:
    """One group on its way: what `lfr.actors.pipeline` does with a frame, without actors."""

    def __init__(self, engine: FaceEngine, pack: Pack, matcher: Matcher, places: int, seen: Seen) -> None:
        self.alerts: list[set[UUID]] = [set() for _ in range(places)]
        self.detected: set[int] = set()
        self._engine, self._pack, self._matcher, self._seen = engine, pack, matcher, seen
        self._transits = [Transit(place, 0.0, 0.0) for place in range(places)]

    def look(self, line: LineUp, picture: Image, media_s: float) -> None:
        """Handle one frame."""
        height, width = picture.shape[:2]
        conditions = light(picture)
        self._seen.luma.append(conditions.mean)
        self._seen.dark.append(conditions.dark)
        self._seen.bright.append(conditions.bright)
        box = fit(width, height, self._engine.contract.long_side)
        faces = box.undo(self._engine.detect([box.apply(picture)])[0])
        shape = quality.geometry(faces, self._pack.recogniser.alignment, width, height)
        floor = self._pack.quality
        chosen: dict[int, int] = {}
        crops: list[Image] = []
        for place, index in line.by_place(faces).items():
            crop = cut(picture, faces.points[[index]], self._pack.recogniser.alignment)[0]
            sharp = quality.sharpness(crop)
            self.detected.add(place)
            self._seen.face_px.append(float(shape.face_px[index]))
            self._seen.yaw.append(float(shape.yaw[index]))
            self._seen.sharpness.append(sharp)
            self._seen.detail.append(detail(crop))
            good = shape.face_px[index] >= floor.probe_face_px and shape.yaw[index] <= floor.max_yaw
            wanted = self._transits[place].wants(float(shape.weight[index]), media_s)
            if good and shape.inside[index] and wanted and sharp >= floor.min_sharpness:
                self._transits[place].took(float(shape.weight[index]), media_s)
                chosen[place] = index
                crops.append(crop)
        if chosen:
            self._compare(np.stack(crops), {place: float(shape.weight[i]) for place, i in chosen.items()}, media_s)

    def _compare(self, crops: Image, weights: dict[int, float], media_s: float) -> None:
        notes = [ShotNote(TransitKey("", "", place), media_s, media_s, weight) for place, weight in weights.items()]
        candidates = self._matcher.match(self._engine.embed(crops), notes, media_s)
        for place, candidate in zip(weights, candidates, strict=True):
            if candidate is not None and self._transits[place].confirm(candidate, CONFIRM_SHOTS):
                self.alerts[place].add(candidate.entry_id)
