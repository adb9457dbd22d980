"""A folder of images, in name order."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from lfr.config import Camera, public_url
from lfr.domain.errors import SourceError
from lfr.domain.faces import Image
from lfr.vision.source.base import EndOfSource, Frame, SourceStats

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
"""What counts as an image, by name."""

_MAX_BYTES = 64 * 1024 * 1024


class FolderSource:
    """Every image of a folder, its own folders left out, one each 1 / process_fps seconds of media time.

    An image that cannot be read comes as a frame without a picture and is counted in extra["unreadable"]. With pace
    `live` images come at that rate and are dropped when overtaken; with `file`, as fast as they are asked for. Raises
    SourceError if there is no image, or, at the end, if not one could be read.
    """

    def __init__(self, camera: Camera, folder: Path, *, stride: int = 1) -> None:
        self._name = public_url(str(folder))
        self._stride = max(1, stride)
        self._rate = camera.process_fps
        self._live = camera.pace == "live"
        self._paths = _images(folder, self._name)
        self._next = 0
        self._good = 0
        self._started: tuple[float, float] | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._stats = SourceStats(state="ok", fps=self._rate, codec="image", extra={"unreadable": 0.0})

    @property
    def live(self) -> bool:
        """Whether images are shown at their rate, read or not."""
        return self._live

    @property
    def stats(self) -> SourceStats:
        """A copy of the counters; size is that of the last image."""
        return replace(self._stats, extra=dict(self._stats.extra))

    def read(self, timeout: float) -> Frame | None:
        """The next image, or in live pace the newest due one, None if none falls due within `timeout`.

        Raises EndOfSource at the end or once closed, SourceError if no image of the folder could be read.
        """
        with self._lock:
            if self._closed.is_set():
                raise EndOfSource
            if self._live and not self._due(timeout):
                return None
            if self._next >= len(self._paths):
                self._end()
            index, self._next = self._next, self._next + 1
            wanted = index % self._stride == 0
            image = self._decode(self._paths[index]) if wanted else None
            self._stats.read += 1
            media_s = index / self._rate
            stamped_at = self._started[0] + media_s if self._live and self._started else time.time()
            self._stats.last_good_at = stamped_at
            return Frame(index, media_s, stamped_at, image)

    def skip_to(self, index: int) -> None:
        """Start again at this image (pace `file` only)."""
        with self._lock:
            if not self._live and not self._closed.is_set():
                self._next = max(0, index)
                self._stats.state = "ok"

    def close(self) -> None:
        """Stop; a waiting reader wakes at once."""
        self._closed.set()
        with self._lock:
            self._stats.state = "stopped"

    def _due(self, timeout: float) -> bool:
        self._started = self._started or (time.time(), time.monotonic())
        steady = self._started[1]
        shown = int((time.monotonic() - steady) * self._rate)
        overtaken = min(shown, len(self._paths)) - self._next
        if overtaken > 0:
            self._next += overtaken
            self._stats.read += overtaken
            self._stats.dropped += overtaken
        wait = steady + self._next / self._rate - time.monotonic()
        if self._closed.wait(max(0.0, min(wait, timeout))):
            raise EndOfSource
        return wait <= timeout

    def _decode(self, path: Path) -> Image | None:
        image = None
        try:
            if path.stat().st_size <= _MAX_BYTES:
                image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        except (OSError, cv2.error):
            image = None
        if image is None:
            self._stats.extra["unreadable"] += 1.0
            return None
        self._good += 1
        self._stats.size = (image.shape[1], image.shape[0])
        return cast(Image, image)

    def _end(self) -> None:
        if not self._good and self._stats.extra["unreadable"]:
            self._stats.state, self._stats.detail = "failed", "no image could be read"
            raise SourceError(f"{self._name}: none of its images can be read", hint="give JPEG or PNG files")
        self._stats.state = "ended"
        raise EndOfSource


def _images(folder: Path, name: str) -> list[Path]:
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise SourceError(f"{name}: {(error.strerror or 'cannot be read').lower()}", hint="check its rights") from error
    if not found:
        raise SourceError(f"{name}: there is no image in this folder", hint="give a folder of JPEG or PNG files")
    return found
