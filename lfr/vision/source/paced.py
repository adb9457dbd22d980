"""Video files at pace `live`: played at their own rate, as a camera would show them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from lfr.domain.errors import SourceError
from lfr.vision.source.base import EndOfSource, Frame, SourceStats
from lfr.vision.source.clip import Clip

_CATCH_UP = 1.0  # seconds: a decoder slower than real time must still give a frame now and then


class PacedFile:
    """A clip by the wall clock: it starts at the first read, and the newest frame that is due wins.

    A frame is stamped with the wall time at which it was due (start + presentation time), however late it is fetched.
    Frames overtaken are decoded, counted as read and dropped, and never waited for. With a stride only every n-th frame
    is offered; those between count as read only.
    """

    def __init__(self, clip: Clip, *, stride: int = 1) -> None:
        self._clip = clip
        self._stride = max(1, stride)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._started: tuple[float, float] | None = None
        self._stats = SourceStats(state="ok", fps=clip.fps, size=clip.size, codec=clip.codec)
        self._waiting: Frame | None = None

    @property
    def live(self) -> bool:
        """True: the clip goes on whether or not anybody reads."""
        return True

    @property
    def stats(self) -> SourceStats:
        """A copy of the counters. fps is the declared one."""
        return replace(self._stats, extra=dict(self._stats.extra))

    def read(self, timeout: float) -> Frame | None:
        """The newest frame that is due, or None if none falls due within `timeout` seconds.

        Raises EndOfSource at the end or once closed, SourceError where the file breaks off.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            if self._closed.is_set():
                raise EndOfSource
            wall, steady = self._started = self._started or (time.time(), time.monotonic())
            frame, self._waiting = self._waiting, None
            if frame is None or self._overtaken(frame.media_s, steady):
                self._stats.dropped += frame is not None
                frame = self._newest(wall, steady)
            due = steady + frame.media_s
            if due > deadline:
                # Kept for the next call: nothing is due before this caller's patience ends.
                self._waiting = frame
                self._closed.wait(max(0.0, deadline - time.monotonic()))
                return None
            if self._closed.wait(max(0.0, due - time.monotonic())):
                raise EndOfSource
            self._stats.last_good_at = time.time()
            return frame

    def skip_to(self, index: int) -> None:
        """Ignored: what was live is gone."""

    def close(self) -> None:
        """Let go of the file; a waiting reader wakes at once."""
        self._closed.set()
        with self._lock:
            self._clip.release()
            self._stats.state = "stopped"

    def _newest(self, wall: float, steady: float) -> Frame:
        """Decode on to the last frame that is due, or, when none is, to the next one; convert only that."""
        patience = time.monotonic() + _CATCH_UP
        while True:
            if self._closed.is_set() or not self._advance():
                raise EndOfSource
            if self._clip.index % self._stride:
                continue
            if self._overtaken(self._clip.media_s, steady) and time.monotonic() < patience:
                self._stats.dropped += 1
                continue
            return Frame(self._clip.index, self._clip.media_s, wall + self._clip.media_s, self._clip.picture())

    def _overtaken(self, media_s: float, steady: float) -> bool:
        """Whether the next frame is due too. Reckoned from the rate: to know it, this frame would have to go."""
        return steady + media_s + self._stride / self._stats.fps <= time.monotonic()

    def _advance(self) -> bool:
        try:
            going = self._clip.advance()
        except SourceError as error:
            self._stats.state, self._stats.detail = "failed", error.message
            raise
        self._stats.read += going
        if not going:
            self._stats.state = "ended"
        return going
