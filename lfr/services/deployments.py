"""Deployments: planned, found again, paused, stopped, ended, closed and reviewed. Signed steps: `authorities`.

The only way into `live` is a mandate (`mandates.mint`). Everything here is one transaction with its log entry.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.domain.duties import CONSOLE, Step, require_duty
from lfr.domain.errors import ConfigError, Conflict, NotAllowed, NotFound
from lfr.domain.lifecycle import PAUSED_BY_PERSON, State, after
from lfr.domain.plan import Plan
from lfr.domain.policy import Mode, Policy
from lfr.services import audit
from lfr.services.life import changing, mode_of, move, plan_of, state_of
from lfr.services.plans import in_utc
from lfr.services.terms import Terms, require_open, telling
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment, User

_log = log.get(__name__)

SYSTEM = "system"
_RUNNING: tuple[State, ...] = ("live", "paused", "stopped", "ready")
OVER: tuple[State, ...] = ("ended", "closed")


async def make(
    db: Database,
    *,
    system: str,
    mode: Mode,
    pack: str,
    pack_digest: str,
    policy: Policy,
    plan: Plan,
    by: str,
    state: State = "draft",
    at: datetime | None = None,
) -> Deployment:
    """A new deployment with a plan that may still be incomplete. Raises ConfigError, NotAllowed, StorageError."""
    plan = _representable(plan, policy, mode)
    made = Deployment(
        system=system,
        mode=mode,
        pack=pack,
        pack_digest=pack_digest,
        policy=policy.name,
        policy_digest=policy.digest,
        plan=msgspec.to_builtins(plan, str_keys=True),
        plan_digest=plan.digest,
        state=state,
        made_by=by,
        made_at=at or now(),
        state_at=at or now(),
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
    )
    async with db.transaction() as session:
        await require(session, "plan", by, plan)
        session.add(made)
        payload = {
            "mode": mode,
            "pack": pack,
            "pack_digest": pack_digest,
            "policy": policy.name,
            "policy_digest": policy.digest,
        }
        audit.record(session, kind="deployment.made", actor=by, subject=str(made.id), payload=payload)
        await audit.sequence_within(db, session)
    _log.info("deployment.made", deployment=str(made.id), mode=mode, pack=pack)
    return made


def _representable(plan: Plan, policy: Policy, mode: Mode) -> Plan:
    """The plan, its window in UTC. A use case or category that the policy does not have cannot stand in any row (A6,
    B1). Raises ConfigError.
    """
    if mode not in policy.modes:
        raise ConfigError(f"policy {policy.name} is not for {mode} use", hint="choose another policy or mode")
    if plan.use_case not in {one.code for one in policy.use_cases}:
        known = ", ".join(one.code for one in policy.use_cases)
        raise ConfigError(f"policy {policy.name} has no such use case", hint=f"one of: {known}")
    usable = {one.code for one in policy.categories if not one.disabled}
    if not set(plan.categories) <= usable:
        raise ConfigError(f"policy {policy.name} has no such category", hint=f"some of: {', '.join(sorted(usable))}")
    return in_utc(plan)


async def get_deployment(db: Database, deployment_id: UUID) -> Deployment:
    """Raises NotFound."""
    async with db.session() as session:
        found = await session.get(Deployment, deployment_id)
    if found is None:
        raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
    return found


async def list_deployments(db: Database, system: str) -> list[Deployment]:
    """Those of one system, the newest first."""
    async with db.session() as session:
        query = select(Deployment).where(col(Deployment.system) == system).order_by(col(Deployment.made_at).desc())
        return list((await session.exec(query)).all())


async def current(db: Database, system: str) -> Deployment | None:
    """The one that is live, paused, stopped or ready, in this order; else the newest that is not over."""
    there = [row for row in await list_deployments(db, system) if row.state not in OVER]
    running = [row for state in _RUNNING for row in there if row.state == state]
    return next(iter(running + there), None)


async def find(db: Database, system: str, wanted: str = "") -> Deployment:
    """The deployment whose id begins so; the current one without an id. Raises NotFound, Conflict for several."""
    if not wanted:
        found = await current(db, system)
        if found is None:
            raise NotFound(f"{system} has no deployment under way", hint="`lfr deployment new` makes one")
        return found
    matching = [row for row in await list_deployments(db, system) if str(row.id).startswith(wanted.lower())]
    if not matching:
        raise NotFound(f"there is no deployment {wanted[:40]!r}", hint="`lfr deployment list` shows them")
    if len(matching) > 1:
        raise Conflict(f"{len(matching)} deployments begin with {wanted[:40]!r}", hint="give more of the id")
    return matching[0]


async def require(session: AsyncSession, step: Step, by: str, plan: Plan, policy: Policy | None = None) -> None:
    """A9: whether this person may take this step. by: an account's name, `system`, or `local:NAME` for whoever sits at
    the machine, who may everything only under a policy that lets a run authorise itself. Raises NotAllowed.
    """
    if by == SYSTEM:
        return
    if by.startswith("local:"):
        if step not in CONSOLE and not (policy is not None and policy.authority.self_signed):
            raise NotAllowed(f"to {step} needs an account", hint="sign in with --as NAME")
        return
    account = (await session.exec(select(User).where(col(User.name) == by))).first()
    require_duty(step, by, account.roles if account else (), plan)


async def change_plan(
    db: Database, deployment_id: UUID, plan: Plan, *, version: int | None, policy: Policy, by: str
) -> Deployment:
    """Give a draft, or one that was refused, another plan. Raises Conflict, ConfigError, NotAllowed, NotFound."""
    async with changing(db, deployment_id, version=version) as (session, row):
        await require(session, "plan", by, plan)
        plan = _representable(plan, policy, mode_of(row))
        move(session, row, "change", by=by, at=now())
        row.plan, row.plan_digest = msgspec.to_builtins(plan, str_keys=True), plan.digest
        row.policy, row.policy_digest = policy.name, policy.digest
        row.starts_at, row.ends_at = plan.starts_at, plan.ends_at
        row.notice_at = None  # another plan, another notice (J1)
        audit.record(
            session,
            kind="deployment.plan-changed",
            actor=by,
            subject=str(row.id),
            payload={"plan_digest": plan.digest},
        )
    return row


async def submit(
    db: Database, deployment_id: UUID, *, terms: Terms, by: str, version: int | None = None, at: datetime | None = None
) -> Deployment:
    """Lay the plan before the Authorising Officer. Raises GateClosed, Conflict, NotAllowed, NotFound."""
    at, asked = at or now(), telling(db, deployment_id, "submit", by)
    async with asked, changing(db, deployment_id, version=version) as (session, row):
        await require(session, "plan", by, plan_of(row))
        after(state_of(row), "submit")
        await require_open(session, row, "submit", terms, at)
        move(session, row, "submit", by=by, at=at or now())
    return row


async def withdraw(
    db: Database, deployment_id: UUID, *, by: str, version: int | None = None, at: datetime | None = None
) -> Deployment:
    """Take a submitted plan back. Raises Conflict, NotAllowed, NotFound."""
    async with changing(db, deployment_id, version=version) as (session, row):
        await require(session, "plan", by, plan_of(row))
        move(session, row, "withdraw", by=by, at=at or now())
    return row


async def pause(db: Database, deployment_id: UUID, *, by: str, reason: str, at: datetime | None = None) -> Deployment:
    """Recognition waits for a while: envelope, capacity, log writer, camera, crash. reason: a code.

    It goes on with a fresh mandate (`mandates.mint`), asked for by a person if a person asked for the pause. Raises
    Conflict unless it is live, ConfigError, NotAllowed, NotFound.
    """
    async with changing(db, deployment_id) as (session, row):
        await require(session, "pause", by, plan_of(row))
        move(session, row, "pause", by=by, at=at or now(), reason=reason)
        if by != SYSTEM:
            row.state_reason = PAUSED_BY_PERSON
    return row


async def stop(
    db: Database, deployment_id: UUID, *, by: str, reason: str = "asked", at: datetime | None = None
) -> Deployment:
    """End recognition until the Authorising Officer's signed decision (A13). Any account may; so may a guard.

    The row's stop_id is what a restart must answer. Raises Conflict unless it is live or paused, NotAllowed, NotFound.
    """
    async with changing(db, deployment_id) as (session, row):
        await require(session, "stop", by, plan_of(row))
        move(session, row, "stop", by=by, at=at or now(), reason=reason)
        row.stop_id = uuid4()
    return row


async def end(
    db: Database, deployment_id: UUID, *, by: str, reason: str = "asked", at: datetime | None = None
) -> Deployment:
    """For ever: the window is over, or the deployment is cancelled. Raises Conflict, NotAllowed, NotFound."""
    async with changing(db, deployment_id) as (session, row):
        plan = plan_of(row)
        before_authority = row.state in {"draft", "submitted", "refused"}
        await require(session, "plan" if before_authority else "end", by, plan)
        move(session, row, "end", by=by, at=at or now(), reason=reason)
        row.ended_at = at or now()
    return row


async def must_be(row: Deployment, *states: State) -> None:
    """Raises Conflict unless the deployment is in one of these states."""
    if row.state not in states:
        raise Conflict(f"the deployment is {row.state}", hint=f"this needs one that is {' or '.join(states)}")
