"""The list as the matcher loads it: every template of it, opened, and checked against what was approved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.errors import Conflict
from lfr.domain.list_digest import image_digest, leaf_of
from lfr.domain.watchlist import GalleryItem
from lfr.services import listed
from lfr.services.sealing import TEMPLATE, list_ring
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault

_log = log.get(__name__)

_TAMPERED = "something other than lfr changed its rows: compare them with a backup, or have the list approved anew"


async def load_gallery(
    db: Database, vault: Vault, deployment_id: UUID, *, approved: str | None = None
) -> list[GalleryItem]:
    """Every template of every living entry, oldest first, float32 (dim,).

    approved: the digest that was signed for, amendments included. Then only those are given whom it names (what was
    added since waits for its amendment), and Conflict is raised when a category, an action, a picture or a template is
    not the one that was signed for. Without it, everything on the list. Raises VaultError when a template does not
    open: a list with holes would miss people silently.
    """
    async with db.session() as session:
        wanted = None if approved is None else await _signed(session, deployment_id, approved)
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
    if wanted is not None:
        images = _named(images, wanted)
    await vault.load(list_ring(deployment_id), {row.entry_id for row in images})
    return [GalleryItem(row.entry_id, row.id, _template(vault, row)) for row in images]


async def _signed(session: AsyncSession, deployment_id: UUID, approved: str) -> dict[UUID, tuple[str, str, str]]:
    """Entry -> category, action and leaf of everybody listed now whom the digest names. Raises Conflict."""
    if listed.digest_of(await listed.kept_leaves(session, deployment_id)) != approved:
        raise Conflict("the stored list is not the one that was approved", hint=_TAMPERED)
    query = select(WatchlistEntry.id, WatchlistEntry.category, WatchlistEntry.action, WatchlistEntry.leaf).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
    )
    rows = (await session.exec(query)).all()
    waiting = sum(leaf is None for *_, leaf in rows)
    if waiting:
        _log.info("watchlist.not-approved-yet", entries=waiting)
    return {entry_id: (category, action, leaf) for entry_id, category, action, leaf in rows if leaf is not None}


def _named(images: Sequence[WatchlistImage], wanted: dict[UUID, tuple[str, str, str]]) -> list[WatchlistImage]:
    """The images of signed entries, if the rows read make the leaves that were signed for. Raises Conflict."""
    pictures: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for row in images:
        pictures[row.entry_id].append((row.id, image_digest(row.template_sealed or b"")))
    for entry_id, (category, action, leaf) in wanted.items():
        if leaf_of(entry_id, category, action, pictures[entry_id]) != leaf:
            raise Conflict(f"watchlist entry {entry_id} is not as it was approved", hint=_TAMPERED)
    return [row for row in images if row.entry_id in wanted]


def _template(vault: Vault, row: WatchlistImage) -> NDArray[np.float32]:
    plain = vault.open(row.template_sealed or b"", owner=row.entry_id, purpose=TEMPLATE, object_id=row.id)
    return np.frombuffer(plain, "<f4", count=row.dim).astype(np.float32)
