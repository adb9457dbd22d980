"""Minting the mandate: the only way into `live`. And what the supervisor watches for: windows, lapses, aged lists."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.authority import Authorisation, ListApproval
from lfr.domain.errors import Conflict, MandateRefused
from lfr.domain.gates import Wanted
from lfr.domain.lifecycle import PAUSED_BY_PERSON, URGENT_LAPSED, WINDOW_OVER
from lfr.domain.mandate import EARLY_S, Anchor, Mandate, verify
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed, instant, open_signed, sign
from lfr.services import audit, listed
from lfr.services.decisions import Chain, chain, read
from lfr.services.deployments import SYSTEM, must_be, require
from lfr.services.life import bundle_of, changing, mode_of, move, plan_of
from lfr.services.terms import Terms, require_open, telling
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
    terms: Terms,
    at: datetime | None = None,
    by: str = SYSTEM,
) -> Signed:
    """The capability to recognise, when every gate is open: everything is looked at anew, nothing is remembered.

    A deployment that is `ready` or `paused` is `live` when this returns; for one that is live it is a fresh mandate
    (after an amendment, an extension, a confirmation or a restart of the supervisor). by: who goes live. A closed gate
    is logged when somebody asked; what the system tries again by itself is not. Raises GateClosed with all that is
    missing, MandateRefused, Conflict, NotAllowed, NotFound.
    """
    asked = nullcontext() if by == SYSTEM else telling(db, deployment_id, "go-live", by)
    async with asked, changing(db, deployment_id) as (session, row):
        return await _mint(session, node, row, terms, at or now(), by)


async def _mint(session: AsyncSession, node: Node, row: Deployment, terms: Terms, at: datetime, by: str) -> Signed:
    await must_be(row, "ready", "paused", "live")
    if row.state != "live":
        await require(session, "go-live", by, plan_of(row), terms.policy)
    if by == SYSTEM and row.state == "paused" and row.state_reason == PAUSED_BY_PERSON:
        raise Conflict("a person paused it", hint="a person resumes it")
    wanted: Wanted = "go-live" if row.state == "ready" else "continue"
    await require_open(session, row, wanted, terms, at)
    mandate = _mandate(row, await chain(session, row.id), terms, at)
    if listed.digest_of(await listed.kept_leaves(session, row.id)) != mandate.list_digest:
        raise MandateRefused("no mandate: the stored list is not the one that was approved", code="list")
    signed = sign(mandate, node.minter)
    anchor = Anchor(
        terms.system.force, row.id, mandate.place, node.minter_key, terms.registrar, terms.policy, terms.bundle.digest
    )
    verify(signed, anchor, at)  # what no verifier would accept is not given out
    _in_window(mandate, at)
    if row.state != "live":
        move(session, row, "go-live" if row.state == "ready" else "resume", by=by, at=at)
        row.live_at = row.live_at or at
    payload = {
        "mandate": str(mandate.id),
        "list_digest": mandate.list_digest,
        "bundle_digest": mandate.bundle_digest,
        "policy_digest": mandate.policy_digest,
        "band": mandate.band,
        "entries": row.entries or 0,
        "cameras": len(mandate.cameras),
    }
    audit.record(session, kind="mandate.minted", actor=SYSTEM, subject=str(row.id), payload=payload)
    _log.info("mandate.minted", deployment=str(row.id), mandate=str(mandate.id))
    return signed


def _mandate(row: Deployment, standing: Chain, terms: Terms, at: datetime) -> Mandate:
    bundle, authority, approval = terms.bundle, standing.authority, standing.list_approval
    if authority is None or approval is None or row.band is None or row.list_digest is None or row.ends_at is None:
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
    given = read(authority, Authorisation)
    return Mandate(
        id=uuid4(),
        force=given.force,
        deployment_id=row.id,
        mode=mode_of(row),
        place=given.place,
        starts_at=given.starts_at,
        ends_at=instant(row.ends_at),
        cameras=given.cameras,
        list_digest=row.list_digest,
        band=row.band,
        threshold=threshold.threshold,
        bundle_digest=bundle.digest,
        policy_digest=terms.policy.digest,
        authority=authority,
        list_approval=approval,
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

    @property
    def reason(self) -> str:
        """The code with which the deployment is ended or taken back."""
        return {"over": WINDOW_OVER, "lapsed": URGENT_LAPSED}.get(self.what, "list-aged")


async def due(db: Database, policy: Policy, at: datetime, *, system: str | None = None) -> Sequence[Due]:
    """What must be done now, the earliest first: `settle` does it. system: of one system only."""
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


async def settle(db: Database, one: Due, *, at: datetime | None = None) -> Deployment:
    """End what is over or has lapsed; take back the readiness of what waited too long. Raises Conflict, NotFound.

    Whoever recognises is told first; what is kept of people goes by `retention.due`.
    """
    at = at or now()
    async with changing(db, one.deployment_id) as (session, row):
        if one.what == "aged":
            move(session, row, "unready", by=SYSTEM, at=at, reason=one.reason)
        else:
            move(session, row, "end", by=SYSTEM, at=at, reason=one.reason)
            row.ended_at = at
    return row


def _aged_at(standing: Chain, policy: Policy) -> datetime | None:
    if standing.list_approval is None:
        return None
    approved = read(standing.list_approval, ListApproval).at
    return approved + timedelta(hours=policy.watchlist.max_age_hours)
