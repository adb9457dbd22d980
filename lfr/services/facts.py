"""Gathering the facts that the gates judge, from the database, at one moment. What is signed is verified here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.authority import (
    Authorisation,
    Credential,
    Endorsed,
    Extension,
    Kind,
    ListAmendment,
    ListApproval,
    endorsed,
)
from lfr.domain.bundle import Bundle
from lfr.domain.errors import AuthorityError, NotFound
from lfr.domain.gates import (
    Alike,
    ApprovalFact,
    DocumentFact,
    Earlier,
    Facts,
    Granted,
    ListApproved,
    Look,
    Person,
    SystemFacts,
)
from lfr.domain.mandate import text_digest
from lfr.domain.places import is_area, metres_away
from lfr.domain.plan import Plan
from lfr.domain.policy import Policy, Role
from lfr.domain.wording import likeness
from lfr.services import approvers, list_state
from lfr.services.decisions import Chain, chained
from lfr.services.life import bundle_of, mode_of, plan_of
from lfr.storage.database import Database
from lfr.storage.models import Deployment, Document, SignedDecision, SignEvidence, User

REASONS = ("objective", "legal_basis", "necessity", "proportionality", "less_intrusive", "expected_presence")
_COMPARED = 50
"""How many earlier authorities a text is compared with."""
_UNDECIDED = ("draft", "submitted", "refused")


async def gather(
    db: Database,
    deployment_id: UUID,
    *,
    policy: Policy,
    bundle: Bundle,
    system: SystemFacts,
    at: datetime,
    signer: Person | None = None,
    urgent: bool = False,
) -> Facts:
    """Everything that `lfr.domain.gates` asks about one deployment. signer: who is about to sign a decision; urgent:
    as an urgent authority, or under one (A4). Raises NotFound.
    """
    async with db.session() as session:
        row = await session.get(Deployment, deployment_id)
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
        return await gather_within(
            session, row, policy=policy, bundle=bundle, system=system, at=at, signer=signer, urgent=urgent
        )


async def gather_within(
    session: AsyncSession,
    row: Deployment,
    *,
    policy: Policy,
    bundle: Bundle,
    system: SystemFacts,
    at: datetime,
    signer: Person | None = None,
    urgent: bool = False,
) -> Facts:
    """As `gather`, in the caller's session: whoever decides judges what stands there in the same transaction."""
    plan = plan_of(row)
    query = select(SignedDecision).where(col(SignedDecision.deployment_id) == row.id)
    kept = (await session.exec(query.order_by(col(SignedDecision.ordinal)))).all()
    chain = chained(kept)
    fmr_upper = system.certificate.fmr_upper if system.certificate else None
    return Facts(
        at=at,
        mode=mode_of(row),
        policy=policy,
        policy_digest=row.policy_digest,
        plan=plan,
        system=dataclasses.replace(system, suspended=system.suspended or row.state == "suspended"),
        bundle=bundle,
        listed=await list_state.governance_within(session, row.id, policy, at, fmr_upper=fmr_upper),
        people=await _people(session, plan),
        signer=signer,
        urgent=urgent,
        authority=_granted(chain, plan, system.registrar, at),
        approved=_approved(chain, row, plan, system.registrar, at),
        documents=await _documents(session, plan),
        looks=await looks(session, row),
        approvals=_approvals(kept, policy, plan, system.registrar, at),
        earlier=await _earlier(session, row, plan),
        alike=await _alike(session, row, plan),
        notice_at=row.notice_at,
        live_at=row.live_at,
    )


async def _people(session: AsyncSession, plan: Plan) -> dict[str, Person]:
    names = sorted({name for names in plan.people.values() for name in names})
    if not names:
        return {}
    users = (await session.exec(select(User).where(col(User.name).in_(names)))).all()
    return {user.name: person(user.name, user.rank, user.roles) for user in users}


def person(name: str, rank: str | None, roles: Sequence[str]) -> Person:
    """An account, or whoever re-entered a password, as the gates see it."""
    return Person(name, rank, frozenset(cast("Sequence[Role]", roles)))


def _said(
    given: Endorsed, kind: type[Kind], plan: Plan, registrar: str, at: datetime
) -> tuple[Kind, Credential] | None:
    """The decision, if it is signed as it must be at this moment."""
    try:
        return endorsed(given, kind, registrar=registrar, force=plan.force, role="authorising-officer", at=at)
    except AuthorityError:
        return None


def _granted(chain: Chain, plan: Plan, registrar: str, at: datetime) -> Granted | None:
    if chain.authority is None:
        return None
    found = _said(chain.authority, Authorisation, plan, registrar, at)
    if found is None:
        return None
    given, signer = found
    lapses_at = given.confirm_by
    if given.urgent and chain.confirmation is not None:
        confirmed = _said(chain.confirmation, Authorisation, plan, registrar, at)
        if confirmed is not None and not confirmed[0].urgent and _before(confirmed[0].at, given.confirm_by):
            (given, signer), lapses_at = confirmed, None
    return Granted(
        officer=given.officer,
        rank=signer.rank,
        urgent=given.urgent,
        plan_digest=given.plan_digest,
        policy_digest=given.policy_digest,
        starts_at=given.starts_at,
        ends_at=_extended(chain, given, plan, registrar, at),
        lapses_at=lapses_at if given.urgent else None,
    )


