"""Calibrating a pack: how high unlisted people score, transit by transit, on faces that no scored clip shows.

Made transits (a still that comes nearer, turned, blurred, noisy, compressed) go through the pack's own detector,
recogniser, shot rules and fusion. Each is compared with a list of other people; the best fused score of each transit
against each entry is one comparison. From these the rate of false matches per comparison is read as far as the data
reach, and carried on as an exponential tail beyond that (peaks over threshold, Pickands 1975; said to be extrapolated).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.ages import Ages
from lfr.domain.errors import SourceError
from lfr.domain.faces import Detections, Image, Templates
from lfr.domain.packs import Calibration, Pack
from lfr.domain.transit import Transit
from lfr.matching.fusion import Shot, TransitFusion
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit
from lfr.vision.stills import find_faces

CANVAS = (1280, 720)
_COLUMNS, _ROWS = 4, 2
_FPS = 12.5
_FRAMES = 36
_DECADES = (-1.0, -1.5, -2.0, -2.5, -3.0, -3.5, -4.0, -4.5, -5.0, -5.5, -6.0, -6.5, -7.0)


@dataclass(frozen=True, slots=True)
class Tail:
    """scores: best fused score of every transit against every entry, float32 (transits, entries)."""

    scores: NDArray[np.float32]
    seen: int
    missed: int


def identities(folder: Path, without: set[str]) -> list[Path]:
    """One picture of each person (folder per person) not named in `without`. Raises SourceError if there is none."""
    people = [d for d in sorted(folder.iterdir()) if d.is_dir() and d.name not in without]
    pictures = [found[0] for d in people if (found := sorted(p for p in d.iterdir() if p.is_file()))]
    if not pictures:
        raise SourceError(f"no folders of pictures in {folder}", hint="one folder for each person")
    return pictures


def measure(
    engine: FaceEngine,
    pack: Pack,
    walkers: Sequence[Path],
    listed: Sequence[Path],
    seed: int,
    progress: Callable[[int, int], None],
) -> Tail:
    """Let `walkers` pass by and compare each with every one of `listed`. No walker may be listed."""
    gallery = _enrol(engine, pack, listed)
    rng = np.random.default_rng(seed)
    rows: list[NDArray[np.float32]] = []
    group = _COLUMNS * _ROWS
    for start in range(0, len(walkers), group):
        rows += _pass_by(engine, pack, walkers[start : start + group], gallery, rng)
        progress(min(start + group, len(walkers)), len(walkers))
    scores = np.array(rows, np.float32).reshape(-1, len(gallery))
    return Tail(scores, len(scores), len(walkers) - len(scores))


def fit_tail(tail: Tail, method: str, target_fpir: float) -> Calibration:
    """The false match rate as pairs (log10 of the rate per comparison, score). Raises SourceError on too few."""
    scores = np.sort(tail.scores.ravel())[::-1]
    if len(scores) < 10_000:
        raise SourceError(f"{len(scores)} comparisons say too little about rare errors", hint="give more people")
    measured = [d for d in _DECADES if len(scores) * 10**d >= 20]
    points = [(d, float(scores[math.ceil(len(scores) * 10**d) - 1])) for d in measured]
    # Beyond twenty events the score rises by a constant for each decade, as over the last one measured. The median
    # excess says how fast: a few people who stand in the set under two names must not stretch the tail.
    top = scores[: max(20, int(len(scores) * 10 ** (measured[-1] + 1)))]
    per_decade = float(np.median(top - top[-1])) / math.log(2) * math.log(10)
    for decade in [d for d in _DECADES if d < measured[-1]]:
        points.append((decade, points[len(measured) - 1][1] + per_decade * (measured[-1] - decade)))
    return Calibration(
        method=method,
        fmr=tuple((decade, round(score, 4)) for decade, score in points),
        measured_to=measured[-1],
        transits=tail.seen,
        comparisons=len(scores),
        target_fpir=target_fpir,
    )


def _enrol(engine: FaceEngine, pack: Pack, listed: Sequence[Path]) -> Templates:
    crops = []
    for path in listed:
        image = _still(path)
        faces = find_faces(engine, image)
        if len(faces):
            crops.append(cut(image, faces.points[[_central(faces, image)]], pack.recogniser.alignment)[0])
    return np.concatenate([engine.embed(np.stack(crops[i : i + 32])) for i in range(0, len(crops), 32)])


def _still(path: Path) -> Image:
    image = cv2.imread(str(path))
    if image is None:
        raise SourceError(f"{path.name} is no picture", hint="take it out of the folder")
    return np.asarray(image, np.uint8)


def _central(faces: Detections, image: Image) -> int:
    middle = np.array(image.shape[1::-1]) / 2
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    return int(np.linalg.norm(centres - middle, axis=1).argmin())


def _pass_by(
    engine: FaceEngine, pack: Pack, walkers: Sequence[Path], gallery: Templates, rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """One group of walkers, each in a cell of the canvas of its own, so that no tracker is needed."""
    stills = [_still(path) for path in walkers]
    walks = [_Walk(rng) for _ in stills]
    fusion = TransitFusion(pack.recogniser.metric, Ages())
    transits = {i: Transit(i, 0.0, 0.0) for i in range(len(stills))}
    best: dict[int, NDArray[np.float32]] = {}
    for step in range(_FRAMES):
        media_s = step / _FPS
        frame = _draw(stills, walks, step / (_FRAMES - 1), rng)
        box = fit(*CANVAS, pack.detector.long_side)
        faces = box.undo(engine.detect([box.apply(frame)])[0])
        shape = quality.geometry(faces, pack.recogniser.alignment, *CANVAS)
        weights = shape.weight
        for cell, i in _by_cell(faces, len(stills)).items():
            good = shape.face_px[i] >= pack.quality.probe_face_px and shape.yaw[i] <= pack.quality.max_yaw
            if not good or not transits[cell].wants(float(weights[i]), media_s):
                continue
            crop = cut(frame, faces.points[[i]], pack.recogniser.alignment)
            if quality.sharpness(crop[0]) < pack.quality.min_sharpness:
                continue
            transits[cell].took(float(weights[i]), media_s)
            fusion.add(cell, Shot(media_s, media_s, float(weights[i]), engine.embed(crop)[0]), media_s)
            if len(fusion.window(cell)) > 1:  # one shot alone raises no alert
                scores = similarity(fusion.fused(cell), gallery, pack)
                best[cell] = np.maximum(best[cell], scores) if cell in best else scores
    return list(best.values())


def similarity(template: Templates, gallery: Templates, pack: Pack) -> NDArray[np.float32]:
    """Scores of one template (dim,) against all of (n, dim): float32 (n,)."""
    if pack.recogniser.metric == "cosine":
        return np.asarray(gallery @ template, np.float32)
    return np.asarray(1.0 - np.linalg.norm(gallery - template, axis=1), np.float32)


class _Walk:
    """How one person comes nearer: sizes, places, turns and exposure, drawn once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.near, self.far = rng.uniform(70, 150), rng.uniform(26, 60)
        self.turn, self.wave = rng.uniform(-10, 10), rng.uniform(0, 6.3)
        self.shear = rng.uniform(-0.12, 0.12)
        self.gain, self.lift = rng.uniform(0.7, 1.2), rng.uniform(-20, 20)
        self.blur = rng.uniform(0.0, 1.2)
        self.smear = int(rng.integers(1, 5))

    def matrix(self, done: float, still: Image, centre: tuple[float, float]) -> NDArray[np.float64]:
        """The still's pixels onto the canvas. In a portrait still the face fills about two fifths of the width."""
        scale = (self.far + (self.near - self.far) * done**1.5) / (0.4 * still.shape[1])
        angle = math.radians(self.turn + 5 * math.sin(self.wave + 7 * done))
        turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turn = turn @ np.array([[1.0, self.shear * math.sin(self.wave + 4 * done)], [0.0, 1.0]])
        bob = np.array([6 * math.sin(9 * done + self.wave), 4 * math.sin(25 * done)])
        middle = np.array(still.shape[1::-1]) / 2
        return np.column_stack([turn, np.array(centre) + bob - turn @ middle])


