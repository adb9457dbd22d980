"""The bound: what one process without Ray could do at best with the same models and the same amount of work.

`bound` decodes every frame, runs the detector on as many frames as our run did and at the same input shape, and
computes the same number of templates in full batches. It does not track, choose, cut, match, write or serve.
`detector_bound` decodes and runs the detector on every frame, without one template.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lfr.domain.faces import Image
from lfr.evaluation.clip_frames import Ticker, fastest, frames, spread
from lfr.vision.align import side
from lfr.vision.engine import open_engine
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit
from lfr.vision.packs import LocatedPack

_BATCH = 16
_PREFIX = 50


@dataclass(frozen=True, slots=True)
class BoundRun:
    """One bound. seconds: first read to last batch, without start-up."""

    threads: int
    frames: int
    seconds: float
    detected_frames: int
    embeddings: int

    @property
    def fps(self) -> float:
        """Frames of the clip per second."""
        return self.frames / self.seconds


def run_bound(clip: Path, located: LocatedPack, *, of: int, processed: int, embeddings: int) -> BoundRun:
    """Run the bound over the whole clip with its best thread count.

    of: frames of the clip. processed: how many of them our run gave to the detector. embeddings: templates our run
    computed. Raises SourceError, and what open_engine raises.
    """
    cores = os.cpu_count() or 1

    def prefix(threads: int) -> float:
        share = min(1.0, _PREFIX / max(1, of))
        return _timed(clip, located, threads, of, processed, round(embeddings * share), limit=_PREFIX).seconds

    alone = located.pack.engine == "dlib" or cores < 2
    threads = fastest([1] if alone else [1, cores], prefix)
    return _timed(clip, located, threads, of, processed, embeddings, limit=None)


def _timed(
    clip: Path, located: LocatedPack, threads: int, of: int, processed: int, embeddings: int, *, limit: int | None
) -> BoundRun:
    engine = open_engine(located, provider="cpu", threads=threads)
    try:
        _warm_up(engine, clip)
        return _run(clip, engine, threads, of, processed, embeddings, limit)
    finally:
        engine.close()


def _warm_up(engine: FaceEngine, clip: Path) -> None:
    for _, image in frames(clip, limit=1):
        if image is not None:
            engine.detect([_fitted(engine, image)])
    engine.embed(_crops(engine, _BATCH))


def _run(
    clip: Path, engine: FaceEngine, threads: int, of: int, processed: int, embeddings: int, limit: int | None
) -> BoundRun:
    wanted = spread(processed, of)
    ticker = Ticker("bound")
    count = detected = embedded = 0
    crops = _crops(engine, _BATCH)
    started = time.perf_counter()
    for index, image in frames(clip, wanted=wanted, limit=limit):
        count = index + 1
        if image is not None:
            engine.detect([_fitted(engine, image)])
            detected += 1
        if embeddings * count // max(1, min(of, limit or of)) - embedded >= _BATCH:
            engine.embed(crops)
            embedded += _BATCH
        ticker.tell(index)
    while embedded < embeddings:
        rest = min(_BATCH, embeddings - embedded)
        engine.embed(crops[:rest])
        embedded += rest
    return BoundRun(threads, count, time.perf_counter() - started, detected, embedded)


def _fitted(engine: FaceEngine, image: Image) -> Image:
    return fit(image.shape[1], image.shape[0], engine.contract.long_side).apply(image)


def _crops(engine: FaceEngine, count: int) -> Image:
    length = side(engine.contract.alignment)
    # What is in a crop costs a recogniser nothing: noise will do.
    return np.random.default_rng(0).integers(0, 256, (count, length, length, 3)).astype(np.uint8)
