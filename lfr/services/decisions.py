"""Signed decisions: accepted, kept as they were given, and read back as the chain that a mandate rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.authority import (
    Authorisation,
    Credential,
    Decision,
    Endorsed,
    Extension,
    ListAmendment,
    ListApproval,
    endorsed,
)
from lfr.domain.errors import AuthorityError, Conflict
from lfr.domain.mandate import text_digest
from lfr.domain.signing import Signed, Statement, open_signed
from lfr.services import audit
from lfr.services.life import plan_of
from lfr.storage.database import Database
from lfr.storage.models import Deployment, SignedDecision

AHEAD = timedelta(minutes=2)
"""How far a signer's clock may be ahead of ours."""

Kind = TypeVar("Kind", bound=Decision)
Said = TypeVar("Said", bound=Statement)


def accept(
    given: Endorsed, kind: type[Kind], row: Deployment, *, registrar: str, at: datetime
) -> tuple[Kind, Credential]:
    """A decision about this deployment by an Authorising Officer of its force, neither from the future nor signed
    before the deployment came into being. Raises AuthorityError, SignatureInvalid.
    """
    decision, signer = endorsed(
        given, kind, registrar=registrar, force=plan_of(row).force, role="authorising-officer", at=at
    )
    if decision.deployment_id != row.id:
        raise AuthorityError("this decision is about another deployment")
    if decision.at - at > AHEAD:
        raise AuthorityError("this decision is dated in the future", hint="check the clocks of both machines")
    if row.made_at - decision.at > AHEAD:
        raise AuthorityError("this decision is older than the deployment")
    return decision, signer


async def store(session: AsyncSession, row: Deployment, given: Endorsed | Signed, officer: str) -> int:
    """Keep a decision within the caller's transaction, with its log entry. Returns its number in this deployment.

    Raises Conflict for one that was given before: none counts twice.
    """
    said = given.said if isinstance(given, Endorsed) else given
    kept = (await session.exec(select(SignedDecision).where(col(SignedDecision.deployment_id) == row.id))).all()
    if any(signed_in(one).text == said.text for one in kept):
        raise Conflict("this decision was given already", hint="a decision counts once; sign a new one")
    ordinal = max((one.ordinal for one in kept), default=0) + 1
    kind = str(msgspec.json.decode(said.text)["type"])
    session.add(
        SignedDecision(
            deployment_id=row.id, ordinal=ordinal, kind=kind, officer=officer, endorsed=msgspec.to_builtins(given)
        )
    )
    payload = {
        "decision": kind.replace("/", ":"),
        "digest": text_digest(said),
        "key": said.key,
        "ordinal": ordinal,
    }
    audit.record(session, kind="deployment.decision", actor=officer, subject=str(row.id), payload=payload)
    return ordinal


def signed_in(kept: SignedDecision) -> Signed:
    """The statement in a row, with or without a credential beside it."""
    given: dict[str, Any] = kept.endorsed
    return msgspec.convert(given.get("said", given), Signed)


@dataclass(frozen=True, slots=True)
class Chain:
    """What a mandate rests on, as it stands. None and empty where nothing was decided yet."""

    authority: Endorsed | None = None
    confirmation: Endorsed | None = None
    extensions: tuple[Endorsed, ...] = ()
    list_approval: Endorsed | None = None
    amendments: tuple[Endorsed, ...] = ()


async def chain(session: AsyncSession, deployment_id: UUID) -> Chain:
    """The decisions of a deployment as a mandate carries them."""
    query = (
        select(SignedDecision)
        .where(col(SignedDecision.deployment_id) == deployment_id)
        .order_by(col(SignedDecision.ordinal))
    )
    return chained((await session.exec(query)).all())


def chained(kept: Sequence[SignedDecision]) -> Chain:
    """The same from rows in their order. A new list approval makes the amendments before it void."""
    authority = confirmation = approval = None
    extensions: list[Endorsed] = []
    amendments: list[Endorsed] = []
    for one in kept:
        if one.kind not in _LINKS:
            continue
        given = msgspec.convert(one.endorsed, Endorsed)
        match one.kind:
            case "lfr.authorisation/1" if authority is None:
                authority = given
            case "lfr.authorisation/1":
                confirmation = given
            case "lfr.extension/1":
                extensions.append(given)
            case "lfr.list-approval/1":
                approval, amendments = given, []
            case "lfr.list-amendment/1":
                amendments.append(given)
    return Chain(authority, confirmation, tuple(extensions), approval, tuple(amendments))


_LINKS = frozenset(str(kind.__struct_config__.tag) for kind in (Authorisation, Extension, ListApproval, ListAmendment))


def read(given: Endorsed, kind: type[Said]) -> Said:
    """The statement in a decision that was accepted before."""
    return open_signed(given.said, kind)


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as lists show it. kind: the statement's tag; digest: SHA-256 of its text; key: the signer's."""

    kind: str
    officer: str
    at: datetime
    digest: str
    key: str


async def kept(db: Database, deployment_id: UUID) -> list[Kept]:
    """Everything that was signed about a deployment, in the order in which it was given."""
    query = (
        select(SignedDecision)
        .where(col(SignedDecision.deployment_id) == deployment_id)
        .order_by(col(SignedDecision.ordinal))
    )
    async with db.session() as session:
        rows = (await session.exec(query)).all()
    found = []
    for row in rows:
        said = signed_in(row)
        found.append(Kept(row.kind, row.officer, row.made_at, text_digest(said), said.key))
    return found
