"""Approvers from outside the chain of command (A10): signed file, HTTP service, second officer. No answer is a no.

Whatever the way, the answer is a signed `Approval`; it is verified when it is taken and again whenever a gate asks.
"""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from lfr.domain.authority import Approval, Credential, Endorsed
from lfr.domain.errors import AuthorityError, ConfigError, Conflict, NotFound, SignatureInvalid
from lfr.domain.gates import ApprovalFact
from lfr.domain.policy import Approver, Policy
from lfr.domain.policy_check import is_safe_url
from lfr.domain.signing import Signed, open_signed
from lfr.services import audit, decisions
from lfr.services.life import changing, plan_of
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment, SignedDecision

KIND = str(Approval.__struct_config__.tag)
TIMEOUT_S = 10.0
ANSWER_MOST = 64 * 1024
_AHEAD = timedelta(minutes=2)
_NO = "no answer is a no: nothing starts without this approval"


def http_client(*, cafile: str = "", timeout_s: float = TIMEOUT_S) -> httpx.AsyncClient:
    """A client that follows no redirect, uses no proxy of the environment, and checks certificates.

    cafile: of a private certificate authority; empty = the system's.
    """
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=cafile) if cafile else True
    return httpx.AsyncClient(verify=verify, timeout=timeout_s, follow_redirects=False, trust_env=False)


async def ask(
    db: Database,
    http: httpx.AsyncClient,
    deployment_id: UUID,
    code: str,
    *,
    policy: Policy,
    registrar: str,
    by: str = "system",
    at: datetime | None = None,
) -> ApprovalFact:
    """Lay the plan before an approver of the kind `http`, and keep the answer.

    The request is a POST of JSON: deployment, plan, its digest, the policy's digest. 200 with a signed Approval is an
    answer; anything else is none. Raises AuthorityError (also when nobody answers), NotFound, ConfigError.
    """
    approver = _approver(policy, code)
    if approver.kind != "http":
        raise ConfigError(
            f"{approver.title} is not asked over the network", hint="`lfr deployment approve` takes a file"
        )
    async with db.session() as session:
        row = await session.get(Deployment, deployment_id)
    if row is None:
        raise NotFound(f"there is no deployment {deployment_id}", hint="`lfr deployment list` shows them")
    try:
        answer = await _answer(http, approver, _request(row, approver, policy))
    except AuthorityError:
        await _unanswered(db, deployment_id, code, by)
        raise
    return await take(db, deployment_id, answer, policy=policy, registrar=registrar, by=by, at=at)


def _request(row: Deployment, approver: Approver, policy: Policy) -> dict[str, Any]:
    return {
        "type": "lfr.approval-request/1",
        "deployment_id": str(row.id),
        "approver": approver.code,
        "plan": row.plan,
        "plan_digest": row.plan_digest,
        "policy": policy.name,
        "policy_version": policy.version,
        "policy_digest": policy.digest,
    }


async def _answer(http: httpx.AsyncClient, approver: Approver, wanted: dict[str, Any]) -> bytes:
    _safe(approver)
    body = bytearray()
    try:
        async with http.stream("POST", approver.url, json=wanted) as response:
            if response.status_code != 200:
                raise AuthorityError(f"{approver.title}: has not decided (HTTP {response.status_code})", hint=_NO)
            async for part in response.aiter_bytes():
                body += part
                if len(body) > ANSWER_MOST:
                    raise AuthorityError(f"{approver.title}: the answer is too long", hint=_NO)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise AuthorityError(f"{approver.title}: cannot be reached ({type(error).__name__})", hint=_NO) from None
    return bytes(body)


def _safe(approver: Approver) -> None:
    """Raises ConfigError for an address to which a plan must not go in the clear."""
    if not is_safe_url(approver.url):
        raise ConfigError(f"approver {approver.code}: its url must begin with https://", hint="correct the policy")


