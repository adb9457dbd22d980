"""Evidence of the signs and notices at the place (C4): photographs before the start, a tap each hour."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

from PIL import Image as Pillow
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import Conflict, NotFound, WatchlistError
from lfr.domain.faces import Image
from lfr.domain.gates import SignsState, signs_state
from lfr.domain.policy import Policy
from lfr.services import audit, facts
from lfr.services.life import plan_of
from lfr.services.pictures import Refused, decode
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.keystore import Ring
from lfr.storage.models import Deployment, SignEvidence, StoredObject
from lfr.storage.vault import Vault

PURPOSE = "sign-picture"
_SIDE = 1600
_QUALITY = 85
_OVER = ("ended", "closed")
_TAKEN, _GPS, _MADE_BY = 0x9003, 0x8825, 0x0131  # EXIF: DateTimeOriginal, GPS IFD, Software
_EXIF = 0x8769


async def add_photo(
    db: Database,
    vault: Vault,
    deployment_id: UUID,
    item: str,
    picture: bytes,
    *,
    policy: Policy,
    by: str,
    latitude: float | None = None,
    longitude: float | None = None,
    at: datetime | None = None,
) -> SignEvidence:
    """Keep a photograph of one item, sealed under the deployment's key; it goes when the deployment is closed.

    picture: JPEG, PNG, WebP or BMP. It is drawn anew: nothing of its file is kept but the pixels, at most 1,600 a side;
    time and place are written into it. latitude, longitude: degrees, where the device was; a photograph without them
    proves nothing of the place and opens no gate.
    Raises Conflict for an item the policy does not have or a deployment that is over, WatchlistError for a picture that
    cannot be read, NotFound.
    """
    at = at or now()
    if item not in policy.signs.items:
        known = ", ".join(policy.signs.items) or "none"
        raise Conflict(f"the policy asks for no photograph of {item[:63]!r}", hint=f"it asks for: {known}")
    _place(latitude, longitude)
    drawn = decode(picture)
    if isinstance(drawn, Refused):
        raise WatchlistError(f"the photograph cannot be used: {drawn.detail or drawn.reason}")
    jpeg = _drawn_anew(drawn, at, latitude, longitude)
    made = SignEvidence(
        id=uuid4(), deployment_id=deployment_id, kind="photo", item=item, latitude=latitude, longitude=longitude,
        seen_at=at, seen_by=by,
    )  # fmt: skip
    await vault.make(Ring(deployment_id, "deployment"), [deployment_id])
    made.picture = vault.seal(jpeg, owner=deployment_id, purpose=PURPOSE, object_id=made.id)
    async with _looking(db, deployment_id) as (session, row):
        stored = StoredObject(id=made.id, deployment_id=deployment_id, owner_id=deployment_id, kind=PURPOSE)
        session.add_all([made, stored])
        payload = {"item": item, "metres": _metres(row, made), "objects": [str(stored.id)]}
        audit.record(session, kind="signs.photographed", actor=by, subject=str(deployment_id), payload=payload)
    return made


async def confirm(
    db: Database,
    deployment_id: UUID,
    *,
    policy: Policy,
    by: str,
    latitude: float | None = None,
    longitude: float | None = None,
    at: datetime | None = None,
) -> SignsState:
    """One tap: everything that was photographed still stands. Returns when the next look is due.

    Raises Conflict while photographs are missing, from a device that says it is elsewhere, or for a deployment that is
    over; NotFound.
    """
    at = at or now()
    _place(latitude, longitude)
    async with _looking(db, deployment_id) as (session, row):
        state = signs_state(policy, await facts.looks(session, row), at)
        if state.missing:
            raise Conflict(f"not photographed yet: {', '.join(state.missing)}", hint="photograph the signs first")
        made = SignEvidence(
            deployment_id=deployment_id, kind="confirmation", item="all", latitude=latitude, longitude=longitude,
            seen_at=at, seen_by=by,
        )  # fmt: skip
        away = _metres(row, made)
        if away is not None and away > policy.place_radius_m:
            raise Conflict(f"this device is {away:.0f} m away from the place", hint="confirm it at the place")
        session.add(made)
        payload = {"metres": away}
        audit.record(session, kind="signs.confirmed", actor=by, subject=str(deployment_id), payload=payload)
        await session.flush()
        return signs_state(policy, await facts.looks(session, row), at)


async def state(db: Database, deployment_id: UUID, *, policy: Policy, at: datetime | None = None) -> SignsState:
    """What is missing, and when the next look is due and overdue. Raises NotFound."""
    async with db.session() as session:
        row = await session.get(Deployment, deployment_id)
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
        return signs_state(policy, await facts.looks(session, row), at or now())


async def photos(db: Database, deployment_id: UUID) -> list[SignEvidence]:
    """The newest photograph of each item, without its picture being opened."""
    async with db.session() as session:
        query = select(SignEvidence).where(
            col(SignEvidence.deployment_id) == deployment_id, col(SignEvidence.kind) == "photo"
        )
        rows = (await session.exec(query.order_by(col(SignEvidence.seen_at)))).all()
    return list({row.item: row for row in rows}.values())


async def photo(db: Database, vault: Vault, deployment_id: UUID, evidence_id: UUID) -> bytes:
    """A photograph as JPEG. Raises NotFound, VaultError once it was shredded."""
    async with db.session() as session:
        query = select(SignEvidence).where(
            col(SignEvidence.id) == evidence_id, col(SignEvidence.deployment_id) == deployment_id
        )
        found = (await session.exec(query)).first()
    if found is None or found.picture is None:
        raise NotFound("there is no such photograph")
    await vault.load(Ring(deployment_id, "deployment"), [deployment_id])
    return vault.open(found.picture, owner=deployment_id, purpose=PURPOSE, object_id=found.id)


@asynccontextmanager
async def _looking(db: Database, deployment_id: UUID) -> AsyncIterator[tuple[AsyncSession, Deployment]]:
    """A transaction beside a deployment, which stays as it is: a look changes neither plan nor version."""
    async with db.transaction() as session:
        row = (await session.exec(select(Deployment).where(col(Deployment.id) == deployment_id))).first()
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
        if row.state in _OVER:
            raise Conflict(f"the deployment is {row.state}")
        yield session, row
        await audit.sequence_within(db, session)


def _place(latitude: float | None, longitude: float | None) -> None:
    if (latitude is None) != (longitude is None):
        raise Conflict("a place has a latitude and a longitude")
    if latitude is not None and longitude is not None and not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise Conflict("latitude and longitude are degrees, -90 to 90 and -180 to 180")


def _metres(row: Deployment, look: SignEvidence) -> float | None:
    away = facts.metres(plan_of(row), look.latitude, look.longitude)
    return None if away is None else round(away, 1)


def _drawn_anew(picture: Image, at: datetime, latitude: float | None, longitude: float | None) -> bytes:
    """JPEG bytes with no metadata but our own: the moment in UTC, and where the device was."""
    drawn = Pillow.fromarray(picture[:, :, ::-1])
    drawn.thumbnail((_SIDE, _SIDE))
    exif = Pillow.Exif()
    exif[_MADE_BY] = "lfr"
    exif.get_ifd(_EXIF)[_TAKEN] = at.astimezone(UTC).strftime("%Y:%m:%d %H:%M:%S")
    if latitude is not None and longitude is not None:
        exif.get_ifd(_GPS).update(
            {1: "N" if latitude >= 0 else "S", 2: _sexagesimal(latitude), 3: "E" if longitude >= 0 else "W",
             4: _sexagesimal(longitude)}
        )  # fmt: skip
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, exif=exif)
    return out.getvalue()


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole, rest = divmod(abs(degrees), 1)
    minutes, rest = divmod(rest * 60, 1)
    return whole, minutes, round(rest * 60, 3)
