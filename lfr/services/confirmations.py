"""The correct-person check: a second person confirms that an entry's pictures show whom the entry names (B7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlmodel import col, select

from lfr.domain.errors import Conflict, NotAllowed, NotFound
from lfr.services import audit
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage

_AT_ONCE = 500


async def confirm(db: Database, deployment_id: UUID, seen: Mapping[UUID, Collection[UUID] | None], *, by: str) -> int:
    """Confirm entries; all of them or none. Returns how many were not confirmed before.

    seen: entry -> the pictures that were looked at; None where the caller does not know. by: never whoever enrolled the
    entry. Raises NotAllowed for the same person, NotFound, Conflict when an entry was taken off or has other pictures
    by now: they were not looked at.
    """
    wanted = list(seen)
    confirmed = 0
    async with db.transaction() as session:
        await db.lock_log(session)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            found = await session.exec(
                select(WatchlistEntry).where(
                    col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.id).in_(part)
                )
            )
            entries = {entry.id: entry for entry in found.all()}
            images = await session.exec(
                select(WatchlistImage.entry_id, WatchlistImage.id).where(
                    col(WatchlistImage.deployment_id) == deployment_id, col(WatchlistImage.entry_id).in_(part)
                )
            )
            pictures: dict[UUID, set[UUID]] = {}
            for entry_id, image_id in images.all():
                pictures.setdefault(entry_id, set()).add(image_id)
            for entry_id in part:
                entry = _confirmable(entries.get(entry_id), entry_id, by)
                looked = seen[entry_id]
                if looked is not None and set(looked) != pictures.get(entry_id, set()):
                    raise Conflict(f"entry {entry_id} has other pictures by now", hint="look at them, then confirm")
                if entry.checked_at is None:
                    entry.checked_at, entry.checked_by = now(), by
                    confirmed += 1
            payload = {"deployment": str(deployment_id), "entries": [str(one) for one in part]}
            audit.record(session, kind="watchlist.confirmed", actor=by, subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
    return confirmed


def _confirmable(entry: WatchlistEntry | None, entry_id: UUID, by: str) -> WatchlistEntry:
    if entry is None:
        raise NotFound(f"there is no watchlist entry {entry_id}", hint="`lfr watchlist list` shows the entries")
    if entry.revoked_at is not None:
        raise Conflict(f"watchlist entry {entry_id} was taken off the list")
    if entry.added_by == by:
        raise NotAllowed(
            f"{by} enrolled entry {entry_id}", hint="a second person confirms that it shows the right one (B7)"
        )
    return entry
