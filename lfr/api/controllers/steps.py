"""The steps of a deployment's life."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from lfr.api.auth import Principal
from lfr.api.bound import Bound
from lfr.api.controllers.deployments import own, shown
from lfr.api.office import Office
from lfr.api.plans import ORDER, DeploymentOut, StepIn
from lfr.api.running import Running
from lfr.domain.errors import NotFound
from lfr.storage.database import Database
from lfr.storage.vault import Vault

SMALL_BODY = 128 * 1024


class StepController(Controller):
    """Each step answers with the deployment as it then is; what is refused changes nothing and says what is missing."""

    path = "/deployments/{deployment:uuid}"
    tags = ("deployments",)

    @post("/{step:str}", status_code=200, request_max_body_size=SMALL_BODY)
    async def take(
        self,
        request: Request[Principal, str | None, Any],
        db: NamedDependency[Database],
        vault: NamedDependency[Vault],
        bound: NamedDependency[Bound],
        running: NamedDependency[Running],
        deployment: FromPath[UUID],
        step: FromPath[str],
        data: JSONBody[StepIn],
    ) -> DeploymentOut:
        """Take one step: submit, withdraw, authorise, refuse, approve-list, amend-list, extend, restart, go-live,
        pause, resume, stop, end, close, review or record.

        A signed step takes `password` (given again, for this decision alone) or `signed` (as it was signed elsewhere).
        """
        row = await own(db, bound, deployment)
        after = await Office(request.user, db, vault, bound, running).take(row, step, data)
        if after is None:
            raise NotFound(f"there is no step {step[:40]!r}", hint=f"one of: {', '.join(ORDER)}")
        return await shown(db, request, after)
