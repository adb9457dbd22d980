"""Alerts."""

from __future__ import annotations

from uuid import UUID

from lfr.audit.vocabulary.base import Camera, Count, Kinds, Payload, Short


class AlertRaised(Payload, frozen=True):
    """An alert was written. See `lfr.domain.alerts.RaisedAlert`; times are Unix seconds.

    objects: the stored objects that came into being with it (G6).
    """

    deployment: UUID
    camera: Camera
    run: Short
    transit: Count
    entry: UUID
    score: float
    threshold: float
    gap: float
    shots: Count
    frame: Count
    media_s: float
    frame_at: float
    objects: tuple[UUID, ...] = ()


KINDS: Kinds = {"alert.raised": AlertRaised}
