"""Raising and reading alerts. One transaction writes the alert, its sealed pictures, its audit entry and its number."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.alerts import AlertReceipt, AlertRecord, RaisedAlert
from lfr.domain.errors import NotFound
from lfr.services import audit, objects
from lfr.storage.columns import moment, now
from lfr.storage.database import Database
from lfr.storage.models import Alert, AlertPicture, AuditSequence, Deployment, StoredObject, WatchlistEntry
from lfr.storage.vault import Ring, Vault

Kind = Literal["probe", "scene"]
_OVER = ("stopped", "suspended", "ended", "closed")
_log = log.get(__name__)


async def raise_alert(
    db: Database, vault: Vault, raised: RaisedAlert, *, cooldown_s: float, keep: timedelta
) -> AlertReceipt:
    """Write an alert; when this returns, it is on the disk and numbered. Calling again with the same alert is safe.

    duplicate: this very alert (same deployment, camera, run, transit and entry) stands already, committed_at is when it
    was written. muted: nothing was written, because another transit's alert for the entry on the camera lies less than
    cooldown_s seconds away (by media_s within one run, by frame_at across runs), the entry has been revoked, or the
    deployment was stopped or is over.
    keep: how long its pictures may stay at the most (G2), from the policy. Raises NotFound for an unknown entry,
    StorageError when nothing was written.
    """
    alert_id = raised.id
    async with db.session() as session:
        answer = await _answered(session, raised, cooldown_s)
    if answer is not None:
        return answer
    # The key is durable before anything sealed with it; one that seals nothing in the end goes with its ring.
    await vault.make(_ring(raised.deployment_id), [alert_id])
    pictures = [
        AlertPicture(alert_id=alert_id, kind=kind, sealed=_seal(vault, plain, kind, alert_id))
        for kind, plain in (("probe", raised.probe_jpeg), ("scene", raised.scene_jpeg))
    ]
    async with db.transaction() as session:
        # From here on this is the only transaction that raises alerts: what is looked up stays true until the commit.
        await db.lock_log(session)
        answer = await _answered(session, raised, cooldown_s)
        if answer is not None:
            return answer
        kinds = [f"alert-{picture.kind}" for picture in pictures]
        made = objects.created(session, raised.deployment_id, alert_id, kinds)
        payload = _payload(raised) | {"objects": objects.ids(made)}
        entry_id = audit.record(session, kind="alert.raised", actor="system", subject=str(alert_id), payload=payload)
        session.add(_row(raised, entry_id, keep))
        session.add_all(pictures)
        await audit.sequence_within(db, session)
    committed_at = time.time()
    _log.info("alert.raised", alert=str(alert_id), camera=raised.camera, transit=raised.transit)
    return AlertReceipt(alert_id, committed_at)


async def _answered(session: AsyncSession, raised: RaisedAlert, cooldown_s: float) -> AlertReceipt | None:
    """The receipt of an alert that stands already or may not be raised. Raises NotFound."""
    present = await session.get(Alert, raised.id)
    if present is not None:
        return AlertReceipt(raised.id, present.raised_at.timestamp(), duplicate=True)
    if await _revoked(session, raised) or await _over(session, raised) or await _cooling(session, raised, cooldown_s):
        return AlertReceipt(raised.id, time.time(), muted=True)
    return None


async def _over(session: AsyncSession, raised: RaisedAlert) -> bool:
    """Whether recognition was stopped or ended while the alert was on its way: what is purged must not come back."""
    state = (await session.exec(select(Deployment.state).where(col(Deployment.id) == raised.deployment_id))).first()
    return state in _OVER


async def _revoked(session: AsyncSession, raised: RaisedAlert) -> bool:
    entry = await session.get(WatchlistEntry, raised.entry_id)
    if entry is None or entry.deployment_id != raised.deployment_id:
        raise NotFound(f"there is no watchlist entry {raised.entry_id} in this deployment")
    return entry.revoked_at is not None


async def _cooling(session: AsyncSession, raised: RaisedAlert, cooldown_s: float) -> bool:
    """Alerts may be written out of order, so one that is later in time mutes as well."""
    at, span = moment(raised.frame_at), timedelta(seconds=cooldown_s)
    same_run = and_(
        col(Alert.run) == raised.run,
        col(Alert.media_s) > raised.media_s - cooldown_s,
        col(Alert.media_s) < raised.media_s + cooldown_s,
    )
    other_run = and_(col(Alert.run) != raised.run, col(Alert.frame_at) > at - span, col(Alert.frame_at) < at + span)
    found = await session.exec(
        select(Alert.id)
        .where(
            col(Alert.deployment_id) == raised.deployment_id,
            col(Alert.camera) == raised.camera,
            col(Alert.entry_id) == raised.entry_id,
            or_(same_run, other_run),
        )
        .limit(1)
    )
    return found.first() is not None


async def list_alerts(db: Database, deployment_id: UUID, *, after_seq: int = 0, limit: int = 100) -> list[AlertRecord]:
    """At most `limit` alerts numbered above `after_seq`, in the order they were raised."""
    async with db.session() as session:
        rows = (
            await session.exec(
                select(Alert, AuditSequence.seq)
                .join(AuditSequence, col(AuditSequence.entry_id) == col(Alert.audit_entry_id))
                .where(col(Alert.deployment_id) == deployment_id, col(AuditSequence.seq) > after_seq)
                .order_by(col(AuditSequence.seq))
                .limit(limit)
            )
        ).all()
    return [_record(row, seq) for row, seq in rows]


async def newest_alerts(db: Database, deployment_id: UUID, *, limit: int = 100) -> list[AlertRecord]:
    """At most `limit` alerts, the newest first: what a screen shows when it is opened."""
    async with db.session() as session:
        rows = (
            await session.exec(
                select(Alert, AuditSequence.seq)
                .join(AuditSequence, col(AuditSequence.entry_id) == col(Alert.audit_entry_id))
                .where(col(Alert.deployment_id) == deployment_id)
                .order_by(col(AuditSequence.seq).desc())
                .limit(limit)
            )
        ).all()
    return [_record(row, seq) for row, seq in rows]


async def get_alert(db: Database, alert_id: UUID) -> AlertRecord:
    """Raises NotFound."""
    async with db.session() as session:
        row = (
            await session.exec(
                select(Alert, AuditSequence.seq)
                .join(AuditSequence, col(AuditSequence.entry_id) == col(Alert.audit_entry_id))
                .where(col(Alert.id) == alert_id)
            )
        ).first()
    if row is None:
        raise NotFound(f"there is no alert {alert_id}")
    return _record(*row)


async def alert_picture(db: Database, vault: Vault, alert_id: UUID, kind: Kind) -> bytes:
    """JPEG bytes of the probe's face or of the pixelated scene. Raises NotFound, VaultError."""
    held = select(StoredObject.hold_id).where(col(StoredObject.owner_id) == alert_id)
    async with db.session() as session:
        alert = await session.get(Alert, alert_id)
        picture = await session.get(AlertPicture, (alert_id, kind))
        holds = [] if alert is None else (await session.exec(held.where(_of(alert)))).all()
    if alert is None or picture is None:
        raise NotFound(f"there is no {kind} picture of alert {alert_id}", hint="pictures go when their time is over")
    held_ring = Ring(alert.deployment_id, "held")
    moved = any(holds) and await vault.keys.fetch(held_ring, [alert_id])
    await vault.load(held_ring if moved else _ring(alert.deployment_id), [alert_id])
    return vault.open(picture.sealed, owner=alert_id, purpose=f"alert {kind}", object_id=alert_id)


