"""APCER and BPCER of a check (ISO/IEC 30107-3), with exact 95 % intervals, against the floor of its slot.

APCER is told for each instrument by itself, and the worst one counts: attackers choose. A face that is not detected is
no answer of the check (non-response); it is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lfr.domain.errors import SourceError
from lfr.domain.faces import Image
from lfr.domain.intervals import clopper_pearson
from lfr.domain.packs import AttackRecord, PresentationAttack
from lfr.evaluation.attack.instruments import MARGIN
from lfr.evaluation.attack.presentations import BONA_FIDE, SPECIES, Presentation, Species, Studio
from lfr.evaluation.files import read_picture
from lfr.evaluation.simulation.heads import Upright, find_head, find_upright
from lfr.evaluation.simulation.people import people_in
from lfr.vision.drawing.head import Head
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit

_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class Check(Protocol):
    """What is measured; `lfr.vision.attack.AttackCheck` is the real one."""

    def live_score(self, picture: Image, box: tuple[float, float, float, float]) -> float:
        """How live the face in the box x y w h looks, 0..1."""
        ...


@dataclass(slots=True)
class Scores:
    """Of one species. silent: presentations whose face was not detected."""

    live: list[float] = field(default_factory=list)
    silent: int = 0

    def wrong(self, species: Species, threshold: float) -> int:
        """Live faces taken for attacks, or attacks taken for live faces."""
        taken_for_attacks = sum(score < threshold for score in self.live)
        return taken_for_attacks if species == BONA_FIDE else len(self.live) - taken_for_attacks


Measured = dict[Species, Scores]


def measure(
    engine: FaceEngine,
    check: Check,
    folder: Path,
    *,
    people: int,
    seed: int,
    face_px: tuple[float, float] = (50.0, 130.0),
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Measured:
    """Everybody once in the flesh and once with each instrument that shows somebody else's face.

    Raises SourceError where the folder holds too few people with a face in it.
    """
    drawn = _draw_people(engine, folder, people, seed)
    studio = Studio(seed, face_px)
    scores: Measured = {species: Scores() for species in SPECIES}
    for number, (own, _) in enumerate(drawn):
        shown = drawn[(number + 1) % len(drawn)][1]
        for species in SPECIES:
            presentation = studio.present(number, species, own, shown)
            box = _presented(engine, presentation)
            if box is None:
                scores[species].silent += 1
            else:
                scores[species].live.append(check.live_score(presentation.picture, box))
        progress(number + 1, len(drawn))
    return scores


def record_of(measured: Measured, slot: PresentationAttack, method: str) -> AttackRecord:
    """What goes into the pack file. Raises SourceError where a species was never seen: nothing can be said then."""
    silent = [species for species in SPECIES if not measured[species].live]
    if silent:
        raise SourceError(
            f"no {silent[0]} was detected: nothing can be measured", hint="give more people, or larger faces"
        )
    rates = {species: _rate(measured[species], species, slot.threshold) for species in SPECIES}
    worst = max((species for species in SPECIES if species != BONA_FIDE), key=lambda species: rates[species][0])
    return AttackRecord(
        apcer=round(rates[worst][0], 4),
        apcer_high=round(rates[worst][2], 4),
        worst=worst,
        attacks=len(measured[worst].live),
        bpcer=round(rates[BONA_FIDE][0], 4),
        bpcer_high=round(rates[BONA_FIDE][2], 4),
        bona_fide=len(measured[BONA_FIDE].live),
        method=method,
    )


def table(measured: Measured, threshold: float) -> list[dict[str, Any]]:
    """One row for each species: how many, how many wrong at this threshold, the rate and its interval."""
    rows = []
    for species in SPECIES:
        scores = measured[species]
        share, low, high = _rate(scores, species, threshold)
        rows.append(
            {
                "species": species,
                "error": "BPCER" if species == BONA_FIDE else "APCER",
                "presentations": len(scores.live) + scores.silent,
                "non_response": scores.silent,
                "wrong": scores.wrong(species, threshold),
                "rate": round(share, 4),
                "low": round(low, 4),
                "high": round(high, 4),
            }
        )
    return rows


def trade_off(measured: Measured, thresholds: Sequence[float] = _THRESHOLDS) -> list[list[float]]:
    """[threshold, APCER of the worst instrument, BPCER] over rising thresholds: what another setting would give."""
    points = []
    for threshold in thresholds:
        worst = max(_rate(measured[species], species, threshold)[0] for species in SPECIES if species != BONA_FIDE)
        points.append([threshold, round(worst, 4), round(_rate(measured[BONA_FIDE], BONA_FIDE, threshold)[0], 4)])
    return points


def _rate(scores: Scores, species: Species, threshold: float) -> tuple[float, float, float]:
    count, of = scores.wrong(species, threshold), len(scores.live)
    return (count / of if of else 1.0), *clopper_pearson(count, of)


def _draw_people(engine: FaceEngine, folder: Path, people: int, seed: int) -> list[tuple[Head, Upright]]:
    everybody = people_in(folder)
    order = np.random.default_rng((seed, 3)).permutation(len(everybody))
    found: list[tuple[Head, Upright]] = []
    for person in (everybody[i] for i in order):
        if len(found) == people:
            break
        found += _cut_out(engine, (folder / name for name in person.pictures[:1]))
    if len(found) < max(people, 2):
        raise SourceError(
            f"{folder}: {max(people, 2)} people with a face are needed, {len(found)} are there",
            hint="lower --people or give more pictures",
        )
    return found


def _cut_out(engine: FaceEngine, paths: Iterable[Path]) -> list[tuple[Head, Upright]]:
    for path in paths:
        image = read_picture(path)
        if image is None:
            continue
        head, upright = find_head(engine, image), find_upright(engine, image, margin=MARGIN)
        if head is not None and upright is not None:
            return [(head, upright)]
    return []


def _presented(engine: FaceEngine, presentation: Presentation) -> tuple[float, float, float, float] | None:
    """The detected box of the presented face, x y w h; None where none lies there."""
    high, wide = presentation.picture.shape[:2]
    box = fit(wide, high, engine.contract.long_side)
    faces = box.undo(engine.detect([box.apply(presentation.picture)])[0])
    if not len(faces):
        return None
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    away = np.linalg.norm(middles - np.array(presentation.middle), axis=1)
    nearest = int(away.argmin())
    if away[nearest] > presentation.reach:
        return None
    x0, y0, x1, y1 = (float(value) for value in faces.boxes[nearest])
    return x0, y0, x1 - x0, y1 - y0
