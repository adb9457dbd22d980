"""Look-alikes and siblings inside a list: found in memory, flagged on both entries, shown with every alert (B7)."""

from __future__ import annotations

import asyncio
from uuid import UUID

import numpy as np
from sqlalchemy import update
from sqlmodel import col, select

from lfr.domain.faces import Metric
from lfr.matching.likeness import most_alike
from lfr.services import audit
from lfr.services.gallery import load_gallery
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry
from lfr.storage.vault import Vault


async def flag(
    db: Database, vault: Vault, deployment_id: UUID, *, metric: Metric, threshold: float, margin: float, by: str
) -> dict[UUID, tuple[UUID, float]]:
    """Compare everybody on the list with everybody else; entry -> the other one and their score.

    threshold: of the list's band; margin: how far below it a likeness still counts (policy). Templates are overwritten
    afterwards. Flags of an earlier look are replaced. Raises VaultError, StorageError.
    """
    items = await load_gallery(db, vault, deployment_id)
    owners = [item.entry_id for item in items]
    templates = np.stack([item.template for item in items]) if items else np.zeros((0, 1), np.float32)
    try:
        found = await asyncio.to_thread(most_alike, templates, owners, metric, threshold - margin)
    finally:
        templates.fill(0)
        for item in items:
            item.template.fill(0)
    await _store(db, deployment_id, found, threshold - margin, by)
    return found


async def _store(
    db: Database, deployment_id: UUID, found: dict[UUID, tuple[UUID, float]], level: float, by: str
) -> None:
    async with db.transaction() as session:
        flagged = (
            await session.exec(
                select(WatchlistEntry.id).where(
                    col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.alike).is_not(None)
                )
            )
        ).all()
        changed = [{"id": one, "alike": found[one][0] if one in found else None} for one in {*flagged, *found}]
        if changed:
            await session.exec(update(WatchlistEntry), params=changed)
        payload = {"deployment": str(deployment_id), "flagged": len(found), "level": round(level, 4)}
        audit.record(session, kind="watchlist.alike", actor=by, subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
