"""A video file, read frame by frame from its start. What FileSource and PacedFile share."""

from __future__ import annotations

from pathlib import Path

from lfr.config import public_url
from lfr.domain.errors import SourceError
from lfr.domain.faces import Image
from lfr.vision.source.capture import Capture
from lfr.vision.source.clock import presented

_MISSING = 0.1  # lacking more than this share of the declared duration is damage, less is rounding


class Clip:
    """One clip and where it stands. Not for several threads at once.

    index: of the frame last decoded, -1 before the first. media_s: its presentation time in seconds. Raises
    SourceError if the file is missing, empty or holds no frame that can be decoded.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        self._path = path
        self._name = public_url(str(path))  # a mistyped url lands here too
        self._threads = threads
        self._ahead = False
        self._open = False
        _demand_file(path)
        self.rewind()

    @property
    def fps(self) -> float:
        """Frames per second as declared, 25 if nothing sensible is."""
        return self._capture.fps or 25.0

    @property
    def codec(self) -> str:
        """The codec's four letters."""
        return self._capture.codec

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._capture.size

    def rewind(self) -> None:
        """Start again before the first frame. Raises SourceError."""
        self.release()
        self._capture = Capture(str(self._path), threads=self._threads)
        self._open = True
        if not self._capture.opened:
            self.release()
            raise SourceError(f"{self._name}: not a video that can be read", hint="give an MP4, MKV or AVI file")
        self.index = -1
        self.media_s = 0.0
        if not self._decode():
            self.release()
            raise SourceError(f"{self._name}: no frame can be decoded", hint="the file is damaged: copy it again")
        self._ahead = True

    def advance(self) -> bool:
        """Decode the next frame, unconverted. False at the end.

        Raises SourceError where the file breaks off: a damaged clip must not pass for a short one.
        """
        if self._ahead:
            self._ahead = False
            return True
        if self._decode():
            return True
        declared, got = self._capture.frames / self.fps, self.media_s + 1.0 / self.fps
        if got < declared * (1.0 - _MISSING) and declared - got > 1.0 / self.fps:
            raise SourceError(
                f"{self._name}: breaks off after {got:.1f} s of {declared:.1f} s",
                hint="the file is damaged: copy it again",
            )
        return False

    def step_back(self) -> None:
        """Let the next advance() give this same frame again."""
        self._ahead = True

    def picture(self) -> Image | None:
        """The present frame: uint8 (height, width, 3) BGR, the caller's own; None if it cannot be converted."""
        return self._capture.retrieve()

    def release(self) -> None:
        """Close the file. Safe to call twice."""
        if self._open:
            self._open = False
            self._capture.release()

    def _decode(self) -> bool:
        if not self._capture.grab():
            return False
        previous = None if self.index < 0 else self.media_s
        self.media_s = presented(self._capture.pts(), previous, self._capture.fps)
        self.index += 1
        return True


def _demand_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(
            f"{public_url(str(path))}: {(error.strerror or 'cannot be read').lower()}",
            hint="give a video file, a folder of images, webcam:0, rtsp://..., http://... or scene:demo",
        ) from error
    if size == 0:
        raise SourceError(f"{public_url(str(path))}: the file is empty", hint="copy or record it again")
