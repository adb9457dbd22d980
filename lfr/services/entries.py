"""Entries of a watchlist: looked at, named, shown, taken off."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.errors import Conflict, NotFound, VaultError
from lfr.domain.watchlist import EntrySummary
from lfr.services import audit
from lfr.services.sealing import LABEL, PICTURE, list_ring
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault

_log = log.get(__name__)


async def list_entries(db: Database, vault: Vault, deployment_id: UUID) -> list[EntrySummary]:
    """All entries, revoked ones too, oldest first; the label of a revoked one may be gone. Raises VaultError."""
    async with db.session() as session:
        rows = (
            await session.exec(
                select(WatchlistEntry, func.count(col(WatchlistImage.id)))
                .outerjoin(WatchlistImage, col(WatchlistImage.entry_id) == col(WatchlistEntry.id))
                .where(col(WatchlistEntry.deployment_id) == deployment_id)
                .group_by(col(WatchlistEntry.id))
                .order_by(col(WatchlistEntry.added_at), col(WatchlistEntry.id))
            )
        ).all()
    await _load(vault, deployment_id, [entry for entry, _ in rows])
    return [_summary(vault, entry, images) for entry, images in rows]


def _summary(vault: Vault, entry: WatchlistEntry, images: int) -> EntrySummary:
    return EntrySummary(
        id=entry.id,
        label=_label(vault, entry),
        images=images,
        added_at=entry.added_at,
        revoked_at=entry.revoked_at,
        category=entry.category,
        action=entry.action,
        age_band=entry.age_band,
        added_by=entry.added_by,
        checked_by=entry.checked_by,
        status_at=entry.status_at,
        review_on=entry.review_on,
        expires_on=entry.expires_on,
        alike=entry.alike,
    )


async def labels(db: Database, vault: Vault, deployment_id: UUID, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    """The labels of these entries, revoked ones too; an id of no entry here is left out. Raises VaultError."""
    if not entry_ids:
        return {}
    query = select(WatchlistEntry).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.id).in_(set(entry_ids))
    )
    async with db.session() as session:
        rows = (await session.exec(query)).all()
    await _load(vault, deployment_id, rows)
    return {row.id: _label(vault, row) for row in rows}


async def _load(vault: Vault, deployment_id: UUID, rows: Sequence[WatchlistEntry]) -> None:
    """The keys of living entries must be there; those of revoked ones may have been shredded."""
    await vault.load(list_ring(deployment_id))
    await vault.load(list_ring(deployment_id), {row.id for row in rows if row.label_sealed and row.revoked_at is None})


def _label(vault: Vault, row: WatchlistEntry) -> str:
    if row.label_sealed is None:
        return ""
    try:
        return vault.open(row.label_sealed, owner=row.id, purpose=LABEL, object_id=row.id).decode()
    except VaultError:
        if row.revoked_at is None:
            raise
        return ""  # shredded with everything else of the entry


async def entry_picture(db: Database, vault: Vault, entry_id: UUID) -> bytes:
    """JPEG bytes: the face of an entry's first picture, cut out with a margin. Raises NotFound, VaultError."""
    async with db.session() as session:
        row = (
            await session.exec(
                select(WatchlistImage)
                .where(col(WatchlistImage.entry_id) == entry_id)
                .order_by(col(WatchlistImage.added_at), col(WatchlistImage.id))
                .limit(1)
            )
        ).first()
    if row is None or row.picture_sealed is None:
        raise NotFound(f"there is no picture of watchlist entry {entry_id}")
    await vault.load(list_ring(row.deployment_id), [entry_id])
    return vault.open(row.picture_sealed, owner=entry_id, purpose=PICTURE, object_id=row.id)


async def revoke(db: Database, deployment_id: UUID, entry_id: UUID, *, by: str, reason: str = "asked") -> None:
    """Take an entry off the list and destroy its templates; alerts that stand keep their candidate's picture.

    Needs nobody's approval and no connection. Raises NotFound for no such entry in this deployment, Conflict when it is
    revoked already.
    """
    async with db.transaction() as session:
        query = select(WatchlistEntry).where(col(WatchlistEntry.id) == entry_id).with_for_update()
        entry = (await session.exec(query)).first()
        if entry is None or entry.deployment_id != deployment_id:
            raise NotFound(f"there is no watchlist entry {entry_id}", hint="`lfr watchlist list` shows the entries")
        if entry.revoked_at is not None:
            raise Conflict(f"watchlist entry {entry_id} is revoked already")
        await revoke_within(session, entry, by=by, reason=reason)
        await audit.sequence_within(db, session)
    _log.info("watchlist.entry-revoked", entry=str(entry_id))


async def revoke_within(session: AsyncSession, entry: WatchlistEntry, *, by: str, reason: str) -> None:
    """As `revoke`, for a living entry in the caller's transaction."""
    # The leaf of an approved entry stays in its row, so that the approval can still be checked.
    entry.revoked_at, entry.revoked_by, entry.revoked_reason = now(), by, reason
    templates = (
        await session.exec(select(func.count(col(WatchlistImage.id))).where(col(WatchlistImage.entry_id) == entry.id))
    ).one()
    await session.exec(
        update(WatchlistImage)
        .where(col(WatchlistImage.entry_id) == entry.id)
        .values(template_sealed=None, picture_mac=None)
    )
    payload = {"deployment": str(entry.deployment_id), "templates": templates, "reason": reason}
    audit.record(session, kind="watchlist.entry-revoked", actor=by, subject=str(entry.id), payload=payload)
