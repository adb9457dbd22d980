"""All tables. Faces, templates and labels stand here sealed only (lfr.storage.vault)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from lfr.storage.columns import Table, UtcDateTime, now, one_of, refers

MODES = ("demo", "research", "operational")
ROLES = ("operator", "engineer", "auditor")
PICTURES = ("probe", "scene")


class Deployment(Table, table=True):
    """One system's use of one pack in one mode. Another pack is another deployment: templates cannot be compared."""

    __tablename__: ClassVar[str] = "deployment"
    __table_args__: ClassVar[Any] = (UniqueConstraint("name", "mode", "pack_digest"), one_of("mode", MODES))

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str
    mode: str
    pack: str
    pack_digest: str
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class WatchlistEntry(Table, table=True):
    """One listed person. label_sealed: the label, sealed. label_mac: keyed digest that finds an entry by its label."""

    __tablename__: ClassVar[str] = "watchlist_entry"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        # A label names one living entry; after a revocation it may be used again.
        Index(
            "uq_watchlist_entry_label",
            "deployment_id",
            "label_mac",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID
    label_sealed: bytes
    label_mac: bytes
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    added_by: str
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: str | None = None


class WatchlistImage(Table, table=True):
    """One enrolled picture: its template and its face cut-out (JPEG), both sealed.

    picture_mac: keyed digest of the file given, for finding duplicates; a plain hash would let anybody test a picture
    against a stolen database. template_sealed and picture_mac are NULL once the entry is revoked. face_px: shorter box
    side in pixels.
    """

    __tablename__: ClassVar[str] = "watchlist_image"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        refers("entry_id", "watchlist_entry.id"),
        UniqueConstraint("deployment_id", "picture_mac"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    deployment_id: UUID
    entry_id: UUID = Field(index=True)
    template_sealed: bytes | None
    dim: int
    picture_sealed: bytes
    picture_mac: bytes | None
    face_px: float
    sharpness: float
    score: float
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Alert(Table, table=True):
    """One alert. frame: 0-based index in the source; media_s: presentation time; box: x y w h, pixels of the frame."""

    __tablename__: ClassVar[str] = "alert"
    __table_args__: ClassVar[Any] = (
        refers("deployment_id", "deployment.id"),
        refers("entry_id", "watchlist_entry.id"),
        refers("audit_entry_id", "audit_entry.id"),
        UniqueConstraint("deployment_id", "camera", "run", "transit", "entry_id", name="uq_alert_transit"),
        Index("ix_alert_cooldown", "deployment_id", "camera", "entry_id", "frame_at"),
    )

    id: UUID = Field(primary_key=True)
    deployment_id: UUID
    camera: str
    run: str
    transit: int
    entry_id: UUID
    audit_entry_id: UUID = Field(unique=True)
    score: float
    threshold: float
    gap: float
    shots: int
    frame: int
    media_s: float
    frame_at: datetime = Field(sa_type=UtcDateTime)
    first_shot_at: datetime = Field(sa_type=UtcDateTime)
    box_x: int
    box_y: int
    box_w: int
    box_h: int
    raised_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class AlertPicture(Table, table=True):
    """A sealed JPEG of an alert: the probe's face, or the pixelated scene."""

    __tablename__: ClassVar[str] = "alert_picture"
    __table_args__: ClassVar[Any] = (refers("alert_id", "alert.id"), one_of("kind", PICTURES))

    alert_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    sealed: bytes


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


class User(Table, table=True):
    """Somebody who may sign in. name is lower case. failures counts wrong passwords in a row."""

    __tablename__: ClassVar[str] = "app_user"
    __table_args__: ClassVar[Any] = (one_of("role", ROLES),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True)
    role: str
    password_hash: str
    must_change: bool
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Session(Table, table=True):
    """A signed-in session. token_hash: SHA-256 of the 256-bit token; the token itself is nowhere."""

    __tablename__: ClassVar[str] = "app_session"
    __table_args__: ClassVar[Any] = (refers("user_id", "app_user.id"),)

    token_hash: bytes = Field(primary_key=True)
    user_id: UUID = Field(index=True)
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