def _before(one: datetime, other: datetime | None) -> bool:
    return other is not None and one < other


def _extended(chain: Chain, given: Authorisation, plan: Plan, registrar: str, at: datetime) -> datetime:
    ends_at = given.ends_at
    known = {text_digest(one.said) for one in (chain.authority, chain.confirmation) if one is not None}
    for link in chain.extensions:
        found = _said(link, Extension, plan, registrar, at)
        if found is not None and found[0].authority in known and found[0].ends_at > ends_at:
            ends_at = found[0].ends_at
    return ends_at


def _approved(chain: Chain, row: Deployment, plan: Plan, registrar: str, at: datetime) -> ListApproved | None:
    if chain.list_approval is None:
        return None
    found = _said(chain.list_approval, ListApproval, plan, registrar, at)
    if found is None:
        return None
    approval = found[0]
    digest, entries = approval.list_digest, approval.entries
    for link in chain.amendments:
        added = _said(link, ListAmendment, plan, registrar, at)
        if added is None or added[0].previous != digest:
            return None
        digest, entries = added[0].list_digest, added[0].entries
    bundle = bundle_of(row)
    return ListApproved(
        approval.officer, digest, entries, approval.band, approval.at, bundle.digest if bundle else None
    )


def _approvals(
    kept: Sequence[SignedDecision], policy: Policy, plan: Plan, registrar: str, at: datetime
) -> tuple[ApprovalFact, ...]:
    found = []
    for one in kept:
        if one.kind != approvers.KIND:
            continue
        try:
            found.append(approvers.opened(approvers.stored(one), policy, registrar=registrar, force=plan.force, at=at))
        except AuthorityError:
            continue
    return tuple(found)


async def _documents(session: AsyncSession, plan: Plan) -> tuple[DocumentFact, ...]:
    if not plan.documents:
        return ()
    rows = (
        await session.exec(
            select(Document).where(col(Document.id).in_(plan.documents), col(Document.force) == plan.force)
        )
    ).all()
    return tuple(
        DocumentFact(one.id, one.code, one.title, one.covers_public, one.approved_at, one.expires_at, one.withdrawn_at)
        for one in sorted(rows, key=lambda one: (one.code, one.approved_at))
    )


async def looks(session: AsyncSession, row: Deployment) -> tuple[Look, ...]:
    """Every look at the signs of a deployment (C4), the oldest first."""
    plan = plan_of(row)
    columns = (
        SignEvidence.kind,
        SignEvidence.item,
        SignEvidence.seen_at,
        SignEvidence.latitude,
        SignEvidence.longitude,
    )
    query = select(*columns).where(col(SignEvidence.deployment_id) == row.id)  # type: ignore[call-overload]
    found = (await session.exec(query.order_by(col(SignEvidence.seen_at)))).all()
    return tuple(
        Look(kind, item, at, metres(plan, latitude, longitude)) for kind, item, at, latitude, longitude in found
    )


def metres(plan: Plan, latitude: float | None, longitude: float | None) -> float | None:
    """How far from the planned place a device was; None where either is not known."""
    if latitude is None or longitude is None or not is_area(plan.place.polygon):
        return None
    return metres_away(longitude, latitude, plan.place.polygon)


async def _earlier(session: AsyncSession, row: Deployment, plan: Plan) -> tuple[Earlier, ...]:
    """What was live, has ended, and still owes something."""
    owing = or_(
        col(Deployment.closed_at).is_(None), col(Deployment.review_at).is_(None), col(Deployment.record_at).is_(None)
    )
    query = select(Deployment).where(
        col(Deployment.live_at).is_not(None), col(Deployment.ended_at).is_not(None), col(Deployment.id) != row.id, owing
    )
    rows = (await session.exec(query.order_by(col(Deployment.ended_at)))).all()
    return tuple(
        Earlier(
            plan_of(one).title,
            one.ended_at,
            closed=one.closed_at is not None,
            reviewed=one.review_at is not None,
            recorded=one.record_at is not None,
        )
        for one in rows
        if one.ended_at is not None and plan_of(one).force == plan.force
    )


async def _alike(session: AsyncSession, row: Deployment, plan: Plan) -> tuple[Alike, ...]:
    """For each written reason the earlier authority of this force that it is most like."""
    query = (
        select(Deployment.plan)
        .where(col(Deployment.id) != row.id, col(Deployment.state).not_in(_UNDECIDED))
        .order_by(col(Deployment.made_at).desc())
        .limit(_COMPARED)
    )
    earlier = [msgspec.convert(one, Plan) for one in (await session.exec(query)).all()]
    found = []
    for name in REASONS:
        text = getattr(plan.reasons, name)
        shares = [(likeness(text, getattr(one.reasons, name)), one.title) for one in earlier if one.force == plan.force]
        share, title = max(shares, key=lambda one: one[0], default=(0.0, ""))
        if share:
            found.append(Alike(name, title, share))
    return tuple(found)
