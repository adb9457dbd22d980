"""The digest of a stored list: what an Authorising Officer approves, and what the matcher checks before it uses it.

A leaf stands in an entry's row from the moment somebody signed for it. So whatever has none waits for an amendment.
"""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.list_digest import ListDigest, digest_of, image_digest, leaf_of
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage

__all__ = ["digest", "digest_of", "keep_leaves", "kept_leaves", "list_digest"]


async def digest(db: Database, deployment_id: UUID) -> ListDigest:
    """The list as it stands."""
    async with db.session() as session:
        return await list_digest(session, deployment_id)


async def list_digest(session: AsyncSession, deployment_id: UUID) -> ListDigest:
    """As `digest`, in the caller's session: whoever signs for a list compares it in the same transaction."""
    living, images = await _living_leaves(session, deployment_id)
    leaves = frozenset(living.values()) | await _gone(session, deployment_id)
    return ListDigest(digest_of(leaves), leaves, living, images)


async def _living_leaves(session: AsyncSession, deployment_id: UUID) -> tuple[dict[UUID, str], int]:
    """Entry -> the leaf that its rows make as they stand, of everybody listed now; and how many pictures there are."""
    pictures: defaultdict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    sealed = select(WatchlistImage.entry_id, WatchlistImage.id, WatchlistImage.template_sealed).where(
        col(WatchlistImage.deployment_id) == deployment_id, col(WatchlistImage.template_sealed).is_not(None)
    )
    for entry_id, image_id, template in await session.exec(sealed):
        pictures[entry_id].append((image_id, image_digest(template or b"")))
    entries = select(WatchlistEntry.id, WatchlistEntry.category, WatchlistEntry.action).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
    )
    living = {
        entry_id: leaf_of(entry_id, category, action, pictures[entry_id])
        for entry_id, category, action in (await session.exec(entries)).all()
    }
    return living, sum(len(pictures[entry_id]) for entry_id in living)


async def leaf_now(session: AsyncSession, entry: WatchlistEntry) -> str:
    """The leaf that one entry's rows make as they stand."""
    query = select(WatchlistImage.id, WatchlistImage.template_sealed).where(
        col(WatchlistImage.entry_id) == entry.id, col(WatchlistImage.template_sealed).is_not(None)
    )
    pictures = [(image_id, image_digest(template or b"")) for image_id, template in await session.exec(query)]
    return leaf_of(entry.id, entry.category, entry.action, pictures)


async def _gone(session: AsyncSession, deployment_id: UUID) -> frozenset[str]:
    """Leaves of approved entries that were taken off since."""
    query = select(WatchlistEntry.leaf).where(
        col(WatchlistEntry.deployment_id) == deployment_id,
        col(WatchlistEntry.revoked_at).is_not(None),
        col(WatchlistEntry.leaf).is_not(None),
    )
    return frozenset(leaf for leaf in await session.exec(query) if leaf is not None)


async def keep_leaves(session: AsyncSession, found: ListDigest) -> None:
    """Write each living entry's leaf into its row: somebody has signed for them.

    found: what `list_digest` gave in this same transaction.
    """
    changed = [{"id": entry_id, "leaf": leaf} for entry_id, leaf in found.living.items()]
    if changed:
        await session.flush()
        await session.exec(
            update(WatchlistEntry), params=changed
        )  # one prepared statement for all rows, by primary key


async def kept_leaves(session: AsyncSession, deployment_id: UUID) -> frozenset[str]:
    """The leaves that stand in the rows: those of the approved list, with its amendments."""
    query = select(WatchlistEntry.leaf).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.leaf).is_not(None)
    )
    return frozenset(leaf for leaf in await session.exec(query) if leaf is not None)
