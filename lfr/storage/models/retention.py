"""What must go, what is held, what was destroyed: objects, holds, the rights ledger, and the latest time ever seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Index, text
from sqlmodel import Field

from lfr.storage.columns import Table, UtcDateTime, now, one_of, refers

OBJECTS = ("list-picture", "list-template", "list-details", "alert-probe", "alert-scene", "sign-picture")


class StoredObject(Table, table=True):
    """One sealed thing that shows or describes a person: a random id that the log names when it is made and when it is
    destroyed (G6). owner_id: the entry or alert under whose key it is sealed (a sign's picture: the deployment).
    created = living + held + deleted. going_at, going_for: decided to be destroyed, and why; from then on it is only a
    matter of finishing, whatever crashes in between.
    """

    __tablename__: ClassVar[str] = "stored_object"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        one_of("kind", OBJECTS),
        Index("ix_stored_object_owner", "deployment_id", "owner_id"),
        Index(
            "ix_stored_object_going",
            "deployment_id",
            sqlite_where=text("going_at IS NOT NULL AND deleted_at IS NULL"),
            postgresql_where=text("going_at IS NOT NULL AND deleted_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID
    owner_id: UUID
    kind: str
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    hold_id: UUID | None = None
    going_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    going_for: str | None = None
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EvidenceHold(Table, table=True):
    """An alert kept beyond its time for a named reason (G2): its key is wrapped anew under the hold's own key."""

    __tablename__: ClassVar[str] = "evidence_hold"
    __table_args__: ClassVar[Any] = (refers("deployment_id", "deployment.id"), refers("alert_id", "alert.id"))

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID = Field(index=True)
    alert_id: UUID = Field(index=True)
    reason: str
    reference: str
    owner: str
    placed_by: str
    placed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LedgerKey(Table, table=True):
    """The rights ledger's key pair (B13): rows are sealed to the public half, only the data protection officer opens
    them. wrapped: the private half and the HMAC key, under a key made of that officer's password.
    """

    __tablename__: ClassVar[str] = "ledger_key"

    public: str = Field(primary_key=True)
    officer: str
    wrapped: bytes
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class LedgerEntry(Table, table=True):
    """One membership of one list: sealed to the ledger's key. mac: HMAC of the nominal reference, filled in by the
    officer's first look. It outlives the deployment's keys and holds no biometric.
    """

    __tablename__: ClassVar[str] = "ledger_entry"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        refers("ledger_key", "ledger_key.public"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID = Field(index=True)
    ledger_key: str
    sealed: bytes
    mac: bytes | None = Field(default=None, index=True)
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class LedgerReply(Table, table=True):
    """What the officer replied to one request, sealed to the ledger's key and always of one length: nobody else can
    tell a confirmation from a refusal to say (B13).
    """

    __tablename__: ClassVar[str] = "ledger_reply"
    __table_args__: ClassVar[Any] = (refers("ledger_key", "ledger_key.public"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    ledger_key: str
    sealed: bytes
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ClockMark(Table, table=True):
    """The latest time ever seen here: a clock that is set back makes nothing live longer (A3, M2).

    boot, up_s: of the machine's start that saw it, and how many seconds that was ago; time goes on from there, whatever
    the wall clock says.
    """

    __tablename__: ClassVar[str] = "clock_mark"

    id: int = Field(primary_key=True)
    latest: datetime = Field(sa_type=UtcDateTime)
    boot: str = ""
    up_s: float = 0.0
