"""The oversight body's hand on a deployment: it suspends, and only it lets go again (H3).

Its statements are signed with keys that stand in the policy; the force holds none of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlmodel import col, select

from lfr.domain.authority import Oversight
from lfr.domain.errors import AuthorityError, SignatureInvalid
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed, open_signed
from lfr.services import decisions
from lfr.services.life import changing, move
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment, SignedDecision

OFFICER = "oversight"
"""How the log names whoever signs with a key of the policy's oversight."""
_FRESH = timedelta(days=7)


async def apply(
    db: Database, deployment_id: UUID, signed: Signed, *, policy: Policy, at: datetime | None = None
) -> Deployment:
    """Suspend a deployment, or let it go on. Reinstated, it is stopped: starting again is the Authorising Officer's.

    Raises SignatureInvalid, AuthorityError for a key that is not the policy's, for another deployment, and for a
    statement that is not newer than the last one; Conflict, NotFound.
    """
    at = at or now()
    async with changing(db, deployment_id) as (session, row):
        if signed.key not in policy.oversight:
            raise AuthorityError("this key is not the oversight body's", hint="its keys stand in the policy")
        said = open_signed(signed, Oversight)
        if said.deployment_id != row.id:
            raise AuthorityError("this statement is about another deployment")
        if said.at - at > decisions.AHEAD or at - said.at > _FRESH:
            raise AuthorityError("this statement is not of these days", hint="check the clocks of both machines")
        query = select(SignedDecision).where(
            col(SignedDecision.deployment_id) == row.id, col(SignedDecision.kind) == Oversight.__struct_config__.tag
        )
        for kept in (await session.exec(query)).all():
            if _said(kept).at >= said.at:
                raise AuthorityError("a newer statement of the oversight body stands", hint="ask for a new one")
        await decisions.store(session, row, signed, OFFICER)
        move(session, row, said.decision, by=OFFICER, at=at)
        row.stop_id = uuid4() if said.decision == "reinstate" else None
    return row


def _said(kept: SignedDecision) -> Oversight:
    signed = decisions.signed_in(kept)
    try:
        return open_signed(signed, Oversight)
    except SignatureInvalid:
        raise AuthorityError("a stored statement of the oversight body was changed", hint="restore a backup") from None
