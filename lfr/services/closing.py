"""After the end: everything that is not held is destroyed and counted, and only then the deployment is closed; what is
owed to the public is filed (A11, J2).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal
from uuid import UUID

from lfr.domain.errors import Conflict
from lfr.services import audit, retention
from lfr.services.deployments import get_deployment, must_be, require
from lfr.services.life import changing, move, plan_of
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.vault import Vault

Filed = Literal["review", "record"]


async def close(db: Database, vault: Vault, deployment_id: UUID, *, by: str, at: datetime | None = None) -> Deployment:
    """Destroy list, alerts and keys, count what was made against what has its receipt, then close (G3, G6, B12).

    Closed says that nobody can open anything any more but what is held under its own key. May be called again after a
    crash at any point; one that is closed already is returned. Raises Conflict while it is not over, or when the count
    is off; NotAllowed, NotFound, StorageError.
    """
    row = await get_deployment(db, deployment_id)
    async with db.session() as session:
        await require(session, "close", by, plan_of(row))
    if row.state == "closed":
        return row
    await must_be(row, "ended")
    await retention.close(db, vault, deployment_id, reason="closed", at=at)
    balance = await retention.reconcile(db, vault, deployment_id, at=at)
    if balance.off or balance.living:
        raise Conflict(
            f"{balance.off + balance.living} stored objects are not accounted for",
            hint="`lfr retention status` says which; it is not closed before they are",
        )
    async with changing(db, deployment_id) as (session, found):
        if found.state == "closed":  # the sweep was quicker
            return found
        move(session, found, "close", by=by, at=at or now(), reason="closed")
        found.closed_at = at or now()
    return found


async def file(
    db: Database, deployment_id: UUID, what: Filed, document: bytes, *, by: str, at: datetime | None = None
) -> Deployment:
    """That the review was held (A11) or the record published (J2): the log keeps the document's SHA-256.

    The first date counts; a correction is logged as well. Raises Conflict before the end, NotAllowed, NotFound.
    """
    if not document:
        raise Conflict(f"the {what} is empty", hint="give the document itself")
    async with changing(db, deployment_id) as (session, row):
        await require(session, "review", by, plan_of(row))
        await must_be(row, "ended", "closed")
        moment = at or now()
        if what == "review":
            row.review_at = row.review_at or moment
        else:
            row.record_at = row.record_at or moment
        payload = {"what": what, "digest": hashlib.sha256(document).hexdigest()}
        audit.record(session, kind="deployment.filed", actor=by, subject=str(row.id), payload=payload)
    return row
