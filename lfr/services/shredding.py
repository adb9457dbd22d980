"""Destroying what was decided to go: its keys first, then what they sealed, with a receipt for each object (G6).

Three steps, each of which may be the last before a crash: the decision (`objects.let_go`), the keys, the receipts.
`finish` takes the second and third, and takes them again where they were cut short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.services import audit, objects
from lfr.services.objects import bulk
from lfr.storage.database import Database
from lfr.storage.keystore import RingName
from lfr.storage.models import (
    Alert,
    AlertPicture,
    SignEvidence,
    StoredObject,
    WatchlistEntry,
    WatchlistImage,
)
from lfr.storage.vault import Ring, Vault

RECEIPT, TRANSACTION = 1000, 20_000
"""How many objects one receipt names, and how many go in one transaction."""

RINGS: dict[str, tuple[RingName, ...]] = {"list": ("list",), "alert": ("alerts", "held"), "sign": ("deployment",)}
"""The first word of an object's kind -> where its owner's key may be: a hold that was cut short leaves it in two."""

_log = log.get(__name__)


async def finish(db: Database, vault: Vault, deployment_id: UUID, at: datetime) -> int:
    """Destroy everything of a deployment that was decided to go. Returns how many objects got their receipt.

    Raises StorageError; calling again goes on where it stopped.
    """
    async with db.session() as session:
        owners = await _going(session, deployment_id)
    for kind, those in owners.items():
        for name in RINGS[kind]:
            await vault.shred(Ring(deployment_id, name), those)
    return await receipts(db, deployment_id, at)


async def _going(session: AsyncSession, deployment_id: UUID) -> dict[str, set[UUID]]:
    query = (
        select(StoredObject.kind, StoredObject.owner_id)
        .where(
            col(StoredObject.deployment_id) == deployment_id,
            col(StoredObject.going_at).is_not(None),
            col(StoredObject.deleted_at).is_(None),
        )
        .distinct()
    )
    owners: defaultdict[str, set[UUID]] = defaultdict(set)
    for kind, owner in (await session.exec(query)).all():
        owners[kind.partition("-")[0]].add(owner)
    return owners


class _Going(NamedTuple):
    """One object that has no receipt yet."""

    id: UUID
    owner_id: UUID
    kind: str
    reason: str | None


async def receipts(db: Database, deployment_id: UUID, at: datetime) -> int:
    """For objects whose keys are destroyed: their sealed bytes go, and the log names them."""
    done = 0
    while True:
        async with db.transaction() as session:
            await db.lock_log(session)
            some = await _next(session, deployment_id)
            if not some:
                break
            for one in objects.chunks([one.id for one in some]):
                await bulk(session, update(StoredObject).where(col(StoredObject.id).in_(one)).values(deleted_at=at))
            await _blank(session, some, at)
            for reason, named in _by_receipt(some):
                payload = {"reason": reason, "objects": named}
                audit.record(
                    session, kind="objects.deleted", actor="system", subject=str(deployment_id), payload=payload
                )
            await audit.sequence_within(db, session)
        done += len(some)
    if done:
        _log.info("objects.deleted", deployment=str(deployment_id), objects=done)
    return done


async def _next(session: AsyncSession, deployment_id: UUID) -> list[_Going]:
    """Some that go, in the order of the table: any other order would touch every page again and again."""
    query = (
        select(StoredObject.id, StoredObject.owner_id, StoredObject.kind, StoredObject.going_for)
        .where(
            col(StoredObject.deployment_id) == deployment_id,
            col(StoredObject.going_at).is_not(None),
            col(StoredObject.deleted_at).is_(None),
        )
        .limit(TRANSACTION)
    )
    return [_Going(*row) for row in (await session.exec(query)).all()]


def _by_receipt(some: Collection[_Going]) -> Iterator[tuple[str, list[str]]]:
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for one in some:
        reasons[one.reason or "asked"].append(str(one.id))
    for reason, named in reasons.items():
        for receipt in objects.chunks(named, RECEIPT):
            yield reason, receipt


async def _blank(session: AsyncSession, some: Collection[_Going], at: datetime) -> None:
    owners: defaultdict[str, set[UUID]] = defaultdict(set)
    for one in some:
        owners[one.kind.partition("-")[0]].add(one.owner_id)
    await blank_entries(session, owners["list"])
    await blank_alerts(session, owners["alert"], at)
    if owners["sign"]:
        gone = update(SignEvidence).where(col(SignEvidence.deployment_id).in_(owners["sign"]))
        await bulk(session, gone.values(picture=None))


async def blank_entries(session: AsyncSession, entries: Collection[UUID]) -> None:
    """Take the sealed columns and keyed digests of entries out of the database."""
    for ids in objects.chunks(entries):
        for table, owner, names in (
            (WatchlistImage, WatchlistImage.entry_id, ("template_sealed", "picture_sealed", "picture_mac")),
            (WatchlistEntry, WatchlistEntry.id, ("label_sealed", "label_mac", "nominal_mac", "details_sealed")),
        ):
            something = or_(*(col(getattr(table, name)).is_not(None) for name in names))
            blank = update(table).where(col(owner).in_(ids), something)
            await bulk(session, blank.values(dict.fromkeys(names)))


async def blank_alerts(session: AsyncSession, alerts: Collection[UUID], at: datetime) -> None:
    """Take the pictures of alerts out of the database; that they were raised stays known."""
    for ids in objects.chunks(alerts):
        await bulk(session, delete(AlertPicture).where(col(AlertPicture.alert_id).in_(ids)))
        standing = (col(Alert.id).in_(ids), col(Alert.shredded_at).is_(None))
        await bulk(session, update(Alert).where(*standing).values(shredded_at=at))
