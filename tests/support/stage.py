"""A running system that can be watched: what its workers have really seen, what its tiles say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from sqlmodel import select

from lfr.actors.control import CameraStatus
from lfr.actors.runtime import Runtime
from lfr.actors.standing_run import StandingRun
from lfr.domain.errors import RuntimeFailed
from lfr.storage.models import AuditEntry
from tests.support.system import raised, recognition, wait_for


@dataclass
class Stage:
    """A system with one camera, `north`, and what is listed in it."""

    runtime: Runtime
    run: StandingRun
    entries: list[UUID] = field(default_factory=list)

    async def workers(self) -> dict[str, int]:
        """What the pool's models have seen of cameras, and what was refused, over all workers."""
        pool = [await one.status.remote() for one in self.runtime.control.crew.pool.values()]
        return {what: sum(answer[what] for answer in pool) for what in ("detected", "embedded")} | {
            "refused": sum(sum(answer["refused"].values()) for answer in pool)
        }

    async def camera(self) -> CameraStatus:
        """The camera's counters."""
        return (await self.runtime.control.crew.cameras["north"].status.remote())["camera"]

    async def state(self) -> str:
        """The system's state."""
        try:
            return (await self.runtime.control.status()).state
        except RuntimeFailed:  # the supervisor is on its way back
            return ""

    async def says(self, word: str, seconds: float = 30.0) -> None:
        """Wait until every tile says so."""

        async def so() -> bool:
            try:
                return set((await recognition(self.runtime)).values()) == {word}
            except RuntimeFailed:
                return False

        await wait_for(so, f"the tile to say {word}", seconds)

    async def sees(self) -> None:
        """Faces are being embedded now."""
        before = (await self.camera()).embeddings
        await wait_for(lambda: self._more(before), "faces to be embedded")

    async def _more(self, before: int) -> bool:
        return (await self.camera()).embeddings > before

    async def alerted(self, entry: UUID) -> bool:
        """Whether there is an alert for that entry."""
        return entry in {alert.entry_id for alert in await raised(self.runtime, self.run)}

    async def logged(self, kind: str) -> list[AuditEntry]:
        """All log entries of a kind."""
        async with self.runtime.db.session() as session:
            return list((await session.exec(select(AuditEntry).where(AuditEntry.kind == kind))).all())

    async def sees_nobody(self, seconds: float = 0.7) -> None:
        """Nothing is detected or embedded by anybody, while frames go on."""
        before, frames = await self.workers(), (await self.camera()).read
        await asyncio.sleep(seconds)
        after = await self.workers()
        assert (after["detected"], after["embedded"]) == (before["detected"], before["embedded"])
        assert (await self.camera()).read > frames
