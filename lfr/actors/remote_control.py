"""`Control` over the running actors: what the API and, through it, the command line can do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lfr.actors.control import SystemStatus
from lfr.actors.pool_engine import PoolEngine
from lfr.actors.ports import cause
from lfr.domain.errors import LfrError, NotFound, RuntimeFailed, WatchlistError
from lfr.domain.packs import Pack
from lfr.domain.watchlist import RowResult
from lfr.services import watchlist
from lfr.storage.database import Database
from lfr.storage.vault import Vault

ACKNOWLEDGE_S = 10.0


@dataclass
class RemoteControl:
    """Handles of one deployment's actors."""

    supervisor: Any = field(repr=False)
    writer: Any = field(repr=False)
    cameras: dict[str, Any] = field(repr=False)
    matchers: dict[str, Any] = field(repr=False)
    engine: PoolEngine = field(repr=False)
    pack: Pack
    db: Database
    vault: Vault
    deployment_id: UUID

    async def status(self) -> SystemStatus:
        """As of the supervisor's last round. Raises RuntimeFailed."""
        answer: SystemStatus = await self._ask(self.supervisor.status, "the supervisor", 3.0)
        return answer

    async def tile(self, camera: str) -> tuple[bytes, float] | None:
        """The newest tile. Raises NotFound, RuntimeFailed."""
        if camera not in self.cameras:
            raise NotFound(f"there is no camera {camera}", hint=f"cameras: {', '.join(self.cameras) or 'none'}")
        answer: tuple[bytes, float] | None = await self._ask(self.cameras[camera].tile, f"camera {camera}", 3.0)
        return answer

    async def stop(self, by: str) -> None:
        """Everybody is told at once, then it is recorded. Raises RuntimeFailed naming who did not answer."""
        actors = {f"matcher {name}": a for name, a in self.matchers.items()}
        actors |= {f"camera {name}": a for name, a in self.cameras.items()}
        await self._all(actors, "stop")
        await self.writer.record.remote("recognition.stopped", by, {"reason": "asked"})

    async def add_entry(self, label: str, pictures: list[tuple[str, bytes]], by: str) -> list[RowResult]:
        """Enrol, then wait for every matcher. Raises WatchlistError, RuntimeFailed."""
        rows = await watchlist.enrol(
            self.db, self.vault, self.engine, self.deployment_id, self.pack, label, pictures, by=by
        )
        if not any(row.enrolled for row in rows):
            reasons = ", ".join(sorted({row.refusal for row in rows if row.refusal})) or "no picture"
            raise WatchlistError(f"nothing was enrolled: {reasons}", hint="use a sharp frontal picture of one face")
        await self.refresh()
        return rows

    async def revoke_entry(self, entry_id: UUID, by: str) -> None:
        """Out of every matcher's memory. Raises NotFound, RuntimeFailed."""
        await watchlist.revoke(self.db, self.deployment_id, entry_id, by=by)
        await self.refresh()

    async def refresh(self) -> None:
        """Every live matcher holds exactly the list that is stored. Raises RuntimeFailed naming who does not."""
        await self._all({f"matcher {name}": a for name, a in self.matchers.items()}, "refresh")

    async def _all(self, actors: dict[str, Any], method: str) -> None:
        answers = await asyncio.gather(
            *(self._ask(getattr(actor, method), name, ACKNOWLEDGE_S) for name, actor in actors.items()),
            return_exceptions=True,
        )
        silent = [name for name, answer in zip(actors, answers, strict=True) if isinstance(answer, BaseException)]
        if silent:
            raise RuntimeFailed(f"no acknowledgement from {', '.join(silent)}", hint="see `lfr status`, then try again")

    async def _ask(self, method: Any, name: str, timeout: float) -> Any:
        try:
            return await asyncio.wait_for(method.remote(), timeout)
        except LfrError as error:
            raise cause(error) from error
        except Exception as error:
            raise RuntimeFailed(f"{name} does not answer", hint="it may be restarting: see `lfr status`") from error
