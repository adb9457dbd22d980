"""What the running system reports of itself."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lfr.audit.vocabulary.base import Camera, Code, Count, Kinds, Payload


class RecognitionStarted(Payload, frozen=True):
    """Recognition runs from here."""

    cameras: Count
    entries: Count
    threshold: float | None = None


class RecognitionStopped(Payload, frozen=True):
    """Recognition ended."""

    reason: Code = "asked"


class RecognitionGap(Payload, frozen=True):
    """Recognition was paused for so long, and goes on. reason: why it was."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]
    reason: Code


class CameraHealth(Payload, frozen=True):
    """A camera changed its health state."""

    health: Code
    detail: Code | None = None


class CameraGap(Payload, frozen=True):
    """A camera saw nothing for a while. Seconds."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]
    reason: Code = "lost"


class CameraOutside(Payload, frozen=True):
    """What a camera shows is not what recognition was tested for: nobody is recognised there until it is (C5)."""

    reason: Code


class ViewConfirmed(Payload, frozen=True):
    """Somebody looked, and what a camera shows now is what it should."""

    camera: Camera


class ActorRestarted(Payload, frozen=True):
    """An actor died and came back; restarts counts from the start of the run."""

    actor_kind: Code
    restarts: Count


KINDS: Kinds = {
    "recognition.started": RecognitionStarted,
    "recognition.stopped": RecognitionStopped,
    "recognition.gap": RecognitionGap,
    "camera.health": CameraHealth,
    "camera.gap": CameraGap,
    "camera.outside": CameraOutside,
    "camera.view-confirmed": ViewConfirmed,
    "actor.restarted": ActorRestarted,
}
