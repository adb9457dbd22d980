"""The morning's look at every status: what the source system still wants, and what it has withdrawn (B4).

CSV with the columns nominal_ref and status, or JSON: a list of such objects, or {"as_of": ..., "statuses": [...]}.
Whoever is not named stays as old as before, and is stale a day later.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlmodel import col, select

from lfr.domain.errors import Conflict, WatchlistError
from lfr.domain.ledger import normalised
from lfr.services import audit, entries
from lfr.services.list_writer import nominal_mac
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry
from lfr.storage.vault import Vault

Status = Literal["current", "withdrawn"]
MOST_BYTES = 64 << 20
WITHDRAWN = "withdrawn"
_HINT = 'give CSV with the columns nominal_ref,status or JSON; a status is "current" or "withdrawn"'


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person's status."""

    nominal_ref: str
    status: Status


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole feed. as_of: when the source system was asked; None = now."""

    statuses: tuple[Line, ...]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedResult:
    """digest: SHA-256 of the feed, as it is logged. confirmed, unknown: counts; withdrawn: entries taken off.

    unknown: references that are not on this list; unnamed: entries that the feed does not name, which stay as they are.
    """

    digest: str
    confirmed: int
    withdrawn: tuple[UUID, ...]
    unknown: int
    unnamed: int


def read_feed(data: bytes) -> Feed:
    """The feed, whole or not at all. Raises WatchlistError."""
    if len(data) > MOST_BYTES:
        raise WatchlistError("the status feed is too large", hint=f"at most {MOST_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
        feed = _json(text) if text.lstrip().startswith(("{", "[")) else _csv(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, csv.Error, ValueError):
        raise WatchlistError("the status feed cannot be read, so nothing was changed", hint=_HINT) from None
    said: dict[str, Status] = {}
    for line in feed.statuses:
        try:
            contradicts = said.setdefault(normalised(line.nominal_ref), line.status) != line.status
        except Conflict:
            contradicts = True
        if contradicts:
            raise WatchlistError(
                "the status feed has what is no reference, or two statuses for one, so nothing was changed", hint=_HINT
            )
    return feed


def _json(text: str) -> Feed:
    if text.lstrip().startswith("["):
        return Feed(msgspec.json.decode(text, type=tuple[Line, ...]))
    return msgspec.json.decode(text, type=Feed)


def _csv(text: str) -> Feed:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if sorted((name or "").strip().lower() for name in reader.fieldnames or ()) != ["nominal_ref", "status"]:
        raise ValueError
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    lines = [{name: cell.strip() if isinstance(cell, str) else cell for name, cell in row.items()} for row in reader]
    return Feed(msgspec.convert(lines, tuple[Line, ...]))


async def apply(
    db: Database, vault: Vault, deployment_id: UUID, data: bytes, *, by: str, at: datetime | None = None
) -> FeedResult:
    """Take a feed in, all in one transaction: confirmed statuses are renewed, withdrawn people taken off at once.

    Needs no approval and no connection. Raises WatchlistError and changes nothing when the feed cannot be read whole
    or lies in the future.
    """
    feed, present = read_feed(data), at or now()
    as_of = feed.as_of or present
    if as_of.tzinfo is None or as_of > present:
        raise WatchlistError("the status feed has a time without a zone, or in the future", hint="see as_of")
    digest = hashlib.sha256(data).hexdigest()
    said = {await nominal_mac(vault, deployment_id, line.nominal_ref) or b"": line.status for line in feed.statuses}
    async with db.transaction() as session:
        await db.lock_log(session)
        rows = (
            await session.exec(
                select(WatchlistEntry.id, WatchlistEntry.nominal_mac, WatchlistEntry.status_at).where(
                    col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
                )
            )
        ).all()
        named = [(entry_id, said[mac], before) for entry_id, mac, before in rows if mac is not None and mac in said]
        gone = [entry_id for entry_id, status, _ in named if status == WITHDRAWN]
        for entry_id in gone:
            entry = await session.get_one(WatchlistEntry, entry_id)
            await entries.revoke_within(session, entry, by=by, reason=WITHDRAWN)
        still = [(entry_id, before) for entry_id, status, before in named if status != WITHDRAWN]
        renewed = [{"id": one, "status_at": as_of} for one, before in still if before is None or before < as_of]
        if renewed:
            await session.flush()
            await session.exec(update(WatchlistEntry), params=renewed)
        result = FeedResult(
            digest, len(still), tuple(gone), len(said.keys() - {mac for _, mac, _ in rows}), len(rows) - len(named)
        )
        payload = {
            "deployment": str(deployment_id),
            "feed": digest,
            "confirmed": result.confirmed,
            "withdrawn": len(gone),
            "unknown": result.unknown,
        }
        audit.record(session, kind="watchlist.rechecked", actor=by, subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
    return result
