"""Evidential holds: an alert's pictures kept beyond their time, for a reason that the policy names (G2).

The hold is written first, then the key moves to the ring `held`; `settle` ends a move that a crash cut short. Whoever
shreds an alert destroys its key in both rings, so that nothing which is not held lives on in either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.audit.vocabulary.base import Short
from lfr.domain.errors import Conflict, NotFound
from lfr.domain.policy import Policy
from lfr.services import audit, clock, objects, shredding
from lfr.storage.database import Database
from lfr.storage.models import Alert, Deployment, EvidenceHold, StoredObject
from lfr.storage.vault import Ring, Vault

LEAST_DAYS = 1 / 24

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a hold is asked for. reason: a code of the policy; owner: who answers for it; days: how long."""

    reason: str
    reference: str
    owner: str
    days: float


async def place(
    db: Database, vault: Vault, alert_id: UUID, asked: Asked, *, policy: Policy, by: str, at: datetime | None = None
) -> EvidenceHold:
    """Keep one alert's pictures as evidence.

    Raises NotFound, and Conflict for a reason that is not the policy's, without a reference or an owner, for longer
    than the policy allows, or when the alert is held, destroyed, or about to be.
    """
    days = _checked(asked, policy)
    at = at or (await clock.look(db)).at
    async with db.transaction() as session:
        await db.lock_log(session)
        alert = (await session.exec(select(Alert).where(col(Alert.id) == alert_id).with_for_update())).first()
        if alert is None:
            raise NotFound(
                f"there is no alert {alert_id}", hint="GET /api/v1/alerts and the logs name alerts by their ids"
            )
        held = await _free_objects(session, alert, at)
        hold = EvidenceHold(
            deployment_id=alert.deployment_id,
            alert_id=alert_id,
            reason=asked.reason,
            reference=asked.reference.strip(),
            owner=asked.owner.strip(),
            placed_by=by,
            placed_at=at,
            expires_at=at + days,
        )
        session.add(hold)
        await session.flush()
        theirs = col(StoredObject.id).in_([one.id for one in held])
        await objects.bulk(session, update(StoredObject).where(theirs).values(hold_id=hold.id))
        payload = {"reason": hold.reason, "objects": objects.ids(held)}
        audit.record(session, kind="hold.placed", actor=by, subject=str(alert_id), payload=payload)
        await audit.sequence_within(db, session)
    await vault.move(Ring(hold.deployment_id, "alerts"), Ring(hold.deployment_id, "held"), [alert_id])
    _log.info("hold.placed", alert=str(alert_id), reason=hold.reason)
    return hold


def _checked(asked: Asked, policy: Policy) -> timedelta:
    known = {one.code: one for one in policy.holds}
    rule = known.get(asked.reason)
    if rule is None:
        raise Conflict(
            f"policy {policy.name} knows no such reason to keep an alert",
            hint=f"one of: {', '.join(known)}" if known else "under this policy nothing may be kept",
        )
    for value, what, needed in (
        (asked.reference, "a reference (case, complaint or request number)", rule.needs_reference),
        (asked.owner, "a named owner", True),
    ):
        if (needed or value.strip()) and not _is_short(value.strip()):
            raise Conflict(f"a hold needs {what}", hint="one line of 1 to 120 printable characters")
    if not LEAST_DAYS <= asked.days <= rule.max_days:
        raise Conflict(
            f"a hold for {rule.code} lasts at most {rule.max_days:g} days", hint="it can be placed again before it ends"
        )
    return timedelta(days=asked.days)


def _is_short(value: str) -> bool:
    try:
        msgspec.convert(value, Short)
    except msgspec.ValidationError:
        return False
    return True


