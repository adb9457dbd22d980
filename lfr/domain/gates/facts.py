"""The facts that the gates judge, at one moment. Nothing here was decided yet; `lfr.services.facts` gathers them.

What is signed was verified by whoever gathered it: a signature that is not good leaves no fact behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from lfr.domain.bundle import Bundle
from lfr.domain.list_facts import ListFacts
from lfr.domain.plan import Plan
from lfr.domain.policy import Mode, Policy, Role


@dataclass(frozen=True, slots=True)
class CertificateFact:
    """A bundle's independent test certificate. fmr_upper: upper 95 % bound of one comparison's false match rate."""

    digest: str
    expires_at: datetime
    fmr_upper: float


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """What the system says of itself. registrar: public key of the force's registrar, 64 hex digits.

    cameras: those configured. clock_ok: it agrees with its sources and was not set back (M2). writer_ok: the log is
    written within its limit (H1). storage_ok: database, keys and disk answer and have room. suspended: by oversight
    (H3). ledger_ok: the rights ledger has a key (B13). Nothing is assumed: whoever does not know says False.
    """

    force: str
    registrar: str
    mode: Mode
    cameras: tuple[str, ...]
    clock_ok: bool
    writer_ok: bool
    storage_ok: bool
    suspended: bool
    ledger_ok: bool
    certificate: CertificateFact | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """An account, or whoever is about to sign."""

    name: str
    rank: str | None
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Granted:
    """The authority as it stands, extensions included. lapses_at: of an urgent one that nobody confirmed yet (A4)."""

    officer: str
    rank: str | None
    urgent: bool
    plan_digest: str
    policy_digest: str
    starts_at: datetime
    ends_at: datetime
    lapses_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListApproved:
    """The list's approval as it stands, amendments included. bundle_digest: of the bundle it was approved for."""

    officer: str
    list_digest: str
    entries: int
    band: int
    at: datetime
    bundle_digest: str | None


@dataclass(frozen=True, slots=True)
class DocumentFact:
    """A registered document that the plan names (A8)."""

    id: UUID
    code: str
    title: str
    covers_public: bool
    approved_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the signs (C4). item: a code of the policy, `all` for a confirmation. metres: from the place, None
    when the device did not say where it was.
    """

    kind: Literal["photo", "confirmation"]
    item: str
    at: datetime
    metres: float | None


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    """A verified answer of an approver (A10). officer, rank: of a second officer; None for all others."""

    approver: str
    decision: Literal["approve", "refuse"]
    plan_digest: str
    at: datetime
    expires_at: datetime
    conditions: str = ""
    officer: str | None = None
    rank: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """A deployment of this force that was live and has ended (A11, J2)."""

    title: str
    ended_at: datetime
    closed: bool
    reviewed: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class Alike:
    """How much of a written field (a name of Reasons) stands in an earlier authority, 0..1 (A2)."""

    field: str
    title: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the gates look at. policy_digest: of the policy the deployment was planned under.

    people: the accounts of those whom the plan names, by name. signer: who is about to sign, None when nobody is yet;
    urgent: that it will be an urgent authority, or a decision under one that nobody confirmed yet (A4). notice_at: when
    the advance notice was published (J1). live_at: when it first went live.
    """

    at: datetime
    mode: Mode
    policy: Policy
    policy_digest: str
    plan: Plan
    system: SystemFacts
    bundle: Bundle
    listed: ListFacts
    people: Mapping[str, Person] = field(default_factory=dict)
    signer: Person | None = None
    urgent: bool = False
    authority: Granted | None = None
    approved: ListApproved | None = None
    documents: tuple[DocumentFact, ...] = ()
    looks: tuple[Look, ...] = ()
    approvals: tuple[ApprovalFact, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    alike: tuple[Alike, ...] = ()
    notice_at: datetime | None = None
    live_at: datetime | None = None