def _of(alert: Alert) -> ColumnElement[bool]:
    return col(StoredObject.deployment_id) == alert.deployment_id


def _ring(deployment_id: UUID) -> Ring:
    return Ring(deployment_id, "alerts")


def _seal(vault: Vault, plain: bytes, kind: str, alert_id: UUID) -> bytes:
    return vault.seal(plain, owner=alert_id, purpose=f"alert {kind}", object_id=alert_id)


def _payload(raised: RaisedAlert) -> dict[str, Any]:
    return {
        "deployment": str(raised.deployment_id),
        "camera": raised.camera,
        "run": raised.run,
        "transit": raised.transit,
        "entry": str(raised.entry_id),
        "score": float(raised.score),
        "threshold": float(raised.threshold),
        "gap": float(raised.gap),
        "shots": raised.shots,
        "frame": raised.frame,
        "media_s": float(raised.media_s),
        "frame_at": float(raised.frame_at),
    }


def _row(raised: RaisedAlert, audit_entry_id: UUID, keep: timedelta) -> Alert:
    x, y, w, h = (int(value) for value in raised.box)
    raised_at = now()
    return Alert(
        id=raised.id,
        deployment_id=raised.deployment_id,
        camera=raised.camera,
        run=raised.run,
        transit=raised.transit,
        entry_id=raised.entry_id,
        audit_entry_id=audit_entry_id,
        score=float(raised.score),
        threshold=float(raised.threshold),
        gap=float(raised.gap),
        shots=raised.shots,
        frame=raised.frame,
        media_s=float(raised.media_s),
        frame_at=moment(raised.frame_at),
        first_shot_at=moment(raised.first_shot_at),
        box_x=x,
        box_y=y,
        box_w=w,
        box_h=h,
        raised_at=raised_at,
        expires_at=raised_at + keep,
    )


def _record(row: Alert, seq: int) -> AlertRecord:
    return AlertRecord(
        seq=seq,
        id=row.id,
        deployment_id=row.deployment_id,
        camera=row.camera,
        run=row.run,
        transit=row.transit,
        entry_id=row.entry_id,
        score=row.score,
        threshold=row.threshold,
        gap=row.gap,
        shots=row.shots,
        frame=row.frame,
        media_s=row.media_s,
        frame_at=row.frame_at,
        first_shot_at=row.first_shot_at,
        box=(row.box_x, row.box_y, row.box_w, row.box_h),
        raised_at=row.raised_at,
    )
