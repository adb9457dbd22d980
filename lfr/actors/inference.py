"""One member of the inference pool: detects and embeds in batches over all cameras.

Templates go from here to the matcher and nowhere else; the camera hears of candidates only. Nothing of a camera is
detected or embedded without a mandate for that camera (A1): it is asked for when the call comes and again when its
turn has come. Pictures for the list come another way (`detect_still`, `embed_still`), which leads to no matcher.
"""

from __future__ import annotations

import asyncio
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
import ray

from lfr.actors import plasma
from lfr.actors.batching import Batcher
from lfr.actors.doorman import Doorman, Pass, Trust
from lfr.actors.shell import Shell, find
from lfr.config import Inference
from lfr.domain.ages import Ages
from lfr.domain.alerts import Candidate
from lfr.domain.errors import MandateRefused, ShotsLapsed
from lfr.domain.faces import Detections, Image, Templates
from lfr.matching.fusion import LIFETIME_S
from lfr.matching.matcher import ShotNote
from lfr.vision.align import side
from lfr.vision.attest import attested_bundle
from lfr.vision.engine import open_engine
from lfr.vision.engine.base import EngineContract, FaceEngine
from lfr.vision.packs import LocatedPack

Answer = TypeVar("Answer")

EMBED_BEFORE_S = 0.7
"""Age of a frame after which its crops are not embedded any more: the template would not live to be compared."""


class Face(NamedTuple):
    """Crops that wait to be embedded. until: wall time after which no template may be made of them any more (D4).

    shown: what the camera's call showed; None for pictures of the list.
    """

    crops: Image
    until: float
    shown: Pass | None


class Sight(NamedTuple):
    """A picture that waits to be searched for faces. shown: as above."""

    picture: Image
    shown: Pass | None


