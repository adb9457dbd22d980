"""One member of the inference pool: detects and embeds in batches over all cameras.

Templates go from here to the matcher and nowhere else; the camera hears of candidates only.
"""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import ray

from lfr.actors import plasma
from lfr.actors.batching import Batcher
from lfr.actors.shell import Shell, find
from lfr.config import Inference
from lfr.domain.ages import Ages
from lfr.domain.alerts import Candidate
from lfr.domain.errors import ShotsLapsed
from lfr.domain.faces import Detections, Image, Templates
from lfr.matching.fusion import LIFETIME_S
from lfr.matching.matcher import ShotNote
from lfr.vision.align import side
from lfr.vision.engine import open_engine
from lfr.vision.engine.base import EngineContract, FaceEngine
from lfr.vision.packs import LocatedPack

EMBED_BEFORE_S = 0.7
"""Age of a frame after which its crops are not embedded any more: the template would not live to be compared."""


class InferenceWorker:
    """The plain object: one engine, one thread, two batch queues."""

    def __init__(self, engine: FaceEngine, options: Inference, thread: ThreadPoolExecutor) -> None:
        self.engine = engine
        self.ages = Ages()
        age = options.batch_age_ms / 1000
        waiting = options.max_pending * 8
        self.detecting: Batcher[Image, Detections] = Batcher(
            self._detect, thread, max_size=options.batch_size, max_age_s=age, max_waiting=waiting
        )
        self.embedding: Batcher[tuple[Image, float], Templates | None] = Batcher(
            self._embed, thread, max_size=options.batch_size, max_age_s=age, max_waiting=waiting
        )

    def warm_up(self) -> None:
        """Run both models once: the first run of a session can take longer than a shot may live."""
        contract = self.engine.contract
        high = -(-contract.long_side * 9 // 16 // 32) * 32
        self.engine.detect([np.zeros((high, contract.long_side, 3), np.uint8)])
        self.engine.embed(np.zeros((1, side(contract.alignment), side(contract.alignment), 3), np.uint8))

    def _detect(self, pictures: list[Image]) -> list[Detections]:
        """Pictures of one shape go together; cameras of several sizes make several calls."""
        found: list[Detections | None] = [None] * len(pictures)
        for shape in {picture.shape for picture in pictures}:
            rows = [i for i, picture in enumerate(pictures) if picture.shape == shape]
            for row, faces in zip(rows, self.engine.detect([pictures[i] for i in rows]), strict=True):
                found[row] = faces
        return [faces for faces in found if faces is not None]

    def _embed(self, items: list[tuple[Image, float]]) -> list[Templates | None]:
        """Crops with the wall time after which no template may be made of them any more: None then (D4)."""
        now = time.time()
        wanted = [crops for crops, until in items if now < until]
        if not wanted:
            return [None] * len(items)
        together = np.concatenate(wanted)
        templates = self.engine.embed(together)
        together.fill(0)
        ends = np.cumsum([len(group) for group in wanted])
        parts = iter([np.array(part) for part in np.split(templates, ends[:-1])])
        templates.fill(0)
        return [next(parts) if now < until else None for _, until in items]


class InferenceActor(Shell):
    """One engine on one GPU or on some cores."""

    kind = "inference"
    max_concurrency = 256

    def __init__(
        self, name: str, folder: str, log_level: str, located: LocatedPack, options: Inference, threads: int
    ) -> None:
        super().__init__(name, folder, log_level)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        opening = self._thread.submit(
            open_engine, located, provider=options.provider, threads=threads, gpu_memory_mb=options.gpu_memory_mb
        )
        self._matchers: dict[str, Any] = {}
        self._worker = InferenceWorker(opening.result(), options, self._thread)
        self._thread.submit(self._worker.warm_up).result()

    async def contract(self) -> EngineContract:
        """What the engine takes and gives; also the sign that it is ready."""
        return self._worker.engine.contract

    async def detect(self, carried: list[Any]) -> Detections:
        """Faces of one letterboxed picture, carried by reference."""
        return await self._worker.detecting.submit(await carried[0])

    async def identify(self, carried: list[Any], notes: list[ShotNote], matcher: str) -> list[Candidate | None]:
        """Templates of the crops, fused and compared by `matcher`; only candidates come back."""
        until = min(note.stamped_at for note in notes) + EMBED_BEFORE_S
        templates = await self._worker.embedding.submit((await carried[0], until))
        if templates is None:
            raise ShotsLapsed("the shots were too old before their turn came")
        try:
            async with plasma.shared(templates) as sent:
                call = self._matcher(matcher).match.remote(sent, notes)
                answer: list[Candidate | None] = await asyncio.wait_for(call, max(remaining(notes), 0.001))
        except TimeoutError as error:
            raise ShotsLapsed("the matcher did not answer within the shots' lifetime") from error
        finally:
            templates.fill(0)
            self._count_ages(notes)
        return answer

    async def warm_up(self, carried: list[Any], matcher: str) -> None:
        """The same way as `identify`, with crops of nobody: nothing is fused, and no age is counted."""
        templates = await self.embed(carried)
        async with plasma.shared(templates) as sent:
            await self._matcher(matcher).warm_up.remote(sent)

    def _matcher(self, name: str) -> Any:
        if name not in self._matchers:
            self._matchers[name] = find(name)
        return self._matchers[name]

    async def embed(self, carried: list[Any]) -> Templates:
        """Templates of enrolment crops: listed people only, on their way to the vault."""
        templates = await self._worker.embedding.submit((await carried[0], math.inf))
        assert templates is not None
        return templates

    def _count_ages(self, notes: list[ShotNote]) -> None:
        now = time.time()
        for note in notes:
            self._worker.ages.add(now - note.stamped_at)

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, the ages of its templates, its batches."""
        worker = self._worker
        return {
            "who": self.who(),
            "ages": worker.ages.dump(),
            "batches": worker.detecting.batches + worker.embedding.batches,
            "items": worker.detecting.items + worker.embedding.items,
            "providers": worker.engine.contract.providers,
        }


def remaining(notes: list[ShotNote]) -> float:
    """Seconds until the oldest of these shots must be overwritten (D4)."""
    return min(note.stamped_at for note in notes) + LIFETIME_S - time.time()
