"""What an actor must remember over its own death: how often it started, and a camera's place in its file.

A few numbers in a file on tmpfs in the run's own folder (0700), written in place at each processed frame. No pixel, no
template, no name. It dies with the run.
"""

from __future__ import annotations

import contextlib
import os
import struct
from dataclasses import astuple, dataclass, field
from pathlib import Path
from uuid import UUID

from lfr.domain.ages import Ages

_FORM = struct.Struct("<11q")


@dataclass(slots=True)
class Place:
    """Counters of one camera.

    frame: index of the last frame of which everything is durable, -1 = none yet. handled: of the last frame that is in
    the counters; its shots may still be undecided.
    """

    frame: int = -1
    handled: int = -1
    read: int = 0
    processed: int = 0
    dropped: int = 0
    detections: int = 0
    embeddings: int = 0
    transits: int = 0
    alerts: int = 0
    shots_dropped: int = 0
    stale: int = 0


@dataclass(slots=True)
class Books:
    """What a camera counts, over all its pipelines.

    committed: alert -> commit, deciding frame (wall times). peaks: transit, entry -> best score and its frame; the last
    pipeline's only.
    """

    place: Place = field(default_factory=Place)
    ages: Ages = field(default_factory=Ages)
    committed: dict[UUID, tuple[float, float]] = field(default_factory=dict)
    peaks: dict[tuple[int, UUID], tuple[float, int]] = field(default_factory=dict)


class Journal:
    """One actor's journal. Opened by the actor itself; the folder is made if it is missing."""

    def __init__(self, folder: Path, actor: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._starts = folder / f"{actor}.starts"
        self._place = folder / f"{actor}.place"
        self._file: int | None = None

    def start(self) -> int:
        """Count one start of this actor. Returns how often it was restarted: 0 at its first start."""
        with self._starts.open("ab") as file:
            file.write(b".")
            return file.tell() - 1

    def place(self) -> Place:
        """The last place written, or a fresh one."""
        try:
            return Place(*_FORM.unpack(self._place.read_bytes()))
        except (OSError, struct.error):
            return Place()

    def write(self, place: Place) -> None:
        """Remember a place. One pwrite of 88 bytes: SIGKILL cannot tear it."""
        if self._file is None:
            self._file = os.open(self._place, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(self._file, _FORM.pack(*astuple(place)), 0)

    def close(self) -> None:
        """Close the file; the journal itself stays until the run ends."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None


class Crashes:
    """When actors of this run died, over the death of whoever counts them (M1). Wall times, one in a line."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "crashes"

    def add(self, at: float, times: int = 1) -> None:
        """So many crashes, now."""
        with self._path.open("a") as file:
            file.write(f"{at!r}\n" * times)

    def confirm(self) -> None:
        """A person has looked: they count no more."""
        self._path.unlink(missing_ok=True)

    def since(self, at: float) -> int:
        """How many there were after that time."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return sum(float(line) > at for line in lines)
