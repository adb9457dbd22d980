"""The watchlist of a deployment: putting people on it, what the matcher loads, taking somebody off it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import func, update
from sqlmodel import col, select

from lfr import log
from lfr.domain.errors import Conflict, NotFound, WatchlistError
from lfr.domain.packs import Pack
from lfr.domain.watchlist import EntrySummary, GalleryItem, ImportReport, RowResult
from lfr.services import audit
from lfr.services.import_rows import Row, label_fault, read_picture, read_rows
from lfr.services.intake import LABEL, PICTURE, TEMPLATE, Intake, Item
from lfr.services.pictures import Refused
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.vault import Ring, Vault
from lfr.vision.engine.base import FaceEngine

_log = log.get(__name__)


async def enrol(
    db: Database,
    vault: Vault,
    engine: FaceEngine,
    deployment_id: UUID,
    pack: Pack,
    label: str,
    pictures: Iterable[tuple[str, bytes]],
    *,
    by: str,
) -> list[RowResult]:
    """Enrol one person from encoded pictures (name, bytes); one result per picture, in order.

    A label that is on the list already gets the pictures added. Raises WatchlistError for a label that cannot be used,
    NotFound, StorageError.
    """
    fault = label_fault(label)
    if fault:
        raise WatchlistError(f"this label cannot be used: {fault}", hint="1 to 200 printable characters")
    items = [Item(label.strip(), name, partial(bytes, data)) for name, data in pictures]
    return await Intake(db, vault, engine, deployment_id, pack, by).take(items)


async def import_path(
    db: Database,
    vault: Vault,
    engine: FaceEngine,
    deployment_id: UUID,
    pack: Pack,
    path: Path,
    *,
    by: str,
    progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Enrol a folder with one sub-folder per person, or a CSV (label, image) beside its pictures.

    progress: told (done, all). An import that was cut short is run again: what is enrolled already is refused as a
    duplicate. Raises WatchlistError when the whole is of no known form, NotFound, StorageError, ModelError.
    """
    rows = read_rows(path)
    items = [Item(row.label, row.source, partial(_read, row)) for row in rows]

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, len(items))

    results = await Intake(db, vault, engine, deployment_id, pack, by, dry_run).take(items, tell)
    report = ImportReport(tuple(results))
    if not dry_run:
        refused = Counter(row.refusal for row in results if row.refusal is not None)
        async with db.transaction() as session:
            payload = {"enrolled": report.enrolled, "refused": dict(refused)}
            audit.record(session, kind="watchlist.imported", actor=by, subject=str(deployment_id), payload=payload)
            await audit.sequence_within(db, session)
        _log.info("watchlist.imported", enrolled=report.enrolled, refused=report.refused)
    return report


def _read(row: Row) -> bytes | Refused:
    if row.file is None:
        return row.refused or Refused("incomplete")
    return read_picture(row.file)


async def load_gallery(db: Database, vault: Vault, deployment_id: UUID) -> list[GalleryItem]:
    """Every template of every living entry, oldest first, float32 (dim,).

    Raises VaultError when one does not open: a list with holes would miss people silently.
    """
    async with db.session() as session:
        rows = (
            await session.exec(
                select(WatchlistImage)
                .join(WatchlistEntry, col(WatchlistEntry.id) == col(WatchlistImage.entry_id))
                .where(
                    col(WatchlistImage.deployment_id) == deployment_id,
                    col(WatchlistEntry.revoked_at).is_(None),
                    col(WatchlistImage.template_sealed).is_not(None),
                )
                .order_by(col(WatchlistImage.added_at), col(WatchlistImage.id))
            )
        ).all()
    await vault.load(_ring(deployment_id), {row.entry_id for row in rows})
    return [GalleryItem(row.entry_id, row.id, _template(vault, row)) for row in rows]


def _template(vault: Vault, row: WatchlistImage) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    plain = vault.open(row.template_sealed or b"", owner=row.entry_id, purpose=TEMPLATE, object_id=row.id)
    return np.frombuffer(plain, "<f4", count=row.dim).astype(np.float32)


async def list_entries(db: Database, vault: Vault, deployment_id: UUID) -> list[EntrySummary]:
    """All entries, revoked ones too, oldest first. Raises VaultError."""
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
    await vault.load(_ring(deployment_id), {entry.id for entry, _ in rows if entry.label_sealed})
    return [
        EntrySummary(
            entry.id,
            _label(vault, entry),
            images,
            entry.added_at,
            entry.revoked_at,
        )
        for entry, images in rows
    ]


async def labels(db: Database, vault: Vault, deployment_id: UUID, entry_ids: Collection[UUID]) -> dict[UUID, str]:
    """The labels of these entries, revoked ones too; an id of no entry here is left out. Raises VaultError."""
    if not entry_ids:
        return {}
    query = select(WatchlistEntry).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.id).in_(set(entry_ids))
    )
    async with db.session() as session:
        rows = (await session.exec(query)).all()
    await vault.load(_ring(deployment_id), {row.id for row in rows if row.label_sealed})
    return {row.id: _label(vault, row) for row in rows}


def _ring(deployment_id: UUID) -> Ring:
    return Ring(deployment_id, "list")


def _label(vault: Vault, row: WatchlistEntry) -> str:
    if row.label_sealed is None:
        return ""
    return vault.open(row.label_sealed, owner=row.id, purpose=LABEL, object_id=row.id).decode()


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
    await vault.load(_ring(row.deployment_id), [entry_id])
    return vault.open(row.picture_sealed, owner=entry_id, purpose=PICTURE, object_id=row.id)


async def revoke(db: Database, deployment_id: UUID, entry_id: UUID, *, by: str) -> None:
    """Take an entry off the list and destroy its templates; alerts that stand keep their candidate's picture.

    Raises NotFound for no such entry in this deployment, Conflict when it is revoked already.
    """
    async with db.transaction() as session:
        query = select(WatchlistEntry).where(col(WatchlistEntry.id) == entry_id).with_for_update()
        entry = (await session.exec(query)).first()
        if entry is None or entry.deployment_id != deployment_id:
            raise NotFound(f"there is no watchlist entry {entry_id}", hint="`lfr watchlist list` shows the entries")
        if entry.revoked_at is not None:
            raise Conflict(f"watchlist entry {entry_id} is revoked already")
        entry.revoked_at, entry.revoked_by = now(), by
        templates = (
            await session.exec(
                select(func.count(col(WatchlistImage.id))).where(col(WatchlistImage.entry_id) == entry_id)
            )
        ).one()
        await session.exec(
            update(WatchlistImage)
            .where(col(WatchlistImage.entry_id) == entry_id)
            .values(template_sealed=None, picture_mac=None)
        )
        audit.record(
            session,
            kind="watchlist.entry-revoked",
            actor=by,
            subject=str(entry_id),
            payload={"deployment": str(deployment_id), "templates": templates},
        )
        await audit.sequence_within(db, session)
    _log.info("watchlist.entry-revoked", entry=str(entry_id))
