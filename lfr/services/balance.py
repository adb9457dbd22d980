"""The books of what is kept: what the log says was made, against what lives, what is held and what has a receipt (G6).

Log, database and key store are three witnesses. One object that only two of them know of is an alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.audit.vocabulary import CREATING
from lfr.domain.errors import NotFound
from lfr.services import audit, clock, shredding
from lfr.storage.database import Database
from lfr.storage.models import AuditEntry, Deployment, StoredObject
from lfr.storage.vault import Ring, Vault

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Balance:
    """The objects of one deployment. created: named by the log at their making; deleted: named by a receipt.

    living, held: there, with a key. off: how many do not balance; why: what is wrong with them -> how many.
    """

    created: int
    living: int
    held: int
    deleted: int
    off: int
    why: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Books:
    """One look. made, gone: as the log names them; rows: as the database has them; faults: object -> what is wrong."""

    made: set[UUID]
    gone: set[UUID]
    rows: list[StoredObject]
    faults: dict[UUID, str]


async def reconcile(db: Database, vault: Vault, deployment_id: UUID, *, at: datetime | None = None) -> Balance:
    """Count, write the result into the log, and raise an alarm in log and status when it is off.

    Raises NotFound, StorageError.
    """
    at = at or (await clock.look(db)).at
    books = await _look(db, vault, deployment_id)
    if books.faults:
        # What changed between the looks at database and keys is no fault: only what is wrong twice is.
        again = await _look(db, vault, deployment_id)
        lasting = {one: what for one, what in again.faults.items() if one in books.faults}
        books = _Books(again.made, again.gone, again.rows, lasting)
    found = _sum(books)
    async with db.transaction() as session:
        row = await session.get(Deployment, deployment_id, with_for_update=True)
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id}")
        row.reconciled_at, row.off = at, found.off
        payload = {name: getattr(found, name) for name in ("created", "living", "held", "deleted", "off")}
        audit.record(session, kind="objects.reconciled", actor="system", subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
    if found.off:
        _log.error("objects.off-balance", deployment=str(deployment_id), off=found.off, **found.why)
    return found


async def look(db: Database, vault: Vault, deployment_id: UUID) -> Balance:
    """The count alone, for showing: nothing is written, nobody is alarmed. Raises StorageError."""
    return _sum(await _look(db, vault, deployment_id))


def _sum(books: _Books) -> Balance:
    there = [one for one in books.rows if one.deleted_at is None]
    held = sum(one.hold_id is not None for one in there)
    return Balance(
        created=len(books.made),
        living=len(there) - held,
        held=held,
        deleted=len(books.gone),
        off=len(books.faults),
        why=dict(Counter(books.faults.values())),
    )


async def _look(db: Database, vault: Vault, deployment_id: UUID) -> _Books:
    async with db.session() as session:
        subject = col(AuditEntry.subject) == str(deployment_id)
        theirs = or_(subject, col(AuditEntry.payload)["deployment"].as_string() == str(deployment_id))
        made = await _named(session, CREATING, theirs)
        gone = await _named(session, ("objects.deleted",), subject)
        query = select(StoredObject).where(col(StoredObject.deployment_id) == deployment_id)
        rows = list((await session.exec(query)).all())
    keys = {
        name: set(await vault.keys.fetch(Ring(deployment_id, name), None))
        for name in ("list", "alerts", "held", "deployment")
    }
    return _Books(made, gone, rows, _faults(made, gone, rows, keys))


async def _named(session: AsyncSession, kinds: Iterable[str], which: ColumnElement[bool]) -> set[UUID]:
    query = select(AuditEntry.payload).where(col(AuditEntry.kind).in_(tuple(kinds)), which)
    return {UUID(one) for payload in (await session.exec(query)).all() for one in payload.get("objects", ())}


def _faults(made: set[UUID], gone: set[UUID], rows: list[StoredObject], keys: dict[str, set[UUID]]) -> dict[UUID, str]:
    faults = dict.fromkeys(made - {row.id for row in rows}, "lost")
    alive = {row.owner_id for row in rows if row.deleted_at is None}
    for row in rows:
        rings = shredding.RINGS[row.kind.partition("-")[0]]
        has_key = any(row.owner_id in keys[name] for name in rings)
        fault = _fault(row, made, gone, has_key=has_key, owner_lives=row.owner_id in alive)
        if fault:
            faults[row.id] = fault
    return faults


def _fault(row: StoredObject, made: set[UUID], gone: set[UUID], *, has_key: bool, owner_lives: bool) -> str:
    if row.id not in made:
        return "unlogged"
    if row.deleted_at is not None and row.id not in gone:
        return "unreceipted"
    if row.deleted_at is None and row.id in gone:
        return "undeleted"
    if row.deleted_at is None and row.going_at is None and not has_key:
        return "keyless"
    if row.deleted_at is not None and has_key and not owner_lives:
        return "undead"
    return ""
