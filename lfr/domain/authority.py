"""The statements that people sign: authorities, approvals, decisions; and who is entitled to sign them.

Each travels with its signer's credential, which the force's registrar signed. So whoever checks one needs to know two
things only: the registrar's public key and the policy.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeVar
from uuid import UUID

import msgspec

from lfr.domain.errors import AuthorityError, SignatureInvalid
from lfr.domain.plan import PersonName, Written
from lfr.domain.policy import Code, Policy, Role, Strict
from lfr.domain.signing import Signed, Statement, open_signed


class Credential(Statement, frozen=True, tag="lfr.credential/1"):
    """The registrar's word that a key belongs to an officer of this force, rank and these roles, until it expires."""

    officer: PersonName
    force: Code
    rank: Code | None
    roles: tuple[Role, ...]
    key: str
    issued_at: datetime
    expires_at: datetime


class Decision(Statement, frozen=True):
    """What every decision of an officer says: about which deployment, by whom, when."""

    deployment_id: UUID
    officer: PersonName
    at: datetime


class Authorisation(Decision, frozen=True, tag="lfr.authorisation/1"):
    """The Authorising Officer's authority for one plan (A1, A3).

    place: digest of the planned place; cameras: camera -> digest of its zone. urgent: by a lower rank; it lapses at
    confirm_by unless an ordinary authority for the same plan and window confirms it before then (A4).
    """

    force: Code
    plan_digest: str
    policy_digest: str
    use_case: Code
    categories: tuple[Code, ...]
    place: str
    starts_at: datetime
    ends_at: datetime
    cameras: dict[str, str]
    urgent: bool = False
    confirm_by: datetime | None = None


class Refusal(Decision, frozen=True, tag="lfr.refusal/1"):
    """The Authorising Officer says no, and why."""

    plan_digest: str
    reason: Written


class Extension(Decision, frozen=True, tag="lfr.extension/1"):
    """A later end, as a decision of its own (A3). authority: SHA-256 of the text of the authority it extends."""

    authority: str
    ends_at: datetime
    reason: Written


class ListApproval(Decision, frozen=True, tag="lfr.list-approval/1"):
    """The Authorising Officer's approval of exactly this list, by its digest."""

    list_digest: str
    entries: int
    band: int


class ListAmendment(Decision, frozen=True, tag="lfr.list-amendment/1"):
    """Entries added to an approved list: chained to the digest before, by the leaves added, never beyond the band."""

    previous: str
    added: tuple[str, ...]
    list_digest: str
    entries: int


class SpecialListing(Decision, frozen=True, tag="lfr.special-listing/1"):
    """An entry that needs a signature of its own: a child (B8), or a case below the seriousness floor (B3).

    leaf: the entry as it stands, pictures included. The youngest need two, of two officers.
    """

    entry_id: UUID
    leaf: str
    age_band: Code
    reason: Written


class Restart(Decision, frozen=True, tag="lfr.restart/1"):
    """After a stop: recognition may start again (A13). stop: the id of the stop it answers."""

    stop: UUID
    reason: Written


class Oversight(Statement, frozen=True, tag="lfr.oversight/1"):
    """Somebody outside the force, whose key stands in the policy, suspends a deployment or lets it go on (H3).

    at: later than the one before it, so that an old statement cannot be played back.
    """

    deployment_id: UUID
    decision: Literal["suspend", "reinstate"]
    at: datetime
    reason: Written = ""


class Approval(Statement, frozen=True, tag="lfr.approval/1"):
    """An approver from outside the chain of command (A10). about: `plan`, or what a sensitive place needs (A7)."""

    deployment_id: UUID
    approver: Code
    plan_digest: str
    decision: Literal["approve", "refuse"]
    at: datetime
    expires_at: datetime
    conditions: Written = ""


class Endorsed(Strict, frozen=True):
    """A signed decision with its signer's signed credential."""

    said: Signed
    credential: Signed

    def encode(self) -> bytes:
        """As one line of JSON: what a file or a QR code carries."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes | str) -> Endorsed:
        """Raises SignatureInvalid for what is no signed decision."""
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise SignatureInvalid("this is no signed decision", hint="give it as it was signed") from None


Kind = TypeVar("Kind", bound=Decision)


def endorsed(
    given: Endorsed, kind: type[Kind], *, registrar: str, force: str, role: Role, at: datetime
) -> tuple[Kind, Credential]:
    """The decision and who made it, if the registrar vouches for the signer, who holds the role in this force at `at`.

    registrar: its public key, 64 hex digits. The rank is the caller's to check (`require_rank`): it depends on what is
    decided. Raises SignatureInvalid, AuthorityError.
    """
    try:
        credential = open_signed(given.credential, Credential, key=registrar)
    except SignatureInvalid as error:
        raise SignatureInvalid(f"the signer's credential is not the registrar's: {error.message}") from None
    decision = open_signed(given.said, kind, key=credential.key)
    if credential.force != force:
        raise AuthorityError(f"the signer belongs to {credential.force}, not to {force}")
    if not credential.issued_at <= at < credential.expires_at:
        raise AuthorityError("the signer's credential is not valid at this time", hint="renew it with the registrar")
    if role not in credential.roles:
        raise AuthorityError(f"the signer does not hold the role {role}")
    if decision.officer != credential.officer:
        raise SignatureInvalid("the decision names another officer than its signer")
    return decision, credential


def require_rank(credential: Credential, least: str, policy: Policy) -> None:
    """Raises AuthorityError unless the signer's rank is at least `least`."""
    if not policy.rank_reaches(credential.rank, least):
        raise AuthorityError(
            f"this needs the rank of {least} or above, the signer is {credential.rank or 'of no rank'}",
            hint="ask an officer of that rank",
        )
