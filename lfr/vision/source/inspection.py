"""A look at a source before it is used: what it sends, how steadily, and how large faces are in it. Nothing is kept."""

from __future__ import annotations

import statistics
import time

import msgspec

from lfr.config import SourceTimes, public_url
from lfr.domain.errors import SourceError
from lfr.vision.engine.base import FaceEngine
from lfr.vision.letterbox import fit
from lfr.vision.source.base import EndOfSource, Frame, Source
from lfr.vision.source.health import PictureHealth, SourceHealth


class FaceSizes(msgspec.Struct, frozen=True):
    """Faces found in the frames looked at. Widths in pixels of the whole frame; None where there was no face."""

    frames: int
    detections: int
    smallest_px: float | None
    median_px: float | None
    largest_px: float | None


class Inspection(msgspec.Struct, frozen=True):
    """What was seen of a source. url: without credentials.

    fps: measured for a stream, declared for a file. frames: looked at; read, dropped and stale as in SourceStats.
    camera_clock_ms: our clock less the camera's when a frame arrived, the way here included; None unless the camera
    reports its clock (RTCP). delay_ms: how much later than the quickest frame the last one came, by its presentation
    time; jitter_ms: how much that varies (RFC 3550). Both are None for a file.
    """

    url: str
    codec: str
    width: int
    height: int
    fps: float
    seconds: float
    frames: int
    read: int
    dropped: int
    stale: int
    reconnects: int
    health: SourceHealth
    camera_clock_ms: float | None
    delay_ms: float | None
    jitter_ms: float | None
    faces: FaceSizes | None


def inspect(
    source: Source, url: str, times: SourceTimes, *, seconds: float = 5.0, engine: FaceEngine | None = None
) -> Inspection:
    """Read for so many seconds from the first frame on. The caller closes the source and the engine.

    Raises SourceError if no picture comes within the times for opening and reading.
    """
    health = PictureHealth(times)
    sizes = _Sizes(engine) if engine else None
    frame: Frame | None = _first(source, url, times)
    began = time.monotonic()
    frames, word, ended = 0, health.word(source.stats), False
    while True:
        if frame is not None:
            frames += 1
            health.feed(frame)
            if sizes:
                sizes.look(frame)
        word = health.word(source.stats)
        left = began + seconds - time.monotonic()
        if ended or left <= 0:
            break
        try:
            frame = source.read(min(left, 0.5))
        except EndOfSource:
            frame, ended = None, True
    passed = time.monotonic() - began
    stats = source.stats
    return Inspection(
        url=public_url(url),
        codec=stats.codec,
        width=stats.size[0],
        height=stats.size[1],
        fps=round(stats.fps, 2),
        seconds=round(passed, 2),
        frames=frames,
        read=stats.read,
        dropped=stats.dropped,
        stale=stats.stale,
        reconnects=stats.reconnects,
        health=word,
        camera_clock_ms=_rounded(stats.extra.get("camera_clock_ms")),
        delay_ms=_rounded(stats.extra.get("offset_ms")),
        jitter_ms=_rounded(stats.extra.get("jitter_ms")),
        faces=sizes.found() if sizes else None,
    )


class _Sizes:
    """Widths of the faces an engine finds, frame by frame; the pictures are let go at once."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine
        self._widths: list[float] = []
        self._frames = 0

    def look(self, frame: Frame) -> None:
        if frame.image is None:
            return
        box = fit(frame.image.shape[1], frame.image.shape[0], self._engine.contract.long_side)
        boxes = box.undo(self._engine.detect([box.apply(frame.image)])[0]).boxes
        self._widths += [float(w) for w in boxes[:, 2] - boxes[:, 0]]
        self._frames += 1

    def found(self) -> FaceSizes:
        widths = self._widths
        return FaceSizes(
            frames=self._frames,
            detections=len(widths),
            smallest_px=_rounded(min(widths, default=None)),
            median_px=_rounded(statistics.median(widths) if widths else None),
            largest_px=_rounded(max(widths, default=None)),
        )


def _first(source: Source, url: str, times: SourceTimes) -> Frame:
    deadline = time.monotonic() + times.open_timeout + times.read_timeout
    try:
        while (left := deadline - time.monotonic()) > 0:
            frame = source.read(min(left, 0.25))
            if frame is not None and frame.image is not None:
                return frame
            stats = source.stats
            # A live camera that cannot be opened is tried for ever; somebody who asks wants to be told now.
            if stats.state == "reconnecting" and stats.read == 0:
                break
    except EndOfSource:
        pass
    why = source.stats.detail or "nothing came in time"
    raise SourceError(
        f"no picture from {public_url(url)}: {why}",
        hint="check address, user and password, and that the camera is on and reachable from this machine",
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
