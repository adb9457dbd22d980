"""The bound of an import: the same detections and as many templates on the same engines, and nothing else.

Pictures lie decoded in memory; nothing is read, checked, cut, sealed or written.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from lfr.domain.faces import Detections, Image, Templates
from lfr.vision.align import side
from lfr.vision.engine.base import EngineContract, FaceEngine
from lfr.vision.letterbox import fit

_BATCH = 16


@dataclass
class Counted:
    """An engine that counts what is asked of it."""

    engine: FaceEngine
    looks: int = 0
    templates: int = 0

    @property
    def contract(self) -> EngineContract:
        """The engine's own."""
        return self.engine.contract

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """The engine's answer."""
        self.looks += len(pictures)
        return self.engine.detect(pictures)

    def embed(self, crops: Image) -> Templates:
        """The engine's answer."""
        self.templates += len(crops)
        return self.engine.embed(crops)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def enrol_bound(engines: Sequence[FaceEngine], pictures: Sequence[Image], *, looks: int, templates: int) -> float:
    """Seconds for so many detector looks at the pictures, in turn, and so many templates in batches of 16.

    pictures: uint8 (h, w, 3) BGR. One thread for each engine, each with its share.
    """
    count = len(engines)
    with ThreadPoolExecutor(count) as threads:
        started = time.perf_counter()
        shares = [
            threads.submit(
                _share,
                engine,
                [pictures[look % len(pictures)] for look in range(number, looks, count)],
                len(range(number, templates, count)),
            )
            for number, engine in enumerate(engines)
        ]
        for share in shares:
            share.result()
        return time.perf_counter() - started


def _share(engine: FaceEngine, pictures: Sequence[Image], templates: int) -> None:
    length = side(engine.contract.alignment)
    # What is in a crop costs a recogniser nothing: noise will do.
    crops = np.random.default_rng(0).integers(0, 256, (_BATCH, length, length, 3)).astype(np.uint8)
    embedded = 0
    for done, picture in enumerate(pictures, start=1):
        height, width = picture.shape[:2]
        engine.detect([fit(width, height, engine.contract.long_side).apply(picture)])
        if templates * done // len(pictures) - embedded >= _BATCH:
            engine.embed(crops)
            embedded += _BATCH
    while embedded < templates:
        rest = min(_BATCH, templates - embedded)
        engine.embed(crops[:rest])
        embedded += rest
