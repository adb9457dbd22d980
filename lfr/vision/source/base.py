"""The seam between the system and where its frames come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from lfr.domain.faces import Image


@dataclass(slots=True)
class Frame:
    """One frame. index: 0-based in the source (a live source counts on over reconnects).

    media_s: presentation time, seconds from the source's start. stamped_at: wall time in Unix seconds: when it was due
    (live pace of a file), when it arrived (stream), when it was read (file pace). image: may be None for a frame that
    was counted and skipped undecoded.
    """

    index: int
    media_s: float
    stamped_at: float
    image: Image | None


@dataclass(slots=True)
class SourceStats:
    """Counters of one source. All only grow, save `last_good_at` (wall time of the last frame delivered)."""

    read: int = 0
    dropped: int = 0
    stale: int = 0
    reconnects: int = 0
    last_good_at: float | None = None
    state: str = "opening"
    detail: str = ""
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)
    codec: str = ""
    extra: dict[str, float] = field(default_factory=dict)


class Source(Protocol):
    """Frames, one after another. read() blocks and runs in the camera's own reader thread."""

    @property
    def live(self) -> bool:
        """Live sources never make a reader wait for old frames: the newest wins, the rest are counted as dropped."""
        ...

    @property
    def stats(self) -> SourceStats:
        """The counters so far."""
        ...

    def read(self, timeout: float) -> Frame | None:
        """The next frame (file) or the newest one not yet read (live).

        None: nothing within `timeout` seconds (live), which is not the end. Raises EndOfSource when a file or folder
        is at its end and once the source is closed, SourceError when it can never be read.
        """
        ...

    def skip_to(self, index: int) -> None:
        """Start again at this frame index (files only; live sources ignore it)."""
        ...

    def close(self) -> None:
        """Stop reading and let go of everything, at once. Safe to call twice and from another thread."""
        ...


class EndOfSource(Exception):
    """A file or folder is at its end: no error, so it is not in the error tree."""
