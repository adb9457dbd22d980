"""What must go and when: every period from the policy, every deletion by destroying keys, every object with a receipt.

G2, G3, G5, G6. Each function may be called again after a crash at any point, and goes on where it stopped. Deadlines
stand in the database and are held against `lfr.services.clock`, so that neither a restart nor a set clock moves them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.errors import Conflict, NotFound, StorageError
from lfr.domain.lifecycle import URGENT_LAPSED, WINDOW_OVER
from lfr.domain.policy import Policy
from lfr.services import balance, clock, holds, ledger, objects, shredding
from lfr.services.balance import Balance, reconcile
from lfr.services.life import changing, move
from lfr.storage.database import Database
from lfr.storage.models import Alert, AlertPicture, Deployment, EvidenceHold, StoredObject, WatchlistEntry
from lfr.storage.vault import Ring, Vault

__all__ = [
    "Balance",
    "close",
    "due",
    "purge_undecided",
    "reconcile",
    "shred_alerts",
    "shred_entries",
    "shred_revoked",
    "unactioned",
]

RECONCILED_EVERY = timedelta(hours=24)
GRACE = timedelta(seconds=2)
"""No periods of keeping anything: how often the books are checked; how long whoever watches the windows goes first."""

_log = log.get(__name__)


async def shred_entries(
    db: Database,
    vault: Vault,
    deployment_id: UUID,
    entry_ids: Collection[UUID],
    *,
    reason: str,
    at: datetime | None = None,
) -> int:
    """Destroy everything kept of these entries: templates, pictures, labels, details. reason: a code.

    Returns how many objects got their receipt. Raises StorageError.
    """
    at = at or (await clock.look(db)).at
    async with db.transaction() as session:
        await objects.let_go(session, deployment_id, entry_ids, reason=reason, at=at)
    done = await shredding.finish(db, vault, deployment_id, at)
    # Also of an entry that never got an object of its own.
    await vault.shred(Ring(deployment_id, "list"), entry_ids)
    async with db.transaction() as session:
        await shredding.blank_entries(session, entry_ids)
    return done


async def shred_alerts(
    db: Database,
    vault: Vault,
    deployment_id: UUID,
    alert_ids: Collection[UUID],
    *,
    reason: str,
    at: datetime | None = None,
) -> int:
    """Destroy the pictures of these alerts; those that are held stay. Returns how many objects got their receipt."""
    at = at or (await clock.look(db)).at
    async with db.transaction() as session:
        await objects.let_go(session, deployment_id, alert_ids, reason=reason, at=at)
    return await shredding.finish(db, vault, deployment_id, at)


async def shred_revoked(db: Database, vault: Vault, deployment_id: UUID, *, at: datetime | None = None) -> int:
    """Destroy what is kept of entries that were taken off the list and that no standing alert is about any more."""
    standing = select(Alert.entry_id).where(col(Alert.deployment_id) == deployment_id, col(Alert.shredded_at).is_(None))
    query = (
        select(WatchlistEntry.id)
        .join(StoredObject, col(StoredObject.owner_id) == col(WatchlistEntry.id))
        .where(
            col(WatchlistEntry.deployment_id) == deployment_id,
            col(WatchlistEntry.revoked_at).is_not(None),
            col(WatchlistEntry.id).not_in(standing),
            col(StoredObject.deployment_id) == deployment_id,
            col(StoredObject.deleted_at).is_(None),
        )
        .distinct()
    )
    async with db.session() as session:
        gone = (await session.exec(query)).all()
    return await shred_entries(db, vault, deployment_id, gone, reason="revoked", at=at) if gone else 0


async def purge_undecided(db: Database, vault: Vault, deployment_id: UUID, reason: str) -> int:
    """A stop: alerts that nobody acted on go at once, held ones stay. Returns how many objects got their receipt."""
    async with db.session() as session:
        standing = await _standing(session, deployment_id)
    return await shred_alerts(db, vault, deployment_id, standing, reason=reason) if standing else 0


async def _standing(session: AsyncSession, deployment_id: UUID) -> list[UUID]:
    held = await holds.held_alerts(session, deployment_id)
    query = select(Alert.id).where(col(Alert.deployment_id) == deployment_id, col(Alert.shredded_at).is_(None))
    return [alert_id for alert_id in (await session.exec(query)).all() if alert_id not in held]


async def unactioned(
    db: Database,
    vault: Vault,
    deployment_id: UUID,
    alert_ids: Collection[UUID],
    *,
    policy: Policy,
    at: datetime | None = None,
) -> int:
    """It was decided not to act on these alerts: they go after the policy's `alert_unactioned_seconds`, 0 = now (G2).

    Returns how many objects got their receipt by now.
    """
    at = at or (await clock.look(db)).at
    ends = at + timedelta(seconds=policy.retention.alert_unactioned_seconds)
    async with db.transaction() as session:
        for some in objects.chunks(alert_ids):
            sooner = (col(Alert.deployment_id) == deployment_id, col(Alert.id).in_(some), col(Alert.expires_at) > ends)
            await objects.bulk(session, update(Alert).where(*sooner).values(expires_at=ends))
    return await _expired_alerts(db, vault, at) if ends <= at else 0


async def close(db: Database, vault: Vault, deployment_id: UUID, *, reason: str, at: datetime | None = None) -> int:
    """Destroy everything of a deployment that is not held: list, alerts, its own keys, pictures of signs (G3, B12).

    Does not change its state. Returns how many objects got their receipt. Raises Conflict while it is not over,
    NotFound, StorageError.
    """
    async with db.session() as session:
        row = await session.get(Deployment, deployment_id)
    if row is None:
        raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
    if row.state not in {"ended", "closed"}:
        raise Conflict(f"the deployment is {row.state}", hint="end it first: what is closed cannot go on")
    return await _close(db, vault, deployment_id, reason=reason, at=at or (await clock.look(db)).at)


async def _close(db: Database, vault: Vault, deployment_id: UUID, *, reason: str, at: datetime) -> int:
    async with db.transaction() as session:
        await objects.let_go(session, deployment_id, None, reason=reason, at=at)
    # From here on no hold can be placed, since all that is not held is going.
    held = await holds.settle(db, vault, deployment_id)
    for name in ("list", "alerts", "deployment"):
        await vault.shred(Ring(deployment_id, name))
    stray = (await vault.keys.fetch(Ring(deployment_id, "held"), None)).keys() - held
    if stray:
        await vault.shred(Ring(deployment_id, "held"), stray)
    done = await shredding.receipts(db, deployment_id, at)
    await _sweep_up(db, deployment_id, held, at)
    return done


async def _sweep_up(db: Database, deployment_id: UUID, held: set[UUID], at: datetime) -> None:
    """Sealed bytes without an object of their own, of which no receipt speaks: their keys are gone with the rings."""
    sealed = select(WatchlistEntry.id).where(
        col(WatchlistEntry.deployment_id) == deployment_id, col(WatchlistEntry.label_mac).is_not(None)
    )
    alerts = (
        select(AlertPicture.alert_id)
        .join(Alert, col(Alert.id) == col(AlertPicture.alert_id))
        .where(col(Alert.deployment_id) == deployment_id)
        .distinct()
    )
    async with db.transaction() as session:
        await shredding.blank_entries(session, (await session.exec(sealed)).all())
        left = [alert_id for alert_id in (await session.exec(alerts)).all() if alert_id not in held]
        await shredding.blank_alerts(session, left, at)


async def due(db: Database, vault: Vault, policy: Policy, at: datetime | None = None) -> int:
    """One sweep over all timers. at: the wall clock, if not the machine's own.

    What an earlier sweep left half done, alerts and holds whose time is over, entries taken off, deployments whose
    window or urgent authority is over and lists whose time after it is, old ledger rows, and once a day the books.
    Deployments planned under another policy keep to the periods of that one only where it is `policy`; the deadlines of
    alerts were set when they were raised. Returns how many objects got their receipt.
    """
    time = (await clock.look(db, clock.read(at))).at
    async with db.session() as session:
        half_done = await objects.unfinished(session)
    done = 0
    for deployment_id in half_done:
        done += await shredding.finish(db, vault, deployment_id, time)
    await holds.lapse(db, vault, time)
    for deployment_id in {hold.deployment_id for hold in await holds.list_holds(db)}:
        await holds.settle(db, vault, deployment_id)
    done += await _expired_alerts(db, vault, time)
    await _end_what_is_over(db, time)
    done += await _lists(db, vault, policy, time)
    await ledger.expire(db, time)
    await _books(db, vault, time)
    return done


async def _expired_alerts(db: Database, vault: Vault, at: datetime) -> int:
    held = select(EvidenceHold.alert_id).where(col(EvidenceHold.released_at).is_(None))
    query = select(Alert.deployment_id, Alert.id).where(
        col(Alert.expires_at) <= at, col(Alert.shredded_at).is_(None), col(Alert.id).not_in(held)
    )
    async with db.session() as session:
        over: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for deployment_id, alert_id in (await session.exec(query)).all():
            over[deployment_id].append(alert_id)
    done = 0
    for deployment_id, alert_ids in over.items():
        done += await shred_alerts(db, vault, deployment_id, alert_ids, reason="expired", at=at)
    return done


async def _end_what_is_over(db: Database, at: datetime) -> None:
    """Windows that ended while nobody was there to see it (A3), and urgent authorities that lapsed (A4).

    Whoever recognises is told by the supervisor (`mandates.settle`), which goes first.
    """
    at, now = at - GRACE, at
    open_ones = select(Deployment).where(col(Deployment.state).not_in(("ended", "closed")))
    async with db.session() as session:
        rows = (await session.exec(open_ones)).all()
    for row in rows:
        lapsed = row.urgent_confirm_by is not None and row.urgent_confirm_by <= at
        if lapsed or (row.ends_at is not None and row.ends_at <= at):
            async with changing(db, row.id) as (session, found):
                if found.state in {"ended", "closed"} or (found.ends_at, found.urgent_confirm_by) != (
                    row.ends_at,
                    row.urgent_confirm_by,
                ):
                    continue
                move(session, found, "end", by="system", at=now, reason=URGENT_LAPSED if lapsed else WINDOW_OVER)
                found.ended_at = now


async def _lists(db: Database, vault: Vault, policy: Policy, at: datetime) -> int:
    async with db.session() as session:
        rows = (await session.exec(select(Deployment).where(col(Deployment.state) != "closed"))).all()
    done = 0
    for row in rows:
        kept = timedelta(hours=policy.retention.watchlist_hours if row.policy_digest == policy.digest else 0)
        if row.state == "ended" and (row.state_reason == URGENT_LAPSED or (row.ended_at or at) + kept <= at):
            why = URGENT_LAPSED if row.state_reason == URGENT_LAPSED else "closed"
            done += await _close(db, vault, row.id, reason=why, at=at)
            async with changing(db, row.id) as (session, found):
                if found.state == "ended":
                    move(session, found, "close", by="system", at=at, reason="closed")
                    found.closed_at = at
        else:
            done += await shred_revoked(db, vault, row.id, at=at)
    return done


async def _books(db: Database, vault: Vault, at: datetime) -> None:
    """Count once a day, and once more after the close, what was made against what is there."""
    async with db.session() as session:
        rows = (await session.exec(select(Deployment))).all()
    for row in rows:
        counted = row.reconciled_at
        again = counted is None or at - counted >= RECONCILED_EVERY
        if row.state == "closed" and counted is not None and row.closed_at is not None:
            again = counted <= row.closed_at or (again and await _has_objects(db, row.id, held=True))
        if again and await _has_objects(db, row.id):
            try:
                await balance.reconcile(db, vault, row.id, at=at)
            except StorageError as error:
                # The sweep goes on: what must go does not wait for the books.
                _log.error("retention.not-reconciled", deployment=str(row.id), reason=error.message)


async def _has_objects(db: Database, deployment_id: UUID, *, held: bool = False) -> bool:
    query = select(StoredObject.id).where(col(StoredObject.deployment_id) == deployment_id).limit(1)
    if held:
        query = query.where(col(StoredObject.hold_id).is_not(None), col(StoredObject.deleted_at).is_(None))
    async with db.session() as session:
        return (await session.exec(query)).first() is not None
