"""Minting the mandate: the only way into `live`. And what the supervisor watches for: windows, lapses, aged lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlmodel import col, select

from lfr import log
from lfr.domain.authority import Authorisation, ListApproval
from lfr.domain.bundle import Bundle
from lfr.domain.errors import Conflict, MandateRefused
from lfr.domain.mandate import EARLY_S, Anchor, Mandate, verify
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed, instant, open_signed, sign
from lfr.services import audit, listed
from lfr.services.decisions import Chain, chain, read
from lfr.services.deployments import SYSTEM, must_be, require
from lfr.services.life import bundle_of, changing, mode_of, move, plan_of
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.node import Node

_log = log.get(__name__)


async def mint(
    db: Database,
    node: Node,
    deployment_id: UUID,
    *,
    policy: Policy,
    bundle: Bundle,
    at: datetime | None = None,
    by: str = SYSTEM,
) -> Signed:
    """The capability to recognise, when every gate is open: everything is looked at anew, nothing is remembered.

    A deployment that is `ready` or `paused` is `live` when this returns; for one that is live it is a fresh mandate
    (after an amendment, an extension, a confirmation or a restart of the supervisor). by: who goes live.
    Raises GateClosed with all that is missing, MandateRefused, Conflict, NotAllowed, NotFound.
    """
    at = at or now()
    async with changing(db, deployment_id) as (session, row):
        await must_be(row, "ready", "paused", "live")
        if row.state != "live":
            await require(session, "go-live", by, plan_of(row), policy)
        found = await listed.list_digest(session, row.id)
        standing = await chain(session, row.id)
        mandate = _mandate(row, standing, policy, bundle, found.digest, at)
        signed = sign(mandate, node.minter)
        force = plan_of(row).force
        anchor = Anchor(force, row.id, mandate.place, node.minter_key, node.registrar_key, policy, bundle.digest)
        verify(signed, anchor, at)  # what no verifier would accept is not given out
        _in_window(mandate, at)
        aged = _aged_at(standing, policy)
        if row.live_at is None and aged is not None and at > aged:
            raise MandateRefused("no mandate: the list was approved too long ago (B4)", code="list")
        if row.state == "ready":
            move(session, row, "go-live", by=by, at=at)
            row.live_at = row.live_at or at
        elif row.state == "paused":
            move(session, row, "resume", by=by, at=at)
        payload = {
            "mandate": str(mandate.id),
            "list_digest": mandate.list_digest,
            "bundle_digest": mandate.bundle_digest,
            "policy_digest": mandate.policy_digest,
            "band": mandate.band,
            "entries": found.entries,
            "cameras": len(mandate.cameras),
        }
        audit.record(session, kind="mandate.minted", actor=SYSTEM, subject=str(row.id), payload=payload)
    _log.info("mandate.minted", deployment=str(row.id), mandate=str(mandate.id))
    return signed


def _mandate(
    row: Deployment, standing: Chain, policy: Policy, bundle: Bundle, list_digest: str, at: datetime
) -> Mandate:
    if standing.authority is None or standing.list_approval is None or row.band is None or row.ends_at is None:
        raise Conflict("there is no authority, or no approved list", hint="see `lfr deployment check`")
    if bundle_of(row) != bundle:
        raise MandateRefused(
            "no mandate: pack, thresholds or preprocessing are not those the list was approved for",
            code="bundle",
            hint="have the list approved again for this bundle (D1)",
        )
    threshold = bundle.threshold_for(row.band)
    if threshold is None:
        raise MandateRefused(f"no mandate: the bundle has no threshold for {row.band} entries", code="bundle")
    given = read(standing.authority, Authorisation)
    return Mandate(
        id=uuid4(),
        force=given.force,
        deployment_id=row.id,
        mode=mode_of(row),
        place=given.place,
        starts_at=given.starts_at,
        ends_at=instant(row.ends_at),
        cameras=given.cameras,
        list_digest=list_digest,
        band=row.band,
        threshold=threshold.threshold,
        bundle_digest=bundle.digest,
        policy_digest=policy.digest,
        authority=standing.authority,
        list_approval=standing.list_approval,
        issued_at=at,
        confirmation=standing.confirmation,
        extensions=standing.extensions,
        amendments=standing.amendments,
    )


def _in_window(mandate: Mandate, at: datetime) -> None:
    if at < mandate.starts_at - timedelta(seconds=EARLY_S):
        raise MandateRefused(f"no mandate before {mandate.starts_at:%Y-%m-%d %H:%M} UTC", code="early")
    if at >= mandate.ends_at:
        raise MandateRefused("no mandate: the window is over", code="over", hint="plan a new deployment")


def opened(signed: Signed) -> Mandate:
    """What a mandate says, without asking whether it holds: for showing it, and for knowing when it ends."""
    return open_signed(signed, Mandate)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that time has brought about. what: `over` = the window's end, `lapsed` = an urgent authority without
    confirmation (A4), `aged` = a list approved too long before (B4).
    """

    deployment_id: UUID
    what: Literal["over", "lapsed", "aged"]
    since: datetime


async def due(db: Database, policy: Policy, at: datetime, *, system: str | None = None) -> Sequence[Due]:
    """What must be done now, the earliest first. system: of one system only. `settle` does it."""
    open_states = ("authorised", "ready", "live", "paused", "stopped", "suspended")
    query = select(Deployment).where(col(Deployment.state).in_(open_states))
    if system is not None:
        query = query.where(col(Deployment.system) == system)
    found: list[Due] = []
    async with db.session() as session:
        for row in (await session.exec(query)).all():
            if row.urgent_confirm_by is not None and row.urgent_confirm_by <= at:
                found.append(Due(row.id, "lapsed", row.urgent_confirm_by))
            elif row.ends_at is not None and row.ends_at <= at:
                found.append(Due(row.id, "over", row.ends_at))
            elif row.state == "ready" and row.live_at is None:
                aged = _aged_at(await chain(session, row.id), policy)
                if aged is not None and aged <= at:
                    found.append(Due(row.id, "aged", aged))
    return sorted(found, key=lambda one: one.since)


def _aged_at(standing: Chain, policy: Policy) -> datetime | None:
    if standing.list_approval is None:
        return None
    approved = read(standing.list_approval, ListApproval).at
    return approved + timedelta(hours=policy.watchlist.max_age_hours)
