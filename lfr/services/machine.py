"""What the system says of itself to the gates: its force, cameras, clock, log and storage. Nothing is assumed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, func, select

from lfr.config import Config
from lfr.domain.errors import StorageError
from lfr.domain.gates import CertificateFact, SystemFacts
from lfr.services import ledger
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import AuditEntry, AuditOutbox, ClockMark

LOG_LATE = timedelta(seconds=5)
"""An entry that waited for its number for so long says that the log is not written in time."""
TOLERATED = timedelta(seconds=5)
"""How far the clock may lag: time servers correct it by less."""
ROOM = 256 << 20
"""Bytes that must be free where database and keys lie."""


async def look(
    db: Database,
    config: Config,
    registrar: str,
    *,
    writer_ok: bool = True,
    certificate: CertificateFact | None = None,
    cameras: Sequence[str] | None = None,
) -> SystemFacts:
    """The facts at this moment. writer_ok: what the caller knows of the log's writer beyond the database.

    registrar: public key, 64 hex digits. cameras: else those configured. Suspension stands in the deployment itself.
    """
    return SystemFacts(
        force=config.force,
        registrar=registrar,
        mode=config.mode,
        cameras=tuple(cameras) if cameras is not None else tuple(camera.id for camera in config.cameras),
        clock_ok=await _clock_ok(db, now()),
        writer_ok=writer_ok and not await _log_waits(db, now()),
        storage_ok=_room(config.data_path) and _room(config.keys_path),
        suspended=False,
        ledger_ok=await ledger.ready(db),
        certificate=certificate,
    )


async def _clock_ok(db: Database, at: datetime) -> bool:
    """Whether the clock was not set back since the latest time ever seen here (M2)."""
    async with db.session() as session:
        mark = await session.get(ClockMark, 1)
    return mark is None or at >= mark.latest - TOLERATED


async def _log_waits(db: Database, at: datetime) -> bool:
    query = select(func.min(col(AuditEntry.at))).join(AuditOutbox, col(AuditOutbox.entry_id) == col(AuditEntry.id))
    try:
        async with db.session() as session:
            oldest = (await session.exec(query)).one()
    except StorageError:
        return True
    return oldest is not None and at - oldest > LOG_LATE


def _room(folder: Path) -> bool:
    try:
        return folder.is_dir() and shutil.disk_usage(folder).free >= ROOM
    except OSError:
        return False
