"""An alert: a video face scored above the threshold against a watchlist image. A question, not an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("6f7d1c9e-4a0c-5d27-9a39-3f4b8a1d2c60")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One watchlist entry that a transit's fused template reached. What may outlive the shot it came from (D4).

    score: similarity, higher is more alike. gap: score less the best score of any other entry, 0..2.
    shots: how many shots of the last second stand behind it, each nearest to this entry.
    """

    entry_id: UUID
    score: float
    gap: float
    shots: int


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """All that is written when an alert is raised. Pictures are JPEG bytes; they are sealed before they are stored.

    run: one start of one camera. transit: one passage within that run, counted from 1. frame: 0-based index in the
    source. media_s: presentation time in seconds. frame_at: wall time (Unix seconds) of the deciding shot's frame.
    first_shot_at: wall time of the transit's first detected face. box: x y w h in pixels of the whole frame.
    """

    deployment_id: UUID
    camera: str
    run: str
    transit: int
    entry_id: UUID
    score: float
    threshold: float
    gap: float
    shots: int
    frame: int
    media_s: float
    frame_at: float
    first_shot_at: float
    box: tuple[int, int, int, int]
    probe_jpeg: bytes
    scene_jpeg: bytes

    @property
    def id(self) -> UUID:
        """The same transit and entry always give the same id, so that a retry is the same alert (D3)."""
        return uuid5(NAMESPACE, f"{self.deployment_id}/{self.camera}/{self.run}/{self.transit}/{self.entry_id}")


@dataclass(frozen=True, slots=True)
class AlertReceipt:
    """The alert is durable. muted: nothing was written, one for this entry on this camera is still cooling down."""

    alert_id: UUID
    committed_at: float
    duplicate: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert as it is stored, without its pictures. seq: its number in the log; the rest as in RaisedAlert.

    raised_at, frame_at, first_shot_at: UTC.
    """

    seq: int
    id: UUID
    deployment_id: UUID
    camera: str
    run: str
    transit: int
    entry_id: UUID
    score: float
    threshold: float
    gap: float
    shots: int
    frame: int
    media_s: float
    frame_at: datetime
    first_shot_at: datetime
    box: tuple[int, int, int, int]
    raised_at: datetime
