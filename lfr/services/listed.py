"""The digest of a list: what an Authorising Officer approves, and what the matcher checks before it uses the list."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.canonical import canonical
from lfr.storage.models import WatchlistEntry, WatchlistImage


@dataclass(frozen=True, slots=True)
class ListDigest:
    """digest: SHA-256 over the sorted leaves, 64 hex digits. entries, images: of the people who are listed now."""

    digest: str
    leaves: frozenset[str]
    entries: int
    images: int


async def list_digest(session: AsyncSession, deployment_id: UUID) -> ListDigest:
    """The list as it stands. An entry that was taken off counts with the leaf it had, so that a removal needs no new
    approval.
    """
    entries = (
        await session.exec(select(WatchlistEntry).where(col(WatchlistEntry.deployment_id) == deployment_id))
    ).all()
    images = await _images(session, deployment_id)
    living = [entry for entry in entries if entry.revoked_at is None]
    leaves = {_leaf(entry, images[entry.id]) for entry in living}
    leaves |= {entry.leaf for entry in entries if entry.revoked_at is not None and entry.leaf is not None}
    count = sum(len(images[entry.id]) for entry in living)
    return ListDigest(digest_of(leaves), frozenset(leaves), len(living), count)


async def _images(session: AsyncSession, deployment_id: UUID) -> defaultdict[UUID, list[list[str]]]:
    images: defaultdict[UUID, list[list[str]]] = defaultdict(list)
    query = select(WatchlistImage.entry_id, WatchlistImage.id, WatchlistImage.template_sealed).where(
        col(WatchlistImage.deployment_id) == deployment_id
    )
    for entry_id, image_id, sealed in await session.exec(query):
        if sealed is not None:
            images[entry_id].append([str(image_id), hashlib.sha256(sealed).hexdigest()])
    return images


def _leaf(entry: WatchlistEntry, images: list[list[str]]) -> str:
    said = {"id": str(entry.id), "category": entry.category, "action": entry.action, "images": sorted(images)}
    return hashlib.sha256(canonical(said)).hexdigest()


def digest_of(leaves: frozenset[str] | set[str]) -> str:
    """SHA-256 over the sorted leaves, 64 hex digits."""
    return hashlib.sha256("".join(sorted(leaves)).encode()).hexdigest()


async def keep_leaves(session: AsyncSession, deployment_id: UUID) -> None:
    """Write each living entry's leaf into its row, so that it is still known after the entry is taken off."""
    query = select(WatchlistEntry).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
    )
    images = await _images(session, deployment_id)
    for entry in (await session.exec(query)).all():
        entry.leaf = _leaf(entry, images[entry.id])


async def kept_leaves(session: AsyncSession, deployment_id: UUID) -> frozenset[str]:
    """The leaves that stand in the rows: those of the approved list."""
    query = select(WatchlistEntry.leaf).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.leaf).is_not(None)
    )
    return frozenset(leaf for leaf in await session.exec(query) if leaf is not None)
