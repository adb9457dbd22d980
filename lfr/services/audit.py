"""Audit entries: written in the transaction of what they tell of, numbered without a gap (transactional outbox)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.audit import entries
from lfr.domain.errors import StorageError
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import AuditEntry, AuditOutbox, AuditSequence

CHANNEL = "lfr_events"
"""PostgreSQL tells this channel the newest number, in the transaction that gives it."""

BATCH = 500


def record(session: AsyncSession, *, kind: str, actor: str, subject: str, payload: Mapping[str, Any]) -> UUID:
    """Add an entry to the caller's transaction; `sequence` or `sequence_within` numbers it. Returns the entry's id.

    kind and payload: see lfr.audit.entries.KINDS. actor: a user's name, or the part of the system that acted. subject:
    the id of what it is about. Raises StorageError for a kind or a payload that the vocabulary does not allow.
    """
    try:
        entry = AuditEntry(
            id=uuid4(),
            at=now(),
            kind=kind,
            actor=entries.named(actor, "actor"),
            subject=entries.named(subject, "subject"),
            payload=entries.checked(kind, payload),
        )
    except ValueError as error:
        raise StorageError(str(error), hint="this is a fault of lfr: see lfr.audit.entries.KINDS") from None
    session.add(entry)
    session.add(AuditOutbox(entry_id=entry.id))
    return entry.id


async def sequence(db: Database) -> int:
    """Number every entry that waits, in one transaction per 500. Returns how many were numbered.

    Any number of processes may call this at once: one numbers, the others find nothing left.
    """
    done = 0
    while True:
        async with db.transaction() as session:
            numbered = await sequence_within(db, session)
        done += numbered
        if numbered < BATCH:
            return done


async def sequence_within(db: Database, session: AsyncSession) -> int:
    """Number entries that wait, the caller's own among them, as part of the caller's transaction (500 at most)."""
    await session.flush()
    await db.lock_log(session)
    waiting = (
        await session.exec(
            select(AuditEntry)
            .join(AuditOutbox, col(AuditOutbox.entry_id) == col(AuditEntry.id))
            .order_by(col(AuditEntry.at), col(AuditEntry.id))
            .limit(BATCH)
        )
    ).all()
    if not waiting:
        return 0
    last = (await session.exec(select(func.max(AuditSequence.seq)))).one() or 0
    for number, entry in enumerate(waiting, start=last + 1):
        session.add(AuditSequence(seq=number, entry_id=entry.id, leaf=leaf_of(entry)))
    await session.flush()
    await session.exec(delete(AuditOutbox).where(col(AuditOutbox.entry_id).in_([entry.id for entry in waiting])))
    if db.dialect == "postgresql":
        connection = await session.connection()
        told = {"channel": CHANNEL, "last": str(last + len(waiting))}
        await connection.execute(text("SELECT pg_notify(:channel, :last)"), told)
    return len(waiting)


def leaf_of(entry: AuditEntry) -> bytes:
    """The leaf hash of a stored entry: 32 bytes, what the log's tree is built of."""
    data = entries.envelope(
        entry_id=entry.id,
        at=entry.at,
        kind=entry.kind,
        actor=entry.actor,
        subject=entry.subject,
        payload=entry.payload,
    )
    return entries.leaf_hash(data)
