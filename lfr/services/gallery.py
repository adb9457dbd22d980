"""The list as the matcher loads it: every template of it, opened, and checked against what was approved."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlmodel import col, select

from lfr import log
from lfr.domain.errors import Conflict
from lfr.domain.list_digest import Approved, leaf_of
from lfr.domain.watchlist import GalleryItem
from lfr.services import list_state
from lfr.services.sealing import TEMPLATE, list_ring
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault

_log = log.get(__name__)


async def load_gallery(
    db: Database, vault: Vault, deployment_id: UUID, *, approved: Approved | None = None
) -> list[GalleryItem]:
    """Every template of every living entry, oldest first, float32 (dim,).

    approved: what was signed about this list. Then only approved entries are given, and every row is checked against
    its leaf: Conflict is raised when a category, an action, a picture or a template is not the one that was signed for.
    Without it, everything on the list. Raises VaultError when a template does not open: a list with holes would miss
    people silently.
    """
    async with db.session() as session:
        held = None if approved is None else await list_state.approved_set(session, deployment_id, approved)
        entries = (
            await session.exec(
                select(WatchlistEntry).where(
                    col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
                )
            )
        ).all()
        images = (
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
    if held is not None:
        images = _checked(entries, images, held)
    await vault.load(list_ring(deployment_id), {row.entry_id for row in images})
    return [GalleryItem(row.entry_id, row.id, _template(vault, row)) for row in images]


def _checked(
    entries: Sequence[WatchlistEntry], images: Sequence[WatchlistImage], held: frozenset[str]
) -> list[WatchlistImage]:
    """The images of approved entries, every row of which makes the leaf that was signed for."""
    of_entry: dict[UUID, list[tuple[UUID, bytes]]] = {}
    for row in images:
        of_entry.setdefault(row.entry_id, []).append((row.id, row.template_sealed or b""))
    wanted, waiting = set(), 0
    for entry in entries:
        if entry.leaf not in held:
            waiting += 1
            continue
        if leaf_of(entry.id, entry.category, entry.action, of_entry.get(entry.id, ())) != entry.leaf:
            raise Conflict(
                f"watchlist entry {entry.id} is not as it was approved",
                hint="its row was changed by something other than lfr: take it off, or have the list approved anew",
            )
        wanted.add(entry.id)
    if waiting:
        _log.info("watchlist.not-approved-yet", entries=waiting)
    return [row for row in images if row.entry_id in wanted]


def _template(vault: Vault, row: WatchlistImage) -> NDArray[np.float32]:
    plain = vault.open(row.template_sealed or b"", owner=row.entry_id, purpose=TEMPLATE, object_id=row.id)
    return np.frombuffer(plain, "<f4", count=row.dim).astype(np.float32)
