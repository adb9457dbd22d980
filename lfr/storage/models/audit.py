"""The log: entries, the outbox in which they wait for their number, and their order. Append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint
from sqlmodel import Field

from lfr.storage.columns import Table, UtcDateTime, now, refers


class AuditEntry(Table, table=True):
    """One thing that happened (lfr.audit.entries). Append-only: triggers refuse to change or delete it."""

    __tablename__: ClassVar[str] = "audit_entry"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    kind: str
    actor: str
    subject: str
    payload: dict[str, Any] = Field(sa_type=JSON)


class AuditOutbox(Table, table=True):
    """Entries that wait for their number. A row goes only when its entry has one (a trigger sees to it)."""

    __tablename__: ClassVar[str] = "audit_outbox"
    __table_args__: ClassVar[Any] = (refers("entry_id", "audit_entry.id"),)

    entry_id: UUID = Field(primary_key=True)


class AuditSequence(Table, table=True):
    """The order of the log: seq 1, 2, 3 ... without a gap, and the leaf hash (RFC 6962) of each entry. Append-only."""

    __tablename__: ClassVar[str] = "audit_sequence"
    __table_args__: ClassVar[Any] = (
        refers("entry_id", "audit_entry.id"),
        CheckConstraint("seq >= 1", name="seq"),
    )

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    entry_id: UUID = Field(unique=True)
    leaf: bytes