async def take(
    db: Database,
    deployment_id: UUID,
    data: bytes | str,
    *,
    policy: Policy,
    registrar: str,
    by: str = "system",
    at: datetime | None = None,
) -> ApprovalFact:
    """Keep an approver's signed answer, a refusal too.

    data: the Approval as it was signed; with the signer's credential where it is a second officer.

    Raises AuthorityError, SignatureInvalid for one that is not this approver's, not for this plan, or not valid now;
    Conflict for one that was taken before; NotFound.
    """
    at = at or now()
    given = _decoded(data)
    async with changing(db, deployment_id) as (session, row):
        force = plan_of(row).force
        found = opened(given, policy, registrar=registrar, force=force, at=at)
        said = open_signed(given.said if isinstance(given, Endorsed) else given, Approval)
        if said.deployment_id != row.id:
            raise AuthorityError("this approval is about another deployment")
        if said.plan_digest != row.plan_digest:
            raise AuthorityError("this approval is for another plan than the present one", hint="ask again")
        if said.at - at > _AHEAD or said.expires_at <= at:
            raise AuthorityError("this approval is not valid at this time", hint="check the clocks, or ask again")
        if row.state in {"ended", "closed"}:
            raise Conflict(f"the deployment is {row.state}")
        await decisions.store(session, row, given, found.officer or found.approver)
        payload = {"approver": found.approver, "decision": found.decision}
        audit.record(session, kind="approval.given", actor=by, subject=str(row.id), payload=payload)
    return found


def opened(given: Signed | Endorsed, policy: Policy, *, registrar: str, force: str, at: datetime) -> ApprovalFact:
    """What an approver said, if it is signed as the policy asks. Raises AuthorityError, SignatureInvalid."""
    signed = given.said if isinstance(given, Endorsed) else given
    said = open_signed(signed, Approval)
    approver = _approver(policy, said.approver)
    officer = rank = None
    if approver.kind == "officer":
        if not isinstance(given, Endorsed):
            raise SignatureInvalid("a second officer's approval comes with the officer's credential")
        credential = _vouched(given, registrar, force, at)
        officer, rank = credential.officer, credential.rank
        if approver.rank is not None and not policy.rank_reaches(rank, approver.rank):
            raise AuthorityError(f"{approver.title}: {officer} is {rank or 'of no rank'}, {approver.rank} is needed")
    elif signed.key not in approver.keys:
        raise SignatureInvalid(
            f"this was not signed with a key of: {approver.title}", hint="its keys stand in the policy"
        )
    return ApprovalFact(
        said.approver, said.decision, said.plan_digest, said.at, said.expires_at, said.conditions, officer, rank
    )


def _vouched(given: Endorsed, registrar: str, force: str, at: datetime) -> Credential:
    credential = open_signed(given.credential, Credential, key=registrar)
    if credential.key != given.said.key or credential.force != force:
        raise SignatureInvalid("the credential does not belong to this signature")
    if not credential.issued_at <= at < credential.expires_at:
        raise AuthorityError("the signer's credential is not valid at this time", hint="renew it with the registrar")
    return credential


def stored(kept: SignedDecision) -> Signed | Endorsed:
    """An approval as it stands in its row."""
    given = kept.endorsed
    return msgspec.convert(given, Endorsed) if "said" in given else msgspec.convert(given, Signed)


def _decoded(data: bytes | str) -> Signed | Endorsed:
    try:
        return Endorsed.decode(data)
    except SignatureInvalid:
        return Signed.decode(data)


def _approver(policy: Policy, code: str) -> Approver:
    found = next((one for one in policy.approvers if one.code == code), None)
    if found is None:
        known = ", ".join(one.code for one in policy.approvers) or "none"
        raise AuthorityError(f"the policy knows no approver {code[:63]!r}", hint=f"it knows: {known}")
    return found


async def _unanswered(db: Database, deployment_id: UUID, code: str, by: str) -> None:
    async with db.transaction() as session:
        payload = {"approver": code}
        audit.record(session, kind="approval.unanswered", actor=by, subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
