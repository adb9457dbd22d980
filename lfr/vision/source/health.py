"""Health of what a camera shows: no frames, a frozen picture, a black picture."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lfr.config import SourceTimes
from lfr.domain.faces import Image
from lfr.vision.source.base import Frame, SourceStats

SourceHealth = Literal["opening", "ok", "no frames", "frozen", "black", "reconnecting", "ended", "failed", "stopped"]
"""The words of `lfr.actors.control.CameraHealth`."""

_POINTS = 16384
_STILL = 0.004
"""Grey levels: the median change from frame to frame, over all points, below which a picture stands still. Measured
with x264 on a textured 720p scene: frozen pictures gave 0 to 0.002 (their key frames pulse; the median does not see
that), live ones with sensor noise 0.015 to 0.4. Where a codec is so thrifty that it removes the noise altogether (under
about 0.5 Mbit/s at 720p, or a very clean sensor), an empty scene looks frozen, and a frozen one may look alive."""
_JUMP, _MOVED = 12, 0.001
"""Something moves: more than this share of points jumps by this many levels in one step."""
_DARK, _LIGHTS = 32, 0.005
"""Black: at most this share of points is lighter than this level. A night with one lamp in it is not black."""


class PictureHealth:
    """Fed with every frame, it says how the picture is. Costs about 0.1 ms a frame: it looks at some 16,000 points.

    times: stale_after (no frames; also how long black must last) and frozen_after, seconds. Silence is measured by
    the steady clock `now`, what the picture does by presentation time, so that a clip read faster than it was filmed
    is judged as it was filmed.
    """

    def __init__(self, times: SourceTimes, *, now: float | None = None) -> None:
        self._times = times
        self._fed = time.monotonic() if now is None else now
        self._last: NDArray[np.int16] | None = None
        self._steps: deque[tuple[float, float, float]] = deque()
        self._black_since: float | None = None
        self._media = 0.0

    def feed(self, frame: Frame, *, now: float | None = None) -> None:
        """One more frame; those without a picture count as a sign of life."""
        self._fed = time.monotonic() if now is None else now
        if frame.image is None:
            return
        points = _points(frame.image)
        self._media = frame.media_s
        self._look_for_black(points)
        self._look_for_change(points)

    def word(self, stats: SourceStats, *, now: float | None = None) -> SourceHealth:
        """The camera's health in one word; the source's own state comes first."""
        now = time.monotonic() if now is None else now
        if stats.state != "ok":
            return _STATES.get(stats.state, "failed")
        if now - self._fed > self._times.stale_after:
            return "no frames"
        if self._black_since is not None and self._media - self._black_since >= self._times.stale_after:
            return "black"
        return "frozen" if self._frozen() else "ok"

    def _look_for_black(self, points: NDArray[np.int16]) -> None:
        if float((points > _DARK).mean()) > _LIGHTS:
            self._black_since = None
        elif self._black_since is None:
            self._black_since = self._media

    def _look_for_change(self, points: NDArray[np.int16]) -> None:
        before, self._last = self._last, points
        if before is None or before.shape != points.shape:
            self._steps.clear()
            return
        change = np.abs(points - before)
        self._steps.append((self._media, float(change.mean()), float((change >= _JUMP).mean())))
        # The window keeps one step that is older than it, so that its whole length is covered.
        while len(self._steps) > 2 and self._steps[1][0] <= self._media - self._times.frozen_after:
            self._steps.popleft()

    def _frozen(self) -> bool:
        if len(self._steps) < 2 or self._media - self._steps[0][0] < self._times.frozen_after:
            return False
        return statistics.median(s[1] for s in self._steps) <= _STILL and max(s[2] for s in self._steps) <= _MOVED


_STATES: dict[str, SourceHealth] = {
    "opening": "opening",
    "reconnecting": "reconnecting",
    "ended": "ended",
    "failed": "failed",
    "stopped": "stopped",
}


def _points(image: Image) -> NDArray[np.int16]:
    """A grid of single points, green. No averaging: that would remove the very noise that shows a live sensor."""
    step = max(1, math.isqrt(image.shape[0] * image.shape[1] // _POINTS))
    return image[step // 2 :: step, step // 2 :: step, 1].astype(np.int16)
