"""Deployments: made as drafts, found again."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlmodel import col, select

from lfr import log
from lfr.domain.errors import NotFound
from lfr.domain.lifecycle import State
from lfr.domain.plan import Plan
from lfr.domain.policy import Mode, Policy
from lfr.services import audit
from lfr.storage.database import Database
from lfr.storage.models import Deployment

_log = log.get(__name__)


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
) -> Deployment:
    """A new deployment with a plan that may still be incomplete. Raises StorageError."""
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
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
    )
    async with db.transaction() as session:
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


async def get_deployment(db: Database, deployment_id: UUID) -> Deployment:
    """Raises NotFound."""
    async with db.session() as session:
        found = await session.get(Deployment, deployment_id)
    if found is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    return found


async def list_deployments(db: Database, system: str) -> list[Deployment]:
    """Those of one system, the newest first."""
    async with db.session() as session:
        query = select(Deployment).where(col(Deployment.system) == system).order_by(col(Deployment.made_at).desc())
        return list((await session.exec(query)).all())
