"""The system's state as the API shows it: asked for once, however many people look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from lfr.actors.control import Control, SystemStatus
from lfr.domain.errors import RuntimeFailed


class Snapshot:
    """Asks the supervisor at most once per `max_age_s`; callers in between share the answer or the failure."""

    def __init__(
        self,
        control: Control,
        *,
        max_age_s: float = 0.4,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._control = control
        self._max_age_s = max_age_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._answer: SystemStatus | RuntimeFailed | None = None
        self._asked_at = 0.0

    async def get(self) -> SystemStatus:
        """The present state, at most `max_age_s` old. Raises RuntimeFailed."""
        async with self._lock:
            if self._answer is None or self._clock() - self._asked_at > self._max_age_s:
                self._answer = await self._ask()
                self._asked_at = self._clock()
            answer = self._answer
        if isinstance(answer, RuntimeFailed):
            raise RuntimeFailed(answer.message, hint=answer.hint)
        return answer

    def forget(self) -> None:
        """After a change, ask anew."""
        self._answer = None

    async def _ask(self) -> SystemStatus | RuntimeFailed:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._control.status()
        except TimeoutError:
            return RuntimeFailed("the supervisor does not answer", hint="see `lfr status` and the system's log")
        except RuntimeFailed as error:
            return error
