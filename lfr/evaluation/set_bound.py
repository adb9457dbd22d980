"""What evaluating a set costs at least: its pictures decoded already, each detected once and embedded once, no more.

Our side reads and decodes files, looks again where the first look fails, measures quality, cuts and keeps books.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lfr.domain.errors import SourceError
from lfr.domain.faces import Image
from lfr.evaluation.embed_set import embed_set
from lfr.evaluation.files import read_picture
from lfr.vision.align import side
from lfr.vision.engine import open_engine
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit
from lfr.vision.packs import LocatedPack

_BATCH = 16


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Pictures per second. workers x threads: the faster of one engine with all cores and one engine for each core."""

    pictures: int
    ours: float
    bound: float
    bound_workers: int
    bound_threads: int

    @property
    def share(self) -> float:
        """Ours by the bound."""
        return self.ours / self.bound


def set_engines(located: LocatedPack) -> list[FaceEngine]:
    """The engines that evaluation uses: one with a single thread for each core; one alone for dlib."""
    count = 1 if located.pack.engine == "dlib" else os.cpu_count() or 1
    return [open_engine(located, provider="cpu", threads=1) for _ in range(count)]


def measure_speed(located: LocatedPack, pictures: Sequence[Path], progress: Callable[[int, int], None]) -> SetSpeed:
    """Measure both sides in turn, twice, on the same pictures; the better of two counts. Raises SourceError on none."""
    images = [image for image in map(read_picture, pictures) if image is not None]
    if not images:
        raise SourceError("no picture to measure with", hint="give a folder of folders of pictures")
    cores = os.cpu_count() or 1
    shapes = [(1, 1)] if located.pack.engine == "dlib" or cores == 1 else [(1, cores), (cores, 1)]
    ours = 0.0
    best = dict.fromkeys(shapes, 0.0)
    for turn in range(2):
        ours = max(ours, _ours(located, pictures))
        for shape in shapes:
            best[shape] = max(best[shape], _raw(located, images, *shape))
        progress(turn + 1, 2)
    workers, threads = max(shapes, key=lambda shape: best[shape])
    return SetSpeed(len(images), ours, best[workers, threads], workers, threads)


def _ours(located: LocatedPack, pictures: Sequence[Path]) -> float:
    engines = set_engines(located)
    try:
        for engine in engines:
            _warm_up(engine)
        return len(pictures) / embed_set(engines, located.pack, pictures, lambda *_: None).seconds
    finally:
        for engine in engines:
            engine.close()


def _raw(located: LocatedPack, images: Sequence[Image], workers: int, threads: int) -> float:
    engines = [open_engine(located, provider="cpu", threads=threads) for _ in range(workers)]
    fitted = [fit(i.shape[1], i.shape[0], engines[0].contract.long_side).apply(i) for i in images]
    try:
        for engine in engines:
            _warm_up(engine)
        started = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(_work, engines, [fitted[number::workers] for number in range(workers)]))
        return len(images) / (time.perf_counter() - started)
    finally:
        for engine in engines:
            engine.close()


def _work(engine: FaceEngine, fitted: Sequence[Image]) -> None:
    crops = _crops(engine)
    for start in range(0, len(fitted), _BATCH):
        part = fitted[start : start + _BATCH]
        for picture in part:
            engine.detect([picture])
        engine.embed(crops[: len(part)])


def _warm_up(engine: FaceEngine) -> None:
    engine.detect([np.zeros((64, 64, 3), np.uint8)])
    engine.embed(_crops(engine))


def _crops(engine: FaceEngine) -> Image:
    length = side(engine.contract.alignment)
    # What is in a crop costs a recogniser nothing: noise will do.
    return np.random.default_rng(0).integers(0, 256, (_BATCH, length, length, 3)).astype(np.uint8)
