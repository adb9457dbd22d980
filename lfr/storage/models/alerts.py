"""Alerts and their sealed pictures."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from lfr.storage.columns import Table, UtcDateTime, now, one_of, refers

PICTURES = ("probe", "scene")


class Alert(Table, table=True):
    """One alert. frame: 0-based index in the source; media_s: presentation time; box: x y w h, pixels of the frame.

    expires_at: when its pictures are shredded unless they are held (G2), from the policy in force when it was raised.
    """

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
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    shredded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlertPicture(Table, table=True):
    """A sealed JPEG of an alert: the probe's face, or the pixelated scene. It goes with the alert's key."""

    __tablename__: ClassVar[str] = "alert_picture"
    __table_args__: ClassVar[Any] = (refers("alert_id", "alert.id"), one_of("kind", PICTURES))

    alert_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    sealed: bytes
