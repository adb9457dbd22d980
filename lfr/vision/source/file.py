"""Video files at pace `file`: every frame, in order."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

from lfr.config import Camera
from lfr.domain.errors import SourceError
from lfr.vision.source.base import EndOfSource, Frame, Source, SourceStats
from lfr.vision.source.clip import Clip
from lfr.vision.source.paced import PacedFile


def open_file(camera: Camera, path: Path, *, stride: int = 1, threads: int = 1) -> Source:
    """Open a clip at the camera's pace; stride 0 = as its process_fps asks.

    Raises SourceError if it is missing, empty or no video.
    """
    clip = Clip(path, threads=threads)
    stride = stride or max(1, round(clip.fps / camera.process_fps))
    return PacedFile(clip, stride=stride) if camera.pace == "live" else FileSource(clip, stride=stride)


class FileSource:
    """Every frame, as fast as it is asked for, and none dropped: a slow reader holds the file back.

    stride: a frame whose index is no multiple of it comes without a picture, decoded but not converted.
    """

    def __init__(self, clip: Clip, *, stride: int = 1) -> None:
        self._clip = clip
        self._stride = max(1, stride)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._stats = SourceStats(state="ok", fps=clip.fps, size=clip.size, codec=clip.codec)

    @property
    def live(self) -> bool:
        """False: a reader may take its time."""
        return False

    @property
    def stats(self) -> SourceStats:
        """A copy of the counters. fps is the declared one."""
        return replace(self._stats, extra=dict(self._stats.extra))

    def read(self, timeout: float) -> Frame | None:  # noqa: ARG002 - a file never makes its reader wait
        """The next frame, stamped now. Raises EndOfSource at the end or once closed, SourceError if damaged."""
        with self._lock:
            if self._closed.is_set():
                raise EndOfSource
            try:
                going = self._clip.advance()
            except SourceError as error:
                self._stats.state, self._stats.detail = "failed", error.message
                raise
            if not going:
                self._stats.state = "ended"
                raise EndOfSource
            index = self._clip.index
            image = self._clip.picture() if index % self._stride == 0 else None
            self._stats.read += 1
            self._stats.last_good_at = time.time()
            return Frame(index, self._clip.media_s, self._stats.last_good_at, image)

    def skip_to(self, index: int) -> None:
        """Start again at this frame; beyond the end, the next read raises EndOfSource. Raises SourceError.

        The frames before it are counted through, not sought: a seek lands by time, which is not by number
        wherever the rate varies, and a resumed run must neither repeat nor miss a frame.
        """
        with self._lock:
            if index <= self._clip.index:
                self._clip.rewind()
            while not self._closed.is_set() and self._clip.advance():
                if self._clip.index >= index:
                    self._clip.step_back()
                    break
            if not self._closed.is_set():
                self._stats.state, self._stats.detail = "ok", ""

    def close(self) -> None:
        """Let go of the file. At most the decoding of one frame is waited for."""
        self._closed.set()
        with self._lock:
            self._clip.release()
            self._stats.state = "stopped"
