"""Made transits: a still that comes nearer, turned, blurred, noisy and compressed, through the pack's own path.

Detector, recogniser, shot rules and fusion are those of a live camera. What comes out is, for each person who passes,
scores against a list: of the fused transit, and of its single best shot, so that both can be compared on the same walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.ages import Ages
from lfr.domain.errors import SourceError
from lfr.domain.faces import Detections, Image, Templates
from lfr.domain.packs import Pack
from lfr.domain.transit import Transit
from lfr.evaluation.files import read_picture
from lfr.evaluation.openset import similarity
from lfr.matching.fusion import Shot, TransitFusion
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit

CANVAS = (1280, 720)
_COLUMNS, _ROWS = 4, 2
_FPS = 12.5
_FRAMES = 36
_BLOCK = 40


@dataclass(frozen=True, slots=True)
class Passages:
    """Scores of those who were seen, float32 (seen, listed). walkers: int64 (seen,), which of the walkers they were.

    fused: the best over the transit's fused templates, against each listed picture. single: of the shot with the
    highest weight alone.
    """

    walkers: NDArray[np.int64]
    fused: NDArray[np.float32]
    single: NDArray[np.float32]
    missed: int


def pass_by(
    engines: Sequence[FaceEngine],
    pack: Pack,
    walkers: Sequence[Path],
    listed: Templates,
    seed: int,
    progress: Callable[[int, int], None],
) -> Passages:
    """Let each walker pass by once. listed: float32 (n, dim). Raises SourceError on a file that is no picture.

    Each engine works in a thread of its own; each block of walkers has a seed of its own, so that the number of engines
    changes nothing.
    """
    idle: SimpleQueue[FaceEngine] = SimpleQueue()
    for engine in engines:
        idle.put(engine)

    def block(start: int) -> Passages:
        engine = idle.get()
        try:
            return _block(engine, pack, walkers[start : start + _BLOCK], listed, np.random.default_rng([seed, start]))
        finally:
            idle.put(engine)

    starts = range(0, len(walkers), _BLOCK)
    done = 0
    with ThreadPoolExecutor(len(engines)) as pool:
        futures = [pool.submit(block, start) for start in starts]
        for finished in as_completed(futures):
            part = finished.result()
            done += len(part.walkers) + part.missed
            progress(done, len(walkers))
    parts = [future.result() for future in futures]
    whose = [part.walkers + start for part, start in zip(parts, starts, strict=True)]
    none = np.zeros((0, len(listed)), np.float32)
    return Passages(
        walkers=np.concatenate([np.zeros(0, np.int64), *whose]),
        fused=np.concatenate([none, *(part.fused for part in parts)]),
        single=np.concatenate([none, *(part.single for part in parts)]),
        missed=sum(part.missed for part in parts),
    )


def _block(
    engine: FaceEngine, pack: Pack, walkers: Sequence[Path], listed: Templates, rng: np.random.Generator
) -> Passages:
    seen: list[int] = []
    fused: list[NDArray[np.float32]] = []
    single: list[NDArray[np.float32]] = []
    group = _COLUMNS * _ROWS
    for start in range(0, len(walkers), group):
        for place, passage in _group(engine, pack, walkers[start : start + group], listed, rng).items():
            seen.append(start + place)
            fused.append(passage.fused)
            single.append(passage.single)
    shape = (len(seen), len(listed))
    return Passages(
        walkers=np.array(seen, np.int64),
        fused=np.array(fused, np.float32).reshape(shape),
        single=np.array(single, np.float32).reshape(shape),
        missed=len(walkers) - len(seen),
    )


@dataclass(slots=True)
class _Passage:
    """One walker so far."""

    fused: NDArray[np.float32]
    single: NDArray[np.float32]


def _group(
    engine: FaceEngine, pack: Pack, walkers: Sequence[Path], listed: Templates, rng: np.random.Generator
) -> dict[int, _Passage]:
    """One group of walkers, each in a cell of the canvas of its own, so that no tracker is needed."""
    stills = [_still(path) for path in walkers]
    walks = [_Walk(rng) for _ in stills]
    metric = pack.recogniser.metric
    fusion = TransitFusion(metric, Ages())
    transits = {i: Transit(i, 0.0, 0.0) for i in range(len(stills))}
    singles: dict[int, tuple[float, NDArray[np.float32]]] = {}
    found: dict[int, _Passage] = {}
    for step in range(_FRAMES):
        media_s = step / _FPS
        frame = _draw(stills, walks, step / (_FRAMES - 1), rng)
        for cell, weight, crop in _shots(engine, pack, frame, transits, media_s):
            transits[cell].took(weight, media_s)
            template = engine.embed(crop)[0]
            if cell not in singles or weight > singles[cell][0]:
                singles[cell] = weight, similarity(template[None], listed, metric)[0]
            fusion.add(cell, Shot(media_s, media_s, weight, template), media_s)
            if len(fusion.window(cell)) > 1:  # one shot alone raises no alert
                scores = similarity(fusion.fused(cell)[None], listed, metric)[0]
                best = np.maximum(found[cell].fused, scores) if cell in found else scores
                found[cell] = _Passage(best, singles[cell][1])
    return found


def _shots(
    engine: FaceEngine, pack: Pack, frame: Image, transits: dict[int, Transit], media_s: float
) -> Iterator[tuple[int, float, Image]]:
    """Cell, weight and crop (1, side, side, 3) of each face that is good enough and that its transit wants."""
    box = fit(*CANVAS, pack.detector.long_side)
    faces = box.undo(engine.detect([box.apply(frame)])[0])
    shape = quality.geometry(faces, pack.recogniser.alignment, *CANVAS)
    good = (shape.face_px >= pack.quality.probe_face_px) & (shape.yaw <= pack.quality.max_yaw)
    weights = shape.weight
    for cell, i in _by_cell(faces, len(transits)).items():
        weight = float(weights[i])
        if good[i] and transits[cell].wants(weight, media_s):
            crop = cut(frame, faces.points[[i]], pack.recogniser.alignment)
            if quality.sharpness(crop[0]) >= pack.quality.min_sharpness:
                yield cell, weight, crop


def _still(path: Path) -> Image:
    image = read_picture(path)
    if image is None:
        raise SourceError(f"{path.name} is no picture", hint="take it out of the folder")
    return image


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
    noisy = frame + 4 * rng.standard_normal(frame.shape, np.float32)
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