async def _free_objects(session: AsyncSession, alert: Alert, at: datetime) -> list[StoredObject]:
    query = select(StoredObject).where(
        col(StoredObject.deployment_id) == alert.deployment_id, col(StoredObject.owner_id) == alert.id
    )
    found = list((await session.exec(query.with_for_update())).all())
    if alert.shredded_at is not None or any(one.deleted_at or one.going_at for one in found) or alert.expires_at <= at:
        raise Conflict(
            f"the pictures of alert {alert.id} are destroyed", hint="a hold must be placed before their time"
        )
    if any(one.hold_id for one in found):
        raise Conflict(f"alert {alert.id} is held already", hint="`lfr hold list` shows by whom and until when")
    return found


async def release(db: Database, vault: Vault, hold_id: UUID, *, by: str, at: datetime | None = None) -> bool:
    """End a hold. Whether its pictures were destroyed: their own time was over, or their deployment is.

    Raises NotFound, Conflict when it was released before.
    """
    at = at or (await clock.look(db)).at
    async with db.transaction() as session:
        await db.lock_log(session)
        hold = (
            await session.exec(select(EvidenceHold).where(col(EvidenceHold.id) == hold_id).with_for_update())
        ).first()
        if hold is None:
            raise NotFound(f"there is no hold {hold_id}", hint="`lfr hold list` shows them")
        if hold.released_at is not None:
            raise Conflict(f"hold {hold_id} was released already", hint="`lfr hold list --all` shows when")
        shredded = await _over(session, hold, at)
        hold.released_at = at
        free = update(StoredObject).where(col(StoredObject.hold_id) == hold_id)
        going = {"going_at": at, "going_for": "hold-released"} if shredded else {}
        await objects.bulk(session, free.values(hold_id=None, **going))
        payload = {"shredded": shredded}
        audit.record(session, kind="hold.released", actor=by, subject=str(hold.alert_id), payload=payload)
        await audit.sequence_within(db, session)
    if shredded:
        await shredding.finish(db, vault, hold.deployment_id, at)
    else:
        await vault.move(Ring(hold.deployment_id, "held"), Ring(hold.deployment_id, "alerts"), [hold.alert_id])
    _log.info("hold.released", alert=str(hold.alert_id), shredded=shredded)
    return shredded


async def _over(session: AsyncSession, hold: EvidenceHold, at: datetime) -> bool:
    alert = await session.get(Alert, hold.alert_id)
    deployment = await session.get(Deployment, hold.deployment_id)
    if alert is None or deployment is None:
        return True
    return alert.expires_at <= at or deployment.state in {"ended", "closed"}


async def list_holds(db: Database, *, released: bool = False) -> list[EvidenceHold]:
    """Those in force, by their end; with `released`, all."""
    query = select(EvidenceHold).order_by(col(EvidenceHold.expires_at), col(EvidenceHold.id))
    if not released:
        query = query.where(col(EvidenceHold.released_at).is_(None))
    async with db.session() as session:
        return list((await session.exec(query)).all())


async def held_alerts(session: AsyncSession, deployment_id: UUID) -> set[UUID]:
    """The alerts of a deployment that are held."""
    query = select(EvidenceHold.alert_id).where(
        col(EvidenceHold.deployment_id) == deployment_id, col(EvidenceHold.released_at).is_(None)
    )
    return set((await session.exec(query)).all())


async def settle(db: Database, vault: Vault, deployment_id: UUID) -> set[UUID]:
    """Have every held alert's key in the ring `held`, also where a crash came between. Returns the held alerts."""
    async with db.session() as session:
        held = await held_alerts(session, deployment_id)
    behind = await vault.keys.fetch(Ring(deployment_id, "alerts"), held) if held else {}
    if behind:
        await vault.move(Ring(deployment_id, "alerts"), Ring(deployment_id, "held"), behind)
    return held


async def lapse(db: Database, vault: Vault, at: datetime) -> int:
    """Release every hold whose time is over. Returns how many."""
    over = [hold for hold in await list_holds(db) if hold.expires_at <= at]
    for hold in over:
        await release(db, vault, hold.id, by="system", at=at)
    return len(over)
