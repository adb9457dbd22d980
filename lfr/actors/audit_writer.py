"""The one writer of alerts and the one who numbers the log's entries.

Every raise_alert is one durable transaction; asking twice for the same alert gives the same alert. Entries that others
committed (a sign-in, a revocation) are numbered as they come.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import ray

from lfr import log
from lfr.actors.shell import Shell
from lfr.actors.store import Store, StoreAddress
from lfr.domain.alerts import AlertReceipt, RaisedAlert
from lfr.domain.errors import StorageError
from lfr.services import alerts, audit

_log = log.get(__name__)

SEQUENCE_S = 0.1


class AuditWriterActor(Shell):
    """Append-only: what it has answered is on disk."""

    kind = "audit-writer"
    max_concurrency = 64

    def __init__(
        self, name: str, folder: str, log_level: str, store: StoreAddress, cooldown_s: float, keep_s: float
    ) -> None:
        super().__init__(name, folder, log_level)
        self._store = Store(store)
        self._cooldown_s = cooldown_s
        self._keep = timedelta(seconds=keep_s)
        self._numbering: asyncio.Task[None] | None = None
        self._failing = ""
        self._numbered = time.monotonic()

    async def start(self) -> None:
        """Begin numbering what others commit."""
        if self._numbering is None:
            self._numbering = asyncio.create_task(self._number())

    async def raise_alert(self, alert: RaisedAlert) -> AlertReceipt:
        """Make an alert durable. Raises StorageError; the caller asks again."""
        await self.start()
        return await alerts.raise_alert(
            self._store.db, self._store.vault, alert, cooldown_s=self._cooldown_s, keep=self._keep
        )

    async def record(self, kind: str, subject: str, payload: dict[str, Any]) -> None:
        """One entry that belongs to no other change: a camera's health, a gap, a start."""
        await self.start()
        async with self._store.db.transaction() as session:
            audit.record(session, kind=kind, actor=f"system:{self.name}", subject=subject, payload=payload)

    async def flush(self) -> int:
        """Number everything committed so far. Returns how many entries that were."""
        return await audit.sequence(self._store.db)

    async def _number(self) -> None:
        while True:
            try:
                await audit.sequence(self._store.db)
                self._failing = ""
                self._numbered = time.monotonic()
            except StorageError as error:
                if error.message != self._failing:
                    _log.error("audit.sequence_failed", reason=error.message)
                self._failing = error.message
            await asyncio.sleep(SEQUENCE_S)

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, what fails at present (empty = nothing), and how far numbering is behind, in seconds."""
        behind = time.monotonic() - self._numbered if self._failing else 0.0
        return {"who": self.who(), "failing": self._failing, "behind_s": behind}
