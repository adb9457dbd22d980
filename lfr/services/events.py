"""The event stream: the numbered log, read onwards from where a reader stopped. Only what is committed is here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func
from sqlmodel import col, select

from lfr.audit import entries
from lfr.storage.database import Database
from lfr.storage.models import AuditEntry, AuditSequence


class Event(msgspec.Struct, frozen=True):
    """One entry as it may go out. subject: the id of what it is about; payload: without scores (E3)."""

    seq: int
    at: datetime
    kind: str
    subject: str
    payload: dict[str, Any]


async def events_after(db: Database, seq: int, limit: int = 500) -> list[Event]:
    """At most `limit` events numbered above `seq`, in order. Raises StorageError."""
    async with db.session() as session:
        rows = (
            await session.exec(
                select(AuditSequence.seq, AuditEntry)
                .join(AuditEntry, col(AuditEntry.id) == col(AuditSequence.entry_id))
                .where(col(AuditSequence.seq) > seq)
                .order_by(col(AuditSequence.seq))
                .limit(limit)
            )
        ).all()
    return [
        Event(number, entry.at, entry.kind, entry.subject, entries.public(entry.kind, entry.payload))
        for number, entry in rows
    ]


async def last_seq(db: Database) -> int:
    """The newest number, 0 for an empty log: where a reader starts that wants only what is new."""
    async with db.session() as session:
        return (await session.exec(select(func.max(AuditSequence.seq)))).one() or 0
