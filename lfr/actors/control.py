"""The seam between the API or command line and the running actors, with its shipped double `StandInControl`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from lfr.domain.watchlist import ImportReport, RowResult

Recognition = Literal["live", "no mandate", "paused", "stopped", "outside envelope"]
CameraHealth = Literal["opening", "ok", "no frames", "frozen", "black", "reconnecting", "ended", "failed", "stopped"]


class ActorStatus(msgspec.Struct, frozen=True):
    """One actor: kind is camera, inference, matcher, audit-writer or supervisor."""

    name: str
    kind: str
    pid: int
    restarts: int
    alive: bool
    node: str = ""


class CameraStatus(msgspec.Struct, frozen=True):
    """One camera's counters since its start. Ages in seconds, rates per second, times in milliseconds. No url.

    recognition: what its tile says of that, whatever its picture is like.
    """

    id: str
    title: str
    health: CameraHealth
    recognition: Recognition = "no mandate"
    detail: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0
    read: int = 0
    processed: int = 0
    dropped: int = 0
    stale: int = 0
    reconnects: int = 0
    detections: int = 0
    embeddings: int = 0
    transits: int = 0
    alerts: int = 0
    last_frame_age_s: float | None = None
    latency_p95_ms: float | None = None


class SystemStatus(msgspec.Struct, frozen=True):
    """What the page, `lfr status` and the metrics show.

    state: starting, idle (nothing is live), live, degraded, paused or stopped. deployment_id: of the one under way,
    else of the newest that is planned. reason: the code of a pause or stop. mandate_ends_at: Unix seconds.
    """

    state: str
    mode: str
    name: str
    pack: str
    deployment_id: str | None
    threshold: float | None
    threshold_basis: str
    watchlist_entries: int
    watchlist_images: int
    nonmatch_age_p95_ms: float | None
    nonmatch_age_max_ms: float | None
    cameras: tuple[CameraStatus, ...] = ()
    actors: tuple[ActorStatus, ...] = ()
    notes: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    deployment_state: str | None = None
    reason: str = ""
    mandate_ends_at: float | None = None


class Control(Protocol):
    """What a signed-in person can make the running system do."""

    async def status(self) -> SystemStatus:
        """The present state of everything. Raises RuntimeFailed if the supervisor does not answer."""
        ...

    async def tile(self, camera: str) -> tuple[bytes, float] | None:
        """The newest tile of a camera, wholly pixelated, and its wall time; None before the first frame.

        Returns JPEG bytes. Raises NotFound.
        """
        ...

    async def confirm_view(self, camera: str, by: str) -> None:
        """Somebody looked: what this camera shows now is what it should, though it is not what it showed (C5).

        Raises NotFound, RuntimeFailed.
        """
        ...

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """Begin recognition under a fresh mandate; returns when every camera may recognise.

        Raises GateClosed with all that is missing, MandateRefused, Conflict, NotAllowed, NotFound, RuntimeFailed.
        """
        ...

    async def pause(self, reason: str, by: str) -> None:
        """Recognition waits until somebody resumes it. reason: a code. Raises Conflict unless live, NotAllowed."""
        ...

    async def resume(self, by: str) -> None:
        """Go on after a pause, everything verified anew; confirms three crashes (M1). Raises as `go_live`."""
        ...

    async def renew(self) -> None:
        """A decision changed list, window or authority: returns when everybody has the fresh mandate."""
        ...

    async def stop(self, by: str) -> None:
        """End recognition now, at once for every camera, until a signed restart (A13). Any role may.

        Returns when every camera and matcher has stopped and it is recorded. Raises Conflict when nothing is live or
        paused, RuntimeFailed naming who did not answer.
        """
        ...

    async def end(self, reason: str, by: str) -> None:
        """End the deployment for ever. reason: a code. Raises Conflict, NotAllowed."""
        ...

    async def add_entry(self, label: str, pictures: list[tuple[str, bytes]], by: str) -> list[RowResult]:
        """Enrol one person from encoded pictures (name, bytes); returns when every live matcher acknowledged.

        Raises WatchlistError if no picture could be enrolled, RuntimeFailed naming the matcher that did not answer.
        """
        ...

    async def import_list(
        self, deployment_id: UUID, source: bytes, by: str, dry_run: bool, progress: Callable[[int, int], None]
    ) -> ImportReport:
        """Import an uploaded list with the models the system recognises with. progress: told (done, all).

        What is added to an approved list counts once the Authorising Officer has signed for it. Raises WatchlistError,
        Conflict, NotFound, RuntimeFailed.
        """
        ...

    async def refresh(self) -> None:
        """No matcher holds anybody who was taken off the list. Raises RuntimeFailed naming who does not answer."""
        ...

    async def revoke_entry(self, entry_id: UUID, by: str) -> None:
        """Take one entry off the list; returns when every live matcher acknowledged.

        Raises NotFound, or RuntimeFailed naming the matcher that did not answer.
        """
        ...


@dataclass
class StandInControl:
    """A double for tests of the API and the command line: it remembers what it was asked and answers as told."""

    answer: SystemStatus
    tiles: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)

    async def status(self) -> SystemStatus:
        """As told."""
        return self.answer

    async def tile(self, camera: str) -> tuple[bytes, float] | None:
        """As told."""
        picture = self.tiles.get(camera)
        return (picture, 0.0) if picture else None

    async def confirm_view(self, camera: str, by: str) -> None:
        """Remembered."""
        self.asked.append(("confirm-view", camera, by))

    async def go_live(self, deployment_id: UUID, by: str) -> None:
        """Remembered; the state becomes `live`."""
        self._now("live", "live", "go-live", deployment_id, by)

    async def pause(self, reason: str, by: str) -> None:
        """Remembered; the state becomes `paused`."""
        self._now("paused", "paused", "pause", reason, by)

    async def resume(self, by: str) -> None:
        """Remembered; the state becomes `live`."""
        self._now("live", "live", "resume", by)

    async def renew(self) -> None:
        """Remembered."""
        self.asked.append(("renew",))

    async def stop(self, by: str) -> None:
        """Remembered; the state becomes `stopped`."""
        self._now("stopped", "stopped", "stop", by)

    async def end(self, reason: str, by: str) -> None:
        """Remembered; the state becomes `idle`."""
        self._now("idle", "ended", "end", reason, by)

    def _now(self, state: str, deployment_state: str, *asked: object) -> None:
        self.asked.append(asked)
        self.answer = msgspec.structs.replace(self.answer, state=state, deployment_state=deployment_state)

    async def add_entry(self, label: str, pictures: list[tuple[str, bytes]], by: str) -> list[RowResult]:
        """Remembered."""
        self.asked.append(("add", label, [name for name, _ in pictures], by))
        return self.rows

    async def import_list(
        self, deployment_id: UUID, source: bytes, by: str, dry_run: bool, progress: Callable[[int, int], None]
    ) -> ImportReport:
        """Remembered; the rows are as told."""
        self.asked.append(("import", deployment_id, len(source), by, dry_run))
        progress(len(self.rows), len(self.rows))
        return ImportReport(tuple(self.rows))

    async def refresh(self) -> None:
        """Remembered."""
        self.asked.append(("refresh",))

    async def revoke_entry(self, entry_id: UUID, by: str) -> None:
        """Remembered."""
        self.asked.append(("revoke", entry_id, by))
