"""Decisions drawn up for signing: what an Authorising Officer would have to say, from what stands in the database.

A draft is nothing until it is signed, and what is signed is compared with the database again (`authorities`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from lfr.domain.authority import Authorisation, Extension, ListAmendment, ListApproval, Refusal, Restart
from lfr.domain.errors import AuthorityError, Conflict
from lfr.domain.mandate import text_digest
from lfr.domain.policy import Policy
from lfr.domain.signing import instant
from lfr.services import decisions, listed
from lfr.services.deployments import get_deployment
from lfr.services.life import plan_of
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment


def authorisation(
    row: Deployment, policy: Policy, officer: str, *, urgent: bool = False, at: datetime | None = None
) -> Authorisation:
    """The authority for this plan. Raises Conflict while the plan has no window."""
    plan, at = plan_of(row), instant(at or now())
    if plan.starts_at is None or plan.ends_at is None:
        raise Conflict("the plan has no start and end", hint="give starts_at and ends_at")
    return Authorisation(
        deployment_id=row.id,
        officer=officer,
        at=at,
        force=plan.force,
        plan_digest=row.plan_digest,
        policy_digest=policy.digest,
        use_case=plan.use_case,
        categories=plan.categories,
        place=plan.place.digest,
        starts_at=instant(plan.starts_at),
        ends_at=instant(plan.ends_at),
        cameras={camera.camera: camera.digest for camera in plan.cameras},
        urgent=urgent,
        confirm_by=at + timedelta(hours=policy.authority.urgent_confirm_hours) if urgent else None,
    )


def refusal(row: Deployment, officer: str, reason: str, *, at: datetime | None = None) -> Refusal:
    """No, and why."""
    return Refusal(row.id, officer, instant(at or now()), row.plan_digest, reason)


def restart(row: Deployment, officer: str, reason: str, *, at: datetime | None = None) -> Restart:
    """Leave to start again after the stop that stands. Raises Conflict when there is none."""
    if row.stop_id is None:
        raise Conflict(f"the deployment is {row.state}, not stopped", hint="there is nothing to restart")
    return Restart(row.id, officer, instant(at or now()), row.stop_id, reason)


async def extension(
    db: Database, deployment_id: UUID, officer: str, ends_at: datetime, reason: str, *, at: datetime | None = None
) -> Extension:
    """A later end of the authority that stands. Raises Conflict when there is none, NotFound."""
    async with db.session() as session:
        standing = await decisions.chain(session, deployment_id)
    authority = standing.confirmation or standing.authority
    if authority is None:
        raise Conflict("nothing is authorised yet")
    digest = text_digest(authority.said)
    return Extension(deployment_id, officer, instant(at or now()), digest, instant(ends_at), reason)


async def list_approval(
    db: Database,
    deployment_id: UUID,
    officer: str,
    policy: Policy,
    *,
    band: int | None = None,
    room: int = 0,
    at: datetime | None = None,
) -> ListApproval:
    """The approval of the list as it stands. band: else the smallest for so many entries and `room` more.

    Raises AuthorityError where the policy has no such band.
    """
    found = await listed.digest(db, deployment_id)
    chosen = policy.band_for(found.entries + room) if band is None else band
    if chosen is None or chosen not in policy.watchlist.bands:
        wanted = found.entries + room if band is None else band
        known = ", ".join(str(one) for one in policy.watchlist.bands if one <= policy.watchlist.cap)
        raise AuthorityError(f"policy {policy.name} has no band for {wanted} entries", hint=f"one of: {known}")
    return ListApproval(deployment_id, officer, instant(at or now()), found.digest, found.entries, chosen)


async def list_amendment(
    db: Database, deployment_id: UUID, officer: str, *, at: datetime | None = None
) -> ListAmendment | None:
    """The approval of what was added to the approved list since; None when nothing was. Raises Conflict, NotFound."""
    row = await get_deployment(db, deployment_id)
    if row.list_digest is None:
        raise Conflict("no list is approved yet", hint="approve the list first")
    async with db.session() as session:
        found = await listed.list_digest(session, row.id)
        known = await listed.kept_leaves(session, row.id)
    if found.digest == row.list_digest:
        return None
    added = tuple(sorted(found.leaves - known))
    return ListAmendment(row.id, officer, instant(at or now()), row.list_digest, added, found.digest, found.entries)
