"""How a camera reaches the others over Ray: bounded, retried once, never waited for without end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
from ray.exceptions import GetTimeoutError, PendingCallsLimitExceeded, RayActorError, RayTaskError

from lfr import log
from lfr.actors import plasma
from lfr.actors.doorman import Pass
from lfr.actors.inference import remaining
from lfr.actors.shell import find
from lfr.domain.alerts import AlertReceipt, Candidate, RaisedAlert
from lfr.domain.errors import LfrError, RuntimeFailed, ShotsLapsed
from lfr.domain.faces import Detections, Image, Templates
from lfr.matching.matcher import ShotNote

_log = log.get(__name__)
Answer = TypeVar("Answer")

RESTARTING_S = 60.0
"""How long a file waits for an actor that comes back; a live camera drops its frame instead."""

ALERT_PATIENCE_S = 120.0
"""How long an alert is offered to the audit writer before its loss is reported."""


def cause(error: BaseException) -> BaseException:
    """Our own error inside what Ray wraps around it, or the error itself."""
    inner = error.cause if isinstance(error, RayTaskError) else error
    return inner if isinstance(inner, BaseException) else error


class Pool:
    """The inference pool: each call goes to the least busy worker.

    patient: a file waits while a worker restarts; a live camera retries once on another one and then drops.
    """

    def __init__(self, workers: list[Any], *, patient: bool) -> None:
        self.workers = workers
        self.patient = patient
        self.busy = [0] * len(workers)

    def least_busy(self) -> int:
        """The index of a worker."""
        return min(range(len(self.workers)), key=self.busy.__getitem__)

    async def ask(self, method: str, *arguments: Any) -> Any:
        """Raises RuntimeFailed, MandateRefused."""
        deadline = time.monotonic() + RESTARTING_S
        attempt = 0
        while True:
            attempt += 1
            worker = self.least_busy()
            self.busy[worker] += 1
            try:
                call: Callable[..., Awaitable[Any]] = getattr(self.workers[worker], method).remote
                return await _answer(call(*arguments), RESTARTING_S if self.patient else 2.0)
            except RuntimeFailed:
                if self.patient and time.monotonic() < deadline:
                    await asyncio.sleep(0.2)
                elif attempt > 1:
                    raise
            except PendingCallsLimitExceeded as error:
                if not self.patient:
                    raise RuntimeFailed("the inference pool is full", hint="fewer cameras or more workers") from error
                await asyncio.sleep(0.01)
            finally:
                self.busy[worker] -= 1


class ListPorts:
    """The pool as enrolment sees it: pictures for the list, which need no mandate and meet no matcher."""

    def __init__(self, workers: list[Any]) -> None:
        self._pool = Pool(workers, patient=True)

    async def detect(self, picture: Image) -> Detections:
        """Faces of one letterboxed picture. Raises RuntimeFailed."""
        async with plasma.shared(picture) as sent:
            faces: Detections = await self._pool.ask("detect_still", sent)
            return faces

    async def embed(self, crops: Image) -> Templates:
        """Templates of enrolment crops. Raises RuntimeFailed."""
        async with plasma.shared(crops) as sent:
            templates: Templates = np.array(await self._pool.ask("embed_still", sent))
            return templates


class RayPorts:
    """The inference pool, the node's matcher and the audit writer, as one camera sees them.

    shown: what every call shows; whoever gets another mandate puts it here.
    """

    def __init__(self, workers: list[Any], matcher: str, writer: Any, shown: Pass, *, patient: bool) -> None:
        self.shown = shown
        self._pool = Pool(workers, patient=patient)
        self._matcher = matcher
        self._writer = writer

    async def detect(self, picture: Image) -> Detections:
        """Faces of one letterboxed picture. Raises RuntimeFailed, MandateRefused."""
        async with plasma.shared(picture) as sent:
            faces: Detections = await self._pool.ask("detect", self.shown, sent)
            return faces

    async def warm_up(self, side: int) -> None:
        """Walk the whole path once with black crops, to each worker: first calls take longer than a shot may live.

        Raises RuntimeFailed, MandateRefused.
        """
        for worker in self._pool.workers:
            async with plasma.shared(np.zeros((1, side, side, 3), np.uint8)) as sent:
                await _answer(worker.warm_up.remote(self.shown, sent, self._matcher), RESTARTING_S)

    async def identify(self, crops: Image, notes: list[ShotNote]) -> list[Candidate | None]:
        """Candidates of these crops, within their lifetime or not at all (D4).

        Raises ShotsLapsed when they grew too old or an actor died; a patient camera is first held until everybody
        answers again. Raises MandateRefused.
        """
        pool = self._pool
        worker = pool.least_busy()
        pool.busy[worker] += 1
        try:
            async with plasma.shared(crops) as sent:
                call = pool.workers[worker].identify.remote(self.shown, sent, notes, self._matcher)
                return await _answer(call, max(remaining(notes), 0.001))
        except PendingCallsLimitExceeded as error:
            raise ShotsLapsed("the inference pool is full", hint="fewer cameras or more workers") from error
        except RuntimeFailed as error:
            if pool.patient and not isinstance(error, ShotsLapsed):
                crops.fill(0)
                await self._recovered()
            raise ShotsLapsed(error.message, hint=error.hint) from error
        finally:
            pool.busy[worker] -= 1

    async def _recovered(self) -> None:
        """Wait until pool and matcher answer, the list loaded. Raises RuntimeFailed after a minute, MandateRefused."""
        deadline = time.monotonic() + RESTARTING_S
        while True:
            try:
                for actor in self._pool.workers:
                    await _answer(actor.contract.remote(), RESTARTING_S)
                await _answer(find(self._matcher).begin.remote(self.shown.mandate), RESTARTING_S)
            except RuntimeFailed:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def raise_alert(self, alert: RaisedAlert) -> AlertReceipt:
        """Offer the alert until it is durable. Raises RuntimeFailed after two minutes without an answer."""
        deadline = time.monotonic() + ALERT_PATIENCE_S
        pause = 0.1
        while True:
            try:
                return await _answer(self._writer.raise_alert.remote(alert), 15.0)
            except LfrError as error:
                if time.monotonic() > deadline:
                    _log.error("alert.not_durable", alert=str(alert.id), reason=error.message)
                    raise
                _log.warning("alert.retried", alert=str(alert.id), reason=error.message)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


async def _answer(reference: Awaitable[Answer], timeout: float) -> Answer:
    try:
        return await asyncio.wait_for(reference, timeout)
    except RayTaskError as error:
        inner = cause(error)
        if isinstance(inner, RayActorError):
            raise RuntimeFailed("an actor behind the inference pool died", hint="it restarts by itself") from error
        raise inner from error
    except RayActorError as error:
        raise RuntimeFailed("an actor died and is being restarted", hint="it restarts by itself") from error
    except (TimeoutError, GetTimeoutError) as error:
        raise RuntimeFailed(f"an actor did not answer within {timeout:g} s", hint="see `lfr status`") from error
