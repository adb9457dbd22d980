"""Presentation times: what the camera says, set against when it arrived."""

from __future__ import annotations

_TICK = 1e-3
_JUMP = 5.0
_SMOOTHING = 1.0 / 16.0  # RFC 3550, 6.4.1


def presented(pts: float | None, previous: float | None, fps: float) -> float:
    """The presentation time (s) of a file's frame: `pts`, or one frame after the previous one where it stands still.

    A raw elementary stream has no time stamps, and some files repeat theirs; then the declared rate counts.
    """
    step = 1.0 / fps if fps > 0 else 0.04
    if previous is None:
        return pts or 0.0
    return pts if pts is not None and pts > previous else previous + step


class StreamClock:
    """Turns a stream's presentation times into seconds since the source's start, over any number of reconnects.

    Each connection is anchored where its first frame arrived. A stamp that does not advance, or that leaps by more
    than five seconds against the wall, anchors anew. media time always grows.
    """

    def __init__(self) -> None:
        self._start: float | None = None
        self._media = -_TICK
        self.lost()

    def lost(self) -> None:
        """The connection ended: the next frame anchors anew."""
        self._base: float | None = None
        self._pts = 0.0
        self._wall = 0.0
        self._lag: float | None = None
        self._least = 0.0
        self.jitter = 0.0
        """Smoothed variation of the lag in seconds, as RFC 3550 reckons it."""

    @property
    def offset(self) -> float:
        """How much later than the quickest frame of this connection the last one came, seconds."""
        return 0.0 if self._lag is None else self._lag - self._least

    def tick(self, pts: float | None, arrived: float) -> float:
        """Media time of a frame that came at `arrived` (seconds of any steady clock) with this presentation time."""
        if self._start is None:
            self._start = arrived
        wall = arrived - self._start
        if pts is None:
            media = wall
        else:
            moved = pts - self._pts
            if self._base is None or moved <= 0 or abs(moved - (wall - self._wall)) > _JUMP:
                self._base, self._lag = wall - pts, None
            media = self._base + pts
            self._measure(wall - media)
            self._pts, self._wall = pts, wall
        self._media = max(media, self._media + _TICK)
        return self._media

    def _measure(self, lag: float) -> None:
        if self._lag is None:
            self._least, self.jitter = lag, 0.0
        else:
            self.jitter += (abs(lag - self._lag) - self.jitter) * _SMOOTHING
            self._least = min(self._least, lag)
        self._lag = lag
