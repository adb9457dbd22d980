"""Who may sign in, what they sign with, and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON
from sqlmodel import Field

from lfr.storage.columns import Table, UtcDateTime, now, refers


class User(Table, table=True):
    """Somebody who may sign in. name is lower case. failures counts wrong passwords in a row.

    roles: what they may be in a deployment (lfr.domain.policy.Role). rank: a code of the policy, for who authorises.
    """

    __tablename__: ClassVar[str] = "app_user"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True)
    roles: list[str] = Field(sa_type=JSON)
    rank: str | None = None
    password_hash: str
    must_change: bool
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class OfficerKey(Table, table=True):
    """What somebody signs decisions with: an Ed25519 key, its private half wrapped under a key made of their password.

    public: 64 hex digits. wrapped: see lfr.storage.password_key; None for a key that is held elsewhere (a file, a
    token) or was retired. credential: the registrar's signed word on it, as JSON; empty until there is one.
    """

    __tablename__: ClassVar[str] = "officer_key"
    __table_args__: ClassVar[Any] = (refers("user_id", "app_user.id"),)

    public: str = Field(primary_key=True)
    user_id: UUID = Field(index=True)
    wrapped: bytes | None
    credential: str
    made_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Session(Table, table=True):
    """A signed-in session. token_hash: SHA-256 of the 256-bit token; the token itself is nowhere."""

    __tablename__: ClassVar[str] = "app_session"
    __table_args__: ClassVar[Any] = (refers("user_id", "app_user.id"),)

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(index=True)
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
