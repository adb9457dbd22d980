"""A live source: one thread reads, one slot holds the newest frame, and a lost camera is tried again for ever."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from lfr import log
from lfr.config import SourceTimes
from lfr.domain.errors import SourceError
from lfr.vision.source.backoff import Backoff
from lfr.vision.source.base import EndOfSource, Frame, SourceStats
from lfr.vision.source.capture import Capture
from lfr.vision.source.clock import StreamClock

_log = log.get(__name__)
_CLOSE_WAIT = 0.25
_RATE_FRAMES = 50


class LiveSource:
    """Newest frame wins. The reader thread starts at once; the constructor does not wait for the camera.

    connect: opens the camera (blocks up to its time-out) and returns an opened Capture; raises SourceError when it
    cannot. camera: its id, for logs. stride: every n-th frame is offered, the frames between are decoded and counted
    as read. state runs opening -> ok <-> reconnecting -> stopped.
    """

    def __init__(self, connect: Callable[[], Capture], camera: str, times: SourceTimes, *, stride: int = 1) -> None:
        self._connect = connect
        self._camera = camera
        self._times = times
        self._stride = max(1, stride)
        self._stats = SourceStats()
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._stop = threading.Event()
        self._clock = StreamClock()
        self._arrivals: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._thread = threading.Thread(target=self._run, name=f"source-{camera}", daemon=True)
        self._thread.start()

    @property
    def live(self) -> bool:
        """True: old frames are never waited for."""
        return True

    @property
    def stats(self) -> SourceStats:
        """A copy of the counters.

        extra: failed_opens; offset_ms and jitter_ms (arrival against presentation time, this connection);
        camera_clock_ms (our clock less the camera's at arrival, where the camera reports its own).
        """
        with self._news:
            return replace(self._stats, extra=dict(self._stats.extra))

    def read(self, timeout: float) -> Frame | None:
        """The newest frame not yet read, or None after `timeout` seconds. Raises EndOfSource only after close()."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                if self._stop.is_set():
                    raise EndOfSource
                frame, self._newest = self._newest, None
                if frame is not None:
                    if time.time() - frame.stamped_at <= self._times.stale_after:
                        return frame
                    self._stats.stale += 1  # it lay here while the reader was away and the camera silent
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._news.wait(left)

    def skip_to(self, index: int) -> None:
        """Ignored: what was live is gone."""

    def close(self) -> None:
        """Stop at once. A reader blocked in FFmpeg lets go by itself when its time-out ends; nobody waits for it."""
        self._stop.set()
        with self._news:
            self._newest = None
            self._stats.state, self._stats.detail = "stopped", ""
            self._news.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_WAIT)

    def _run(self) -> None:
        backoff = Backoff(self._times.backoff_min, self._times.backoff_max)
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                capture = self._connect()
            except SourceError as error:
                self._failed(error.message)
            except Exception as error:  # a camera never ends its reader; the text is left out, it may hold an address
                self._failed(type(error).__name__)
            else:
                try:
                    if self._stop.is_set():
                        break
                    self._opened(capture)
                    if self._follow(capture, time.monotonic() - began):
                        backoff.reset()
                finally:
                    capture.release()
                self._clock.lost()
                self._set("reconnecting", "the stream ended or fell silent")
            self._stop.wait(backoff.wait())

    def _follow(self, capture: Capture, opening_s: float) -> bool:
        """Read until the stream ends or falls silent. Returns whether a frame came."""
        pause = 0.25 / (capture.fps or 25.0)
        recording = (
            capture.frames > 0
        )  # a recording over HTTP comes as fast as the line allows: hold it to its own rate
        backlog = not recording
        any_came = False
        first: tuple[float, float] | None = None
        while not self._stop.is_set():
            asked = time.monotonic()
            if not capture.grab():
                break
            came, pts = time.monotonic(), capture.pts()
            if backlog:
                # While it probed the stream FFmpeg gathered frames. They come out without a wait and are as old as
                # the probing was long, so they are not offered as new.
                if came - asked < pause and (pts or 0.0) < opening_s:
                    self._count_stale()
                    any_came = True
                    continue
                backlog = False
            if recording and pts is not None:
                first = first or (came, pts)
                if self._stop.wait(max(0.0, first[0] + pts - first[1] - came)):
                    break
                came = time.monotonic()
            self._offer(capture, pts, came)
            any_came = True
        return any_came

    def _offer(self, capture: Capture, pts: float | None, came: float) -> None:
        stamped_at = time.time()
        with self._news:
            index = self._stats.read
            self._stats.read += 1
            media_s = self._clock.tick(pts, came)
            self._measure(capture, pts, came, stamped_at)
        if index % self._stride:
            return
        image = capture.retrieve()
        if image is None:
            return
        with self._news:
            if self._stop.is_set():
                return
            if self._newest is not None:
                self._stats.dropped += 1
            self._newest = Frame(index, media_s, stamped_at, image)
            self._stats.last_good_at = stamped_at
            self._stats.size = (image.shape[1], image.shape[0])
            self._news.notify_all()

    def _measure(self, capture: Capture, pts: float | None, came: float, stamped_at: float) -> None:
        self._arrivals.append(came)
        span = came - self._arrivals[0]
        if span > 0:
            self._stats.fps = (len(self._arrivals) - 1) / span
        extra = self._stats.extra
        extra["offset_ms"] = self._clock.offset * 1000.0
        extra["jitter_ms"] = self._clock.jitter * 1000.0
        start = capture.clock_start
        if start is not None and pts is not None:
            extra["camera_clock_ms"] = (stamped_at - start - pts) * 1000.0

    def _count_stale(self) -> None:
        with self._news:
            self._stats.read += 1
            self._stats.stale += 1

    def _opened(self, capture: Capture) -> None:
        with self._news:
            again = self._stats.state == "reconnecting" and self._stats.read > 0
            self._stats.reconnects += again
            self._stats.codec = capture.codec
            self._stats.size = capture.size
            self._stats.fps = capture.fps
            self._arrivals.clear()
            self._stats.extra.pop("camera_clock_ms", None)  # it was the last connection's
            if not self._stop.is_set():
                self._stats.state, self._stats.detail = "ok", ""
        _log.info("camera.opened", camera=self._camera, again=bool(again), codec=capture.codec, size=capture.size)

    def _failed(self, why: str) -> None:
        with self._news:
            self._stats.extra["failed_opens"] = self._stats.extra.get("failed_opens", 0.0) + 1.0
        self._set("reconnecting", why)

    def _set(self, state: str, detail: str) -> None:
        """A new state; the log hears of it only when something changed, not at every try."""
        with self._news:
            if self._stop.is_set():
                return
            changed = (self._stats.state, self._stats.detail) != (state, detail)
            self._stats.state, self._stats.detail = state, detail
        if changed:
            _log.warning("camera.lost", camera=self._camera, detail=detail)