class InferenceWorker:
    """The plain object: one engine, one thread, two batch queues, one doorman.

    detected, embedded: pictures and faces of cameras that the models have really seen.
    """

    def __init__(self, engine: FaceEngine, options: Inference, thread: ThreadPoolExecutor, doorman: Doorman) -> None:
        self.engine = engine
        self.ages = Ages()
        self.detected = 0
        self.embedded = 0
        self._doorman = doorman
        age = options.batch_age_ms / 1000
        waiting = options.max_pending * 8
        self.detecting: Batcher[Sight, Detections | MandateRefused] = Batcher(
            self._detect, thread, max_size=options.batch_size, max_age_s=age, max_waiting=waiting
        )
        self.embedding: Batcher[Face, Templates | MandateRefused | None] = Batcher(
            self._embed, thread, max_size=options.batch_size, max_age_s=age, max_waiting=waiting
        )

    async def detect(self, picture: Image, shown: Pass | None) -> Detections:
        """Raises MandateRefused."""
        if shown is not None:
            self._doorman.check(shown)
        return _given(await self.detecting.submit(Sight(picture, shown)))

    async def embed(self, crops: Image, until: float, shown: Pass | None) -> Templates | None:
        """None: it is later than `until`. Raises MandateRefused."""
        if shown is not None:
            self._doorman.check(shown)
        return _given(await self.embedding.submit(Face(crops, until, shown)))

    def _refusal(self, shown: Pass | None) -> MandateRefused | None:
        """Why this must not be done now, after all: a mandate may have ended while the item waited."""
        if shown is None:
            return None
        try:
            self._doorman.check(shown)
        except MandateRefused as error:
            return error
        return None

    def warm_up(self) -> None:
        """Run both models once: the first run of a session can take longer than a shot may live."""
        contract = self.engine.contract
        high = -(-contract.long_side * 9 // 16 // 32) * 32
        self.engine.detect([np.zeros((high, contract.long_side, 3), np.uint8)])
        self.engine.embed(np.zeros((1, side(contract.alignment), side(contract.alignment), 3), np.uint8))

    def _detect(self, items: list[Sight]) -> list[Detections | MandateRefused]:
        """Pictures of one shape go together; cameras of several sizes make several calls."""
        found: list[Detections | MandateRefused | None] = [self._refusal(item.shown) for item in items]
        wanted = [i for i, refusal in enumerate(found) if refusal is None]
        for shape in {items[i].picture.shape for i in wanted}:
            rows = [i for i in wanted if items[i].picture.shape == shape]
            for row, faces in zip(rows, self.engine.detect([items[i].picture for i in rows]), strict=True):
                found[row] = faces
        self.detected += sum(items[i].shown is not None for i in wanted)
        return [faces for faces in found if faces is not None]

    def _embed(self, items: list[Face]) -> list[Templates | MandateRefused | None]:
        now = time.time()
        answers: list[Templates | MandateRefused | None] = [self._refusal(item.shown) for item in items]
        wanted = [i for i, item in enumerate(items) if answers[i] is None and now < item.until]
        if not wanted:
            return answers
        together = np.concatenate([items[i].crops for i in wanted])
        templates = self.engine.embed(together)
        together.fill(0)
        ends = np.cumsum([len(items[i].crops) for i in wanted])
        for i, part in zip(wanted, np.split(templates, ends[:-1]), strict=True):
            answers[i] = np.array(part)
        templates.fill(0)
        self.embedded += sum(len(items[i].crops) for i in wanted if items[i].shown is not None)
        return answers


class InferenceActor(Shell):
    """One engine on one GPU or on some cores."""

    kind = "inference"
    max_concurrency = 256

    def __init__(
        self,
        name: str,
        folder: str,
        log_level: str,
        located: LocatedPack,
        options: Inference,
        threads: int,
        trust: Trust,
    ) -> None:
        super().__init__(name, folder, log_level)
        self._doorman = Doorman(trust.anchor(attested_bundle(located, trust.bundle)), self.folder)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        opening = self._thread.submit(
            open_engine, located, provider=options.provider, threads=threads, gpu_memory_mb=options.gpu_memory_mb
        )
        self._matchers: dict[str, Any] = {}
        self._worker = InferenceWorker(opening.result(), options, self._thread, self._doorman)
        self._thread.submit(self._worker.warm_up).result()

    async def contract(self) -> EngineContract:
        """What the engine takes and gives; also the sign that it is ready."""
        return self._worker.engine.contract

    async def detect(self, shown: Pass, carried: list[Any]) -> Detections:
        """Faces of one letterboxed picture, carried by reference. Raises MandateRefused."""
        return await self._worker.detect(await carried[0], shown)

    async def identify(
        self, shown: Pass, carried: list[Any], notes: list[ShotNote], matcher: str
    ) -> list[Candidate | None]:
        """Templates of the crops, fused and compared by `matcher`; only candidates come back.

        Raises MandateRefused, from here or from the matcher; ShotsLapsed.
        """
        until = min(note.stamped_at for note in notes) + EMBED_BEFORE_S
        templates = await self._worker.embed(await carried[0], until, shown)
        if templates is None:
            raise ShotsLapsed("the shots were too old before their turn came")
        try:
            async with plasma.shared(templates) as sent:
                call = self._matcher(matcher).match.remote(shown, sent, notes)
                answer: list[Candidate | None] = await asyncio.wait_for(call, max(remaining(notes), 0.001))
        except TimeoutError as error:
            raise ShotsLapsed("the matcher did not answer within the shots' lifetime") from error
        finally:
            templates.fill(0)
            self._count_ages(notes)
        return answer

    async def warm_up(self, shown: Pass, carried: list[Any], matcher: str) -> None:
        """The same way as `identify`, with crops of nobody: nothing is fused, and no age is counted."""
        templates = await self._worker.embed(await carried[0], math.inf, shown)
        assert templates is not None
        async with plasma.shared(templates) as sent:
            await self._matcher(matcher).warm_up.remote(shown, sent)

    def _matcher(self, name: str) -> Any:
        if name not in self._matchers:
            self._matchers[name] = find(name)
        return self._matchers[name]

    async def detect_still(self, carried: list[Any]) -> Detections:
        """Faces of one letterboxed picture that is to be listed."""
        return await self._worker.detect(await carried[0], None)

    async def embed_still(self, carried: list[Any]) -> Templates:
        """Templates of enrolment crops: listed people only, on their way to the vault."""
        templates = await self._worker.embed(await carried[0], math.inf, None)
        assert templates is not None
        return templates

    async def revoke(self, mandate_id: UUID) -> None:
        """This mandate opens nothing here any more; what waits with it is refused when its turn comes."""
        self._doorman.revoke(mandate_id)

    async def bar(self, deployment_id: UUID, until: float) -> None:
        """A stop or an end: no mandate of this deployment issued up to `until` opens anything here any more."""
        self._doorman.bar(deployment_id, until)

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
            "refused": dict(self._doorman.refused),
            "detected": worker.detected,
            "embedded": worker.embedded,
        }


def _given(answer: Answer | MandateRefused) -> Answer:
    if isinstance(answer, MandateRefused):
        raise answer
    return answer


def remaining(notes: list[ShotNote]) -> float:
    """Seconds until the oldest of these shots must be overwritten (D4)."""
    return min(note.stamped_at for note in notes) + LIFETIME_S - time.time()
