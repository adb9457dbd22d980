"""Entries that need a signature of their own before the list may be used: children, and lesser cases (B3, B8).

A child under the policy's lowest age needs two: of an officer of the higher rank, and of a second officer.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.authority import Endorsed, SpecialListing, require_rank
from lfr.domain.errors import AuthorityError, Conflict, NotFound
from lfr.domain.policy import Policy
from lfr.domain.signing import instant
from lfr.services import audit, decisions, listed
from lfr.services.life import changing
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import SignedDecision, WatchlistEntry

YOUNGEST = "young-child"


def why(entry: WatchlistEntry, policy: Policy) -> str:
    """Which rule asks for a signature, in plain words; empty when none does."""
    young = {"minor", YOUNGEST} | ({"unknown"} if policy.ages.unknown_is_minor else set())
    if entry.age_band in young:
        return f"B8: {entry.age_band}"
    floor = policy.watchlist.min_max_sentence_years
    if entry.max_sentence_years is not None and entry.max_sentence_years < floor:
        return f"B3: maximum sentence below {floor:g} years"
    return ""


async def waiting(db: Database, deployment_id: UUID, policy: Policy) -> dict[UUID, str]:
    """Living entries that still need a signature, and why."""
    async with db.session() as session:
        rows = await session.exec(
            select(WatchlistEntry).where(
                col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.revoked_at).is_(None)
            )
        )
        return {entry.id: why(entry, policy) for entry in rows.all() if _open(entry, policy)}


def _open(entry: WatchlistEntry, policy: Policy) -> bool:
    if not why(entry, policy):
        return False
    return entry.special_decision is None or (entry.age_band == YOUNGEST and entry.special_approval is None)


async def draft(
    db: Database, deployment_id: UUID, entry_id: UUID, officer: str, reason: str, *, at: datetime | None = None
) -> SpecialListing:
    """What an officer would sign about an entry as it stands. Raises NotFound, Conflict."""
    async with db.session() as session:
        entry = await _entry(session, deployment_id, entry_id)
        leaf = await listed.leaf_now(session, entry)
    return SpecialListing(deployment_id, officer, instant(at or now()), entry.id, leaf, entry.age_band, reason)


async def decide(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    policy: Policy,
    registrar: str,
    at: datetime | None = None,
) -> bool:
    """Accept an Authorising Officer's signature for one entry. Returns whether the entry has all it needs now.

    Raises AuthorityError for too low a rank, a second signature of the same officer, another state of the entry than
    the one that stands, or no reason; SignatureInvalid, Conflict, NotFound.
    """
    at = at or now()
    async with changing(db, deployment_id) as (session, row):
        said, signer = decisions.accept(given, SpecialListing, row, registrar=registrar, at=at)
        entry = await _entry(session, deployment_id, said.entry_id)
        if not _open(entry, policy):
            raise Conflict(f"watchlist entry {entry.id} needs no signature", hint="see `lfr watchlist special`")
        if (said.leaf, said.age_band) != (await listed.leaf_now(session, entry), entry.age_band):
            raise AuthorityError("the entry is not the one that was signed for", hint="look at it again, then sign")
        if not said.reason.strip():
            raise AuthorityError("the decision gives no reason", hint="say why this person must be listed")
        first = entry.special_decision is None
        require_rank(signer, _least(entry, policy, first=first), policy)
        if not first and await _signer(session, entry) == said.officer:
            raise AuthorityError("the first signature is of the same officer", hint="another officer must approve")
        ordinal = await decisions.store(session, row, given, said.officer)
        await session.flush()
        kept = select(SignedDecision.id).where(
            col(SignedDecision.deployment_id) == row.id, col(SignedDecision.ordinal) == ordinal
        )
        decision_id = (await session.exec(kept)).one()
        if first:
            entry.special_decision = decision_id
        else:
            entry.special_approval = decision_id
        part = "decision" if first else "approval"
        payload = {"deployment": str(row.id), "part": part, "age_band": entry.age_band}
        audit.record(session, kind="watchlist.special", actor=said.officer, subject=str(entry.id), payload=payload)
        return not _open(entry, policy)


def _least(entry: WatchlistEntry, policy: Policy, *, first: bool) -> str:
    if entry.age_band == YOUNGEST and first:
        return policy.ages.young_child_rank
    return policy.ages.minor_rank if why(entry, policy).startswith("B8") else policy.authority.min_rank


async def _entry(session: AsyncSession, deployment_id: UUID, entry_id: UUID) -> WatchlistEntry:
    entry = await session.get(WatchlistEntry, entry_id)
    if entry is None or entry.deployment_id != deployment_id:
        raise NotFound(f"there is no watchlist entry {entry_id}", hint="`lfr watchlist list` shows the entries")
    if entry.revoked_at is not None:
        raise Conflict(f"watchlist entry {entry_id} was taken off the list")
    return entry


async def _signer(session: AsyncSession, entry: WatchlistEntry) -> str:
    query = select(SignedDecision.officer).where(col(SignedDecision.id) == entry.special_decision)
    return (await session.exec(query)).one()
