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


class RayPorts:
    """The inference pool, the node's matcher and the audit writer, as one camera sees them.

    patient: a file waits while an actor restarts; a live camera retries once on another worker and then drops.
    """

    def __init__(self, pool: list[Any], matcher: str, writer: Any, *, patient: bool) -> None:
        self._pool = pool
        self._matcher = matcher
        self._writer = writer
        self._patient = patient
        self._busy = [0] * len(pool)

    async def detect(self, picture: Image) -> Detections:
        """Faces of one letterboxed picture. Raises RuntimeFailed."""
        async with plasma.shared(picture) as sent:
            faces: Detections = await self._pooled("detect", sent)
            return faces

    async def warm_up(self, side: int) -> None:
        """Walk the whole path once with black crops, to each worker: first calls take longer than a shot may live."""
        for worker in self._pool:
            async with plasma.shared(np.zeros((1, side, side, 3), np.uint8)) as sent:
                await _answer(worker.warm_up.remote(sent, self._matcher), RESTARTING_S)

    async def identify(self, crops: Image, notes: list[ShotNote]) -> list[Candidate | None]:
        """Candidates of these crops, within their lifetime or not at all (D4).

        Raises ShotsLapsed when they grew too old or an actor died; a patient camera is first held until everybody
        answers again. Raises Conflict once recognition was stopped.
        """
        worker = self._least_busy()
        self._busy[worker] += 1
        try:
            async with plasma.shared(crops) as sent:
                call = self._pool[worker].identify.remote(sent, notes, self._matcher)
                return await _answer(call, max(remaining(notes), 0.001))
        except PendingCallsLimitExceeded as error:
            raise ShotsLapsed("the inference pool is full", hint="fewer cameras or more workers") from error
        except RuntimeFailed as error:
            if self._patient and not isinstance(error, ShotsLapsed):
                crops.fill(0)
                await self._recovered()
            raise ShotsLapsed(error.message, hint=error.hint) from error
        finally:
            self._busy[worker] -= 1

    async def _recovered(self) -> None:
        """Wait until pool and matcher answer. Raises RuntimeFailed after a minute."""
        deadline = time.monotonic() + RESTARTING_S
        while True:
            try:
                for actor in self._pool:
                    await _answer(actor.contract.remote(), RESTARTING_S)
                await _answer(find(self._matcher).load.remote(), RESTARTING_S)
            except RuntimeFailed:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    def _least_busy(self) -> int:
        return min(range(len(self._pool)), key=self._busy.__getitem__)

    async def embed(self, crops: Image) -> Templates:
        """Templates of enrolment crops: listed people only. Raises RuntimeFailed."""
        async with plasma.shared(crops) as sent:
            templates: Templates = np.array(await self._pooled("embed", sent))
            return templates

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

    async def _pooled(self, method: str, *arguments: Any) -> Any:
        deadline = time.monotonic() + RESTARTING_S
        attempt = 0
        while True:
            attempt += 1
            worker = self._least_busy()
            self._busy[worker] += 1
            try:
                call: Callable[..., Awaitable[Any]] = getattr(self._pool[worker], method).remote
                return await _answer(call(*arguments), RESTARTING_S if self._patient else 2.0)
            except RuntimeFailed:
                if self._patient and time.monotonic() < deadline:
                    await asyncio.sleep(0.2)
                elif attempt > 1:
                    raise
            except PendingCallsLimitExceeded as error:
                if not self._patient:
                    raise RuntimeFailed("the inference pool is full", hint="fewer cameras or more workers") from error
                await asyncio.sleep(0.01)
            finally:
                self._busy[worker] -= 1


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
