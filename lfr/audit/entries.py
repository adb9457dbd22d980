"""What an audit entry may say: a closed vocabulary, one typed payload per kind, no faces, templates or public names.

A payload holds ids, counts, numbers and code words only. A name typed by somebody who is not known here, a label of the
watchlist or a file's name has no field to stand in.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lfr.audit.canonical import canonical
from lfr.domain.watchlist import Refusal

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9 ._:-]{0,79}$")]
"""A code word of ours, never free text."""

Camera = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Role = Literal["operator", "engineer", "auditor"]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown fields are errors."""


class Nothing(Payload, frozen=True):
    """The kind says it all."""


class DeploymentOpened(Payload, frozen=True):
    """A deployment came into being. pack_digest: sha256 hex of the pack's description."""

    mode: Literal["demo", "research", "operational"]
    pack: Code
    pack_digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class RecognitionStarted(Payload, frozen=True):
    """Recognition runs from here."""

    cameras: Count
    entries: Count
    threshold: float | None = None


class RecognitionStopped(Payload, frozen=True):
    """Recognition ended."""

    reason: Code = "asked"


class CameraHealth(Payload, frozen=True):
    """A camera changed its health state."""

    health: Code
    detail: Code | None = None


class CameraGap(Payload, frozen=True):
    """A camera saw nothing for a while. Seconds."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]
    reason: Code = "lost"


class ActorRestarted(Payload, frozen=True):
    """An actor died and came back; restarts counts from the start of the run."""

    actor_kind: Code
    restarts: Count


class AlertRaised(Payload, frozen=True):
    """An alert was written. See `lfr.domain.alerts.RaisedAlert`; times are Unix seconds."""

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


class EntryAdded(Payload, frozen=True):
    """A person was put on the watchlist (the label stays sealed in its own table)."""

    deployment: UUID


class ImageAdded(Payload, frozen=True):
    """One more picture of an entry. face_px: shorter box side in pixels."""

    deployment: UUID
    entry: UUID
    face_px: float
    sharpness: float


class EntryRevoked(Payload, frozen=True):
    """An entry was taken off the list and its templates destroyed."""

    deployment: UUID
    templates: Count


class WatchlistImported(Payload, frozen=True):
    """The sum of one import."""

    enrolled: Count
    refused: dict[Refusal, Count]


class UserAdded(Payload, frozen=True):
    """An account was made."""

    role: Role


class UserLocked(Payload, frozen=True):
    """Too many failures in a row."""

    failures: Count
    seconds: Count


KINDS: dict[str, type[Payload]] = {
    "deployment.opened": DeploymentOpened,
    "recognition.started": RecognitionStarted,
    "recognition.stopped": RecognitionStopped,
    "camera.health": CameraHealth,
    "camera.gap": CameraGap,
    "actor.restarted": ActorRestarted,
    "alert.raised": AlertRaised,
    "watchlist.entry-added": EntryAdded,
    "watchlist.image-added": ImageAdded,
    "watchlist.entry-revoked": EntryRevoked,
    "watchlist.imported": WatchlistImported,
    "user.added": UserAdded,
    "user.signed-in": Nothing,
    "user.sign-in-failed": Nothing,
    "user.locked": UserLocked,
    "user.signed-out": Nothing,
    "user.password-changed": Nothing,
}
"""Every kind of entry and what it carries."""

WITHHELD: dict[str, frozenset[str]] = {"alert.raised": frozenset({"score", "threshold", "gap"})}
"""Fields that the event stream leaves out: a reviewer judges the pair before seeing a number (E3)."""


def checked(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload as plain JSON values, if the kind allows it.

    Raises ValueError naming kind and field, never the value.
    """
    if kind not in KINDS:
        raise ValueError(f"no audit entry of kind {kind!r}")
    try:
        typed = msgspec.convert(dict(payload), KINDS[kind], builtin_types=())
    except msgspec.ValidationError as error:
        # msgspec names the field and the type it wanted; it does not repeat the value.
        raise ValueError(f"audit entry {kind}: {error}") from None
    plain = msgspec.to_builtins(typed, str_keys=True)
    if any(isinstance(value, float) and not math.isfinite(value) for value in plain.values()):
        raise ValueError(f"audit entry {kind}: a number must be finite")
    return {key: value for key, value in plain.items() if value is not None}


def public(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What of a payload may go out as an event."""
    withheld = WITHHELD.get(kind, frozenset())
    return {key: value for key, value in payload.items() if key not in withheld}


def named(text: str, what: str) -> str:
    """An actor or a subject, if it is one short line. Raises ValueError."""
    try:
        return msgspec.convert(text, Short)
    except msgspec.ValidationError:
        raise ValueError(f"audit entry: {what} must be 1 to 120 printable characters") from None


def envelope(*, entry_id: UUID, at: datetime, kind: str, actor: str, subject: str, payload: Mapping[str, Any]) -> bytes:
    """The bytes of one entry that its leaf hash covers. `at` is written in UTC to the microsecond.

    Raises ValueError for a naive time.
    """
    if at.utcoffset() != timedelta(0):
        raise ValueError("an entry's time must be in UTC")
    stamp = at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    return canonical(
        {"v": 1, "id": str(entry_id), "at": stamp, "kind": kind, "actor": actor, "subject": subject, "payload": payload}
    )


def leaf_hash(data: bytes) -> bytes:
    """The 32-byte leaf hash of RFC 6962, 2.1: SHA-256 over a zero byte and the data."""
    return hashlib.sha256(b"\x00" + data).digest()
