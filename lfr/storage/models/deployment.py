"""Deployments: their plan, their state, the decisions signed about them, and the evidence they rest on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from lfr.domain.lifecycle import STATES
from lfr.storage.columns import Table, UtcDateTime, now, one_of, refers

MODES = ("demo", "research", "operational")
EVIDENCE = ("photo", "confirmation")


class Deployment(Table, table=True):
    """One deployment of one system. plan: lfr.domain.plan.Plan as JSON; policy_digest and bundle: as when authorised.

    version: raised by every change, so that two people's changes cannot overwrite one another. state: see
    lfr.domain.lifecycle. state_reason: a code. stop_id: the stop that a restart must answer. band, list_digest,
    entries: of the approved list with its amendments. starts_at, ends_at: the authorised window, extensions included.
    reconciled_at, off: when its stored objects were last counted against the log, and how many did not balance (G6).
    urgent_confirm_by: when an urgent authority lapses (A4). notice_at: when it was announced
    (J1). review_at, record_at: when the review and the published
    record were filed (A11, J2).
    """

    __tablename__: ClassVar[str] = "deployment"
    __table_args__: ClassVar[Any] = (
        one_of("mode", MODES),
        one_of("state", STATES),
        Index("ix_deployment_system_state", "system", "state"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    system: str
    mode: str
    pack: str
    pack_digest: str
    policy: str
    policy_digest: str
    plan: dict[str, Any] = Field(sa_type=JSON)
    plan_digest: str
    state: str = "draft"
    state_reason: str = ""
    state_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    version: int = 1
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    made_by: str
    starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    urgent_confirm_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notice_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stop_id: UUID | None = None
    bundle: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    list_digest: str | None = None
    entries: int | None = None
    band: int | None = None
    live_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    record_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reconciled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    off: int | None = None


class SignedDecision(Table, table=True):
    """A signed statement about a deployment, as it was given. kind: the statement's tag. endorsed: Endorsed as JSON
    (an approver's Approval is stored as Signed). officer: whom it names; ordinal: 1, 2, 3 ... in a deployment.
    """

    __tablename__: ClassVar[str] = "signed_decision"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        UniqueConstraint("deployment_id", "ordinal"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID = Field(index=True)
    ordinal: int
    kind: str
    officer: str
    endorsed: dict[str, Any] = Field(sa_type=JSON)
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Document(Table, table=True):
    """A document a force rests on (A8): DPIA, EIA, CIA, APD, policy. sha256: of the file approved."""

    __tablename__: ClassVar[str] = "document"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    force: str
    code: str
    title: str
    version: str
    sha256: str
    url: str = ""
    covers_public: bool = False
    approved_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignEvidence(Table, table=True):
    """One look at the signs and notices at the place (C4): a photograph, or a tap that confirms that all still stands.

    item: a code of the policy, or `all` for a confirmation. latitude, longitude: degrees, where the device was.
    picture: sealed JPEG under the deployment's key.
    """

    __tablename__: ClassVar[str] = "sign_evidence"
    __table_args__: ClassVar[Any] = (refers("deployment_id", "deployment.id"), one_of("kind", EVIDENCE))

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID = Field(index=True)
    kind: str
    item: str
    latitude: float | None = None
    longitude: float | None = None
    picture: bytes | None = None
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_by: str
