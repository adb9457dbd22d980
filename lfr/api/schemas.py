"""What goes in and out as JSON, and how it is made from the records of the services."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from lfr.domain.alerts import AlertRecord
from lfr.domain.watchlist import RowResult

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Name and password of an account."""

    name: Text
    password: Text

    def __repr__(self) -> str:
        return "SignIn(...)"


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password so far and the one from now on."""

    old: Text
    new: Text

    def __repr__(self) -> str:
        return "NewPassword(...)"


class SessionOut(msgspec.Struct, frozen=True):
    """A session. token: for `Authorization: Bearer`, given at sign-in only. must_change: only the password may be."""

    name: str
    roles: tuple[str, ...]
    must_change: bool
    token: str | None = None


class HealthOut(msgspec.Struct, frozen=True):
    """starting, live, degraded, stopped or failed; `unknown` when the supervisor does not answer."""

    state: str


class AlertOut(msgspec.Struct, frozen=True):
    """One alert. seq: its number in the log. box: x y w h in pixels of the frame. Times are UTC.

    score, threshold and gap: similarity, higher is more alike; no probability. label: None where there is none.
    """

    id: UUID
    seq: int
    camera: str
    run: str
    transit: int
    entry_id: UUID
    label: str | None
    score: float
    threshold: float
    gap: float
    shots: int
    frame: int
    media_s: float
    box: tuple[int, int, int, int]
    frame_at: datetime
    first_shot_at: datetime
    raised_at: datetime

    @classmethod
    def of(cls, record: AlertRecord, label: str | None) -> AlertOut:
        """From what is stored."""
        return cls(
            id=record.id,
            seq=record.seq,
            camera=record.camera,
            run=record.run,
            transit=record.transit,
            entry_id=record.entry_id,
            label=label,
            score=record.score,
            threshold=record.threshold,
            gap=record.gap,
            shots=record.shots,
            frame=record.frame,
            media_s=record.media_s,
            box=record.box,
            frame_at=record.frame_at,
            first_shot_at=record.first_shot_at,
            raised_at=record.raised_at,
        )


class AlertsOut(msgspec.Struct, frozen=True):
    """A page of alerts. seq: follow the event stream from here and miss nothing. more: there are others."""

    alerts: list[AlertOut]
    seq: int
    more: bool


class EntryOut(msgspec.Struct, frozen=True):
    """One watchlist entry."""

    id: UUID
    label: str
    images: int
    added_at: datetime
    revoked_at: datetime | None


class WatchlistOut(msgspec.Struct, frozen=True):
    """The entries, revoked ones too while their record stands."""

    entries: list[EntryOut]


class RowOut(msgspec.Struct, frozen=True):
    """What became of one picture."""

    source: str
    enrolled: bool
    refusal: str | None
    detail: str
    entry_id: UUID | None
    image_id: UUID | None

    @classmethod
    def of(cls, row: RowResult) -> RowOut:
        """From the import's row."""
        return cls(row.source, row.enrolled, row.refusal, row.detail, row.entry_id, row.image_id)


class EnrolOut(msgspec.Struct, frozen=True):
    """What became of every picture sent."""

    rows: list[RowOut]
