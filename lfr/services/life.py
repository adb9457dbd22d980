"""One step in a deployment's life: locked row, allowed event, new state and log entry, all in one transaction.

Every change of a deployment goes through `changing` and `move`; nothing else writes its state.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr import log
from lfr.audit.vocabulary.base import Code
from lfr.domain.bundle import Bundle
from lfr.domain.errors import ConfigError, Conflict, NotFound
from lfr.domain.lifecycle import Event, State, after
from lfr.domain.plan import Plan
from lfr.domain.policy import Mode
from lfr.services import audit
from lfr.storage.database import Database
from lfr.storage.models import Deployment

_log = log.get(__name__)


@asynccontextmanager
async def changing(
    db: Database, deployment_id: UUID, *, version: int | None = None
) -> AsyncIterator[tuple[AsyncSession, Deployment]]:
    """A transaction that changes one deployment. version: the one the caller has seen; None = whichever it is.

    Raises NotFound, and Conflict when somebody else has changed it since.
    """
    async with db.transaction() as session:
        await db.lock_log(session)
        query = select(Deployment).where(col(Deployment.id) == deployment_id).with_for_update()
        row = (await session.exec(query)).first()
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
        if version is not None and version != row.version:
            raise Conflict(
                f"the deployment has been changed since (version {row.version}, not {version})",
                hint="look at it again, then decide",
            )
        row.version += 1
        yield session, row
        session.add(row)
        await audit.sequence_within(db, session)


def move(session: AsyncSession, row: Deployment, event: Event, *, by: str, at: datetime, reason: str = "asked") -> None:
    """Follow one event. reason: a code word, since the log holds no free text.

    Raises Conflict when the state does not allow it, ConfigError for a reason in other words.
    """
    try:
        msgspec.convert(reason, Code)
    except msgspec.ValidationError:
        raise ConfigError(
            "a reason is a code word, for the log holds no free text", hint="like `rain` or `camera-moved`"
        ) from None
    before = state_of(row)
    row.state = after(before, event)
    row.state_reason, row.state_at = reason, at
    payload = {"event": event, "before": before, "after": row.state, "reason": reason, "plan_digest": row.plan_digest}
    audit.record(session, kind="deployment.state", actor=by, subject=str(row.id), payload=payload)
    _log.info("deployment.state", deployment=str(row.id), event_name=event, before=before, after=row.state)


def plan_of(row: Deployment) -> Plan:
    """The plan as it stands in the row."""
    return msgspec.convert(row.plan, Plan)


def bundle_of(row: Deployment) -> Bundle | None:
    """The bundle that its list was approved for."""
    return msgspec.convert(row.bundle, Bundle) if row.bundle is not None else None


def mode_of(row: Deployment) -> Mode:
    """The mode it was made for."""
    return cast("Mode", row.mode)


def state_of(row: Deployment) -> State:
    """Where it stands."""
    return cast("State", row.state)