def _draw(stills: Sequence[Image], walks: Sequence[_Walk], done: float, rng: np.random.Generator) -> Image:
    frame: Image = np.full((CANVAS[1], CANVAS[0], 3), 96, np.uint8)
    wide, high = CANVAS[0] // _COLUMNS, CANVAS[1] // _ROWS
    for cell, (still, walk) in enumerate(zip(stills, walks, strict=True)):
        x, y = cell % _COLUMNS * wide, cell // _COLUMNS * high
        part = cv2.warpAffine(
            still, walk.matrix(done, still, (wide / 2, high / 2)), (wide, high), flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        part = cv2.GaussianBlur(part, (0, 0), 0.4 + walk.blur)
        part = cv2.blur(part, (walk.smear, 1))
        frame[y : y + high, x : x + wide] = cv2.convertScaleAbs(part, alpha=walk.gain, beta=walk.lift)
    noisy = frame + rng.normal(0, 4, frame.shape).astype(np.float32)
    _, data = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 55])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _by_cell(faces: Detections, cells: int) -> dict[int, int]:
    """The largest face of each cell."""
    found: dict[int, int] = {}
    wide, high = CANVAS[0] // _COLUMNS, CANVAS[1] // _ROWS
    widths = faces.boxes[:, 2] - faces.boxes[:, 0]
    for i in np.argsort(widths):
        x, y = (faces.boxes[i, :2] + faces.boxes[i, 2:]) / 2
        cell = int(y // high) * _COLUMNS + int(x // wide)
        if 0 <= cell < cells:
            found[cell] = int(i)
    return found
