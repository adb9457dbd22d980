"""The running system as the API sees it: its state is asked for once, however many people look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from lfr.actors.control import Control, SystemStatus
from lfr.domain.errors import RuntimeFailed
from lfr.domain.watchlist import ImportReport, RowResult


class Running:
    """A Control whose status is asked for at most once per `max_age_s`; callers in between share answer or failure."""

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

    async def status(self) -> SystemStatus:
        """The present state, at most `max_age_s` old. Raises RuntimeFailed."""
        async with self._lock:
            if self._answer is None or self._clock() - self._asked_at > self._max_age_s:
                self._answer = await self._ask()
                self._asked_at = self._clock()
            answer = self._answer
        if isinstance(answer, RuntimeFailed):
            raise RuntimeFailed(answer.message, hint=answer.hint)
        return answer

    async def tile(self, camera: str) -> tuple[bytes, float] | None:
        """As Control.tile."""
        return await self._control.tile(camera)

    async def confirm_view(self, camera: str, by: str) -> None:
        """As Control.confirm_view."""
        await self._changing(self._control.confirm_view(camera, by))

    async def stop(self, by: str) -> SystemStatus:
        """As Control.stop; returns the state after it."""
        await self._control.stop(by)
        self._answer = None
        return await self.status()

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """As Control.go_live."""
        await self._changing(self._control.go_live(deployment_id, by))

    async def pause(self, reason: str, by: str) -> None:
        """As Control.pause."""
        await self._changing(self._control.pause(reason, by))

    async def resume(self, by: str) -> None:
        """As Control.resume."""
        await self._changing(self._control.resume(by))

    async def renew(self) -> None:
        """As Control.renew."""
        await self._changing(self._control.renew())

    async def end(self, reason: str, by: str) -> None:
        """As Control.end."""
        await self._changing(self._control.end(reason, by))

    async def _changing(self, change: Awaitable[None]) -> None:
        try:
            await change
        finally:
            self._answer = None

    async def import_list(
        self, deployment_id: UUID, progress: Callable[[int, int], None], *, source: bytes, by: str, dry_run: bool
    ) -> ImportReport:
        """As Control.import_list."""
        try:
            return await self._control.import_list(deployment_id, source, by, dry_run, progress)
        finally:
            self._answer = None

    async def refresh_list(self) -> None:
        """As Control.refresh."""
        await self._changing(self._control.refresh())

    async def add_entry(self, label: str, pictures: list[tuple[str, bytes]], by: str) -> list[RowResult]:
        """As Control.add_entry."""
        rows = await self._control.add_entry(label, pictures, by)
        self._answer = None
        return rows

    async def revoke_entry(self, entry_id: UUID, by: str) -> None:
        """As Control.revoke_entry."""
        await self._control.revoke_entry(entry_id, by)
        self._answer = None

    async def _ask(self) -> SystemStatus | RuntimeFailed:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._control.status()
        except TimeoutError:
            return RuntimeFailed("the supervisor does not answer", hint="see `lfr status` and the system's log")
        except RuntimeFailed as error:
            return error
