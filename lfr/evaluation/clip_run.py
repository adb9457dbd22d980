"""What one run of a clip through the live actors gives back. Nothing in here came from a truth file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pace = Literal["file", "live"]
"""`file`: every frame, back-pressure. `live`: the clip's own rate, newest frame wins."""


@dataclass(frozen=True, slots=True)
class ClipAlert:
    """One durable alert.

    identity: the label that was enrolled. frame: 0-based index of the deciding shot's frame. score and gap: higher is
    more alike. latency_ms: deciding shot's time stamp to commit. first_shot_ms: the transit's first detected face to
    commit.
    """

    identity: str
    frame: int
    score: float
    threshold: float
    gap: float
    latency_ms: float
    first_shot_ms: float


@dataclass(frozen=True, slots=True)
class ClipPeak:
    """The best score at or above the threshold that one transit reached against one entry, alert or not.

    With it found against false alerts can be drawn over rising thresholds without running the clip again.
    """

    identity: str
    frame: int
    score: float


@dataclass(frozen=True, slots=True)
class ClipRun:
    """One whole run.

    seconds: first read until the last alert is committed and the pipeline drained, without start-up and enrolment.
    frames: decoded (or skipped undecoded by the source). frames_processed: the detector ran on them. detections:
    faces found. embeddings: templates computed. transits: tracks. enrolled and enrol_failed count entries, not
    pictures. nonmatch ages: milliseconds from a frame's time stamp to the overwriting of its crops and templates;
    None without samples. peaks: empty where the run did not keep them.
    """

    pace: Pace
    threshold: float
    seconds: float
    frames: int
    frames_processed: int
    frames_dropped: int
    detections: int
    embeddings: int
    transits: int
    enrolled: int
    enrol_failed: int
    alerts: tuple[ClipAlert, ...] = ()
    peaks: tuple[ClipPeak, ...] = ()
    nonmatch_age_p95_ms: float | None = None
    nonmatch_age_max_ms: float | None = None
    threshold_basis: str = ""
