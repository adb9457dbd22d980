"""What a step in a deployment's life is judged by, and the judging: every gate that is asked for it, each time anew."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain import gates
from lfr.domain.authority import Credential
from lfr.domain.bundle import Bundle
from lfr.domain.errors import GateClosed
from lfr.domain.gates import Missing, SystemFacts, Wanted
from lfr.domain.policy import Policy
from lfr.services import audit, facts
from lfr.storage.database import Database
from lfr.storage.models import Deployment


@dataclass(frozen=True, slots=True)
class Terms:
    """policy: the one in force; bundle: what recognises; system: what the system says of itself, its registrar too."""

    policy: Policy
    bundle: Bundle
    system: SystemFacts

    @property
    def registrar(self) -> str:
        """The registrar's public key, 64 hex digits."""
        return self.system.registrar


@asynccontextmanager
async def telling(db: Database, deployment_id: UUID, wanted: Wanted, by: str = "system") -> AsyncIterator[None]:
    """A closed gate within is written into the log, which the refused step's own transaction cannot do."""
    try:
        yield
    except GateClosed as closed:
        payload = {"wanted": wanted, "rules": [rule.lower() for rule, _, _ in closed.missing]}
        async with db.transaction() as session:
            audit.record(session, kind="deployment.gates-closed", actor=by, subject=str(deployment_id), payload=payload)
            await audit.sequence_within(db, session)
        raise


async def require_open(
    session: AsyncSession,
    row: Deployment,
    wanted: Wanted,
    terms: Terms,
    at: datetime,
    *,
    signer: Credential | None = None,
    urgent: bool = False,
    anew: bool = False,
) -> tuple[Missing, ...]:
    """The warnings, if every gate is open. Raises GateClosed that names all that is missing.

    signer: who is about to decide; urgent: as an urgent authority, or under one. anew: the list's present approval is
    about to be replaced, so its band binds nothing.
    """
    person = facts.person(signer.officer, signer.rank, signer.roles) if signer is not None else None
    found = await facts.gather_within(
        session,
        row,
        policy=terms.policy,
        bundle=terms.bundle,
        system=terms.system,
        at=at,
        signer=person,
        urgent=urgent,
    )
    return gates.require(dataclasses.replace(found, approved=None) if anew else found, wanted)
