"""`Control` over the running actors: what the API and, through it, the command line can do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lfr.actors.control import SystemStatus
from lfr.actors.crew import ACKNOWLEDGE_S, LOAD_S, Crew, answered
from lfr.actors.pool_engine import PoolEngine
from lfr.domain.errors import Conflict, NotFound, WatchlistError
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import ImportReport, RowResult
from lfr.services import deployments, retention, watchlist
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.vault import Vault

STATUS_S = 3.0


@dataclass
class RemoteControl:
    """Handles of one system's actors. system: whose deployments these are.

    amend: approves what was added to the list, where a run signs for itself; None: the Authorising Officer does.
    """

    system: str
    supervisor: Any = field(repr=False)
    writer: Any = field(repr=False)
    crew: Crew = field(repr=False)
    engine: PoolEngine = field(repr=False)
    pack: Pack
    db: Database
    vault: Vault
    policy: Policy
    amend: Callable[[], Awaitable[object]] | None = None

    async def status(self) -> SystemStatus:
        """As of the supervisor's last round. Raises RuntimeFailed."""
        answer: SystemStatus = await self._supervisor("status", STATUS_S)
        return answer

    async def tile(self, camera: str) -> tuple[bytes, float] | None:
        """The newest tile. Raises NotFound, RuntimeFailed."""
        found: tuple[bytes, float] | None = await answered(
            self._camera(camera).tile.remote, f"camera {camera}", STATUS_S
        )
        return found

    async def confirm_view(self, camera: str, by: str) -> None:
        """As `Control.confirm_view`."""
        await answered(self._camera(camera).confirm_view.remote, f"camera {camera}", ACKNOWLEDGE_S)
        await self.writer.record.remote("camera.view-confirmed", by, {"camera": camera})

    def _camera(self, camera: str) -> Any:
        cameras = self.crew.cameras
        if camera not in cameras:
            raise NotFound(f"there is no camera {camera}", hint=f"cameras: {', '.join(cameras) or 'none'}")
        return cameras[camera]

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """As `Control.go_live`."""
        await self._supervisor("go_live", LOAD_S, deployment_id, by)

    async def pause(self, reason: str, by: str) -> None:
        """As `Control.pause`."""
        await self._supervisor("pause", ACKNOWLEDGE_S, reason, by)

    async def resume(self, by: str) -> None:
        """As `Control.resume`."""
        await self._supervisor("resume", LOAD_S, by)

    async def renew(self) -> None:
        """As `Control.renew`."""
        await self._supervisor("renew", LOAD_S)

    async def end(self, reason: str, by: str) -> None:
        """As `Control.end`."""
        await self._supervisor("end", ACKNOWLEDGE_S, reason, by)

    async def stop(self, by: str) -> None:
        """As `Control.stop`. It asks nobody's leave and waits for nobody: not even the supervisor must be alive."""
        row = await self.deployment()
        told, kept = await asyncio.gather(
            self.crew.bar(row.id, time.time()), deployments.stop(self.db, row.id, by=by), return_exceptions=True
        )
        if isinstance(kept, BaseException):
            raise kept
        await retention.purge_undecided(self.db, self.vault, row.id, "stopped")
        self.vault.forget()
        await self.writer.record.remote("recognition.stopped", by, {"reason": "asked"})
        if isinstance(told, BaseException):
            raise told

    async def add_entry(self, label: str, pictures: list[tuple[str, bytes]], by: str) -> list[RowResult]:
        """Enrol, then wait for every matcher. Raises WatchlistError, RuntimeFailed."""
        row = await self.deployment()
        rows = await watchlist.enrol(
            self.db, self.vault, self.engine, row.id, self.pack, label, pictures, by=by, policy=self.policy
        )
        if not any(row.enrolled for row in rows):
            reasons = ", ".join(sorted({row.refusal for row in rows if row.refusal})) or "no picture"
            raise WatchlistError(f"nothing was enrolled: {reasons}", hint="use a sharp frontal picture of one face")
        if self.amend is not None and row.list_digest is not None:
            await self.amend()
            await self.renew()
        return rows

    async def import_list(
        self, deployment_id: UUID, source: bytes, by: str, dry_run: bool, progress: Callable[[int, int], None]
    ) -> ImportReport:
        """As `Control.import_list`."""
        return await watchlist.import_list(
            self.db,
            self.vault,
            [self.engine],
            deployment_id,
            self.pack,
            source,
            by=by,
            policy=self.policy,
            progress=progress,
            dry_run=dry_run,
        )

    async def revoke_entry(self, entry_id: UUID, by: str) -> None:
        """Out of every matcher's memory. Raises NotFound, RuntimeFailed."""
        await watchlist.revoke(self.db, (await self.deployment()).id, entry_id, by=by)
        await self.crew.drop(entry_id)

    async def refresh(self) -> None:
        """No matcher holds anybody who was taken off the list. Raises RuntimeFailed naming who does not answer."""
        await self.crew.refresh()

    async def deployment(self) -> Deployment:
        """The one under way, else the newest that is planned. Raises Conflict when there is none."""
        row = await deployments.current(self.db, self.system)
        if row is None:
            raise Conflict("there is no deployment", hint="`lfr deployment new` makes one")
        return row

    async def _supervisor(self, method: str, timeout: float, *arguments: Any) -> Any:
        call = getattr(self.supervisor, method)
        return await answered(lambda: call.remote(*arguments), "the supervisor", timeout)
