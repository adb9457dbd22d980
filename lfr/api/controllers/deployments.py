"""Deployments: planned here, decided here with a signature, and handed to the running system where it must act."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, JSONBody

from lfr.api.auth import Principal
from lfr.api.bound import Bound
from lfr.api.plans import DeploymentLine, DeploymentOut, DeploymentsOut, GatesOut, NewDeployment, steps_for
from lfr.domain import gates
from lfr.domain.errors import Conflict, NotFound
from lfr.domain.gates import Wanted
from lfr.domain.plan import Plan
from lfr.services import decisions, deployments, facts
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment

_NEXT: dict[str, Wanted] = {
    "draft": "submit",
    "refused": "submit",
    "submitted": "authorise",
    "authorised": "approve-list",
    "ready": "go-live",
    "stopped": "go-live",
    "live": "continue",
    "paused": "continue",
}
"""What the gates are asked for in each state."""

PLAN_MOST = 256 * 1024
Asking = Request[Principal, str | None, Any]


class DeploymentController(Controller):
    """Plans and what is still missing. The steps are in StepController."""

    path = "/deployments"
    tags = ("deployments",)

    @get()
    async def deployments(self, db: NamedDependency[Database], bound: NamedDependency[Bound]) -> DeploymentsOut:
        """Every deployment of this system, the newest first."""
        rows = await deployments.list_deployments(db, bound.config.name)
        return DeploymentsOut([DeploymentLine.of(row) for row in rows])

    @post(status_code=201)
    async def make(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        data: JSONBody[NewDeployment],
    ) -> DeploymentOut:
        """Start a plan, as a draft."""
        row = await deployments.make(
            db,
            system=bound.config.name,
            mode=bound.config.mode,
            pack=bound.pack.name,
            pack_digest=bound.pack_digest,
            policy=bound.policy,
            plan=Plan(title=data.title, force=bound.config.force, use_case=data.use_case),
            by=request.user.name,
        )
        return await shown(db, request, row)

    @get("/{deployment:uuid}")
    async def deployment(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
    ) -> Response[DeploymentOut]:
        """One deployment: plan, state, decisions, and what the asking person may do next. ETag is its version."""
        body = await shown(db, request, await own(db, bound, deployment))
        return Response(body, headers={"etag": f'"{body.version}"'})

    @put("/{deployment:uuid}/plan", request_max_body_size=PLAN_MOST)
    async def change_plan(
        self,
        request: Asking,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
        data: JSONBody[Plan],
    ) -> DeploymentOut:
        """Give a draft another plan. `If-Match: "VERSION"` is needed: what somebody else changed is not overwritten."""
        await own(db, bound, deployment)
        if data.force != bound.config.force:
            raise Conflict(f"this system belongs to {bound.config.force}", hint="a plan names the force of its system")
        row = await deployments.change_plan(
            db, deployment, data, version=_version(request), policy=bound.policy, by=request.user.name
        )
        return await shown(db, request, row)

    @get("/{deployment:uuid}/gates")
    async def gates(
        self,
        db: NamedDependency[Database],
        bound: NamedDependency[Bound],
        deployment: FromPath[UUID],
    ) -> GatesOut:
        """All that is missing for the step that comes next, each with its rule, in plain words, and who can mend it."""
        row = await own(db, bound, deployment)
        wanted = _NEXT.get(row.state)
        if wanted is None:
            return GatesOut(None, [])
        if wanted == "approve-list" and row.list_digest is not None:
            wanted = "go-live"
        terms = await bound.terms(db)
        gathered = await facts.gather(
            db, deployment, policy=terms.policy, bundle=terms.bundle, system=terms.system, at=now()
        )
        return GatesOut.of(wanted, gates.checklist(gathered, wanted))


async def own(db: Database, bound: Bound, deployment_id: UUID) -> Deployment:
    """A deployment of this system. Raises NotFound, also for another system's."""
    row = await deployments.get_deployment(db, deployment_id)
    if row.system != bound.config.name:
        raise NotFound(f"there is no deployment {deployment_id}")
    return row


async def shown(db: Database, request: Asking, row: Deployment) -> DeploymentOut:
    """A deployment as this person sees it."""
    kept = await decisions.kept(db, row.id)
    return DeploymentOut.of(row, kept, steps_for(row, request.user.name, request.user.roles))


def _version(request: Asking) -> int:
    found = re.fullmatch(r'"(\d{1,9})"', request.headers.get("if-match", "").strip())
    if found is None:
        raise ClientException(extra=[{"key": "If-Match", "message": 'the version you have seen, as "7"'}])
    return int(found.group(1))
