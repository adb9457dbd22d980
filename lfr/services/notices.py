"""The advance notice of a deployment: its text, and that it was published (J1)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from lfr.domain.errors import Conflict
from lfr.domain.notice import notice
from lfr.domain.policy import Policy
from lfr.services import audit
from lfr.services.life import changing, plan_of
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment


def text_for(row: Deployment, policy: Policy) -> str:
    """The notice of a deployment as Markdown."""
    return notice(policy, plan_of(row))


async def published(
    db: Database, deployment_id: UUID, *, policy: Policy, by: str, at: datetime | None = None
) -> Deployment:
    """Record that the present notice is out. It counts from the first time; a changed plan needs a new notice.

    Raises Conflict for a deployment that has begun or is over, or whose notice is out already; NotFound.
    """
    at = at or now()
    async with changing(db, deployment_id) as (session, row):
        if row.live_at is not None or row.state in {"ended", "closed"}:
            raise Conflict("a notice is published before a deployment begins")
        if row.notice_at is not None:
            raise Conflict(f"its notice was published at {row.notice_at:%Y-%m-%d %H:%M} UTC")
        row.notice_at = at
        digest = hashlib.sha256(text_for(row, policy).encode()).hexdigest()
        audit.record(session, kind="notice.published", actor=by, subject=str(row.id), payload={"digest": digest})
    return row
