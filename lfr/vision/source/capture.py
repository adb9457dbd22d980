"""A thin, typed cover over OpenCV's VideoCapture, with everything silenced that could print an address.

FFmpeg writes what it opens to stderr, credentials and all, as soon as its level is raised. So both levels are forced
down here, before the first capture of the process reads them, whatever the environment says.
"""

from __future__ import annotations

import math
import os
from typing import cast

os.environ.pop("OPENCV_FFMPEG_DEBUG", None)
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"  # AV_LOG_QUIET
os.environ["OPENCV_LOG_LEVEL"] = "SILENT"

import cv2

from lfr.domain.faces import Image

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # where cv2 was loaded before this module


class Capture:
    """One opened video. Belongs to one thread; grab() and the constructor block up to their time-outs.

    target: a path or url (FFmpeg), or the index of a local camera. open_s, read_s: time-outs in seconds, None = none.
    threads: of the decoder; each one above the first holds a frame back, so live sources take one.
    """

    def __init__(
        self, target: str | int, *, open_s: float | None = None, read_s: float | None = None, threads: int = 1
    ) -> None:
        if isinstance(target, int):
            self._cap = cv2.VideoCapture(target, cv2.CAP_ANY)
        else:
            settings = [cv2.CAP_PROP_N_THREADS, threads]
            if open_s is not None:
                settings += [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, max(1, round(open_s * 1000))]
            if read_s is not None:
                settings += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, max(1, round(read_s * 1000))]
            # The back end must be named: with CAP_ANY the time-outs are not handed to FFmpeg.
            self._cap = cv2.VideoCapture(target, cv2.CAP_FFMPEG, settings)

    @property
    def opened(self) -> bool:
        """Whether there is something to read."""
        return bool(self._cap.isOpened())

    def grab(self) -> bool:
        """Decode the next frame without converting it. False: the end, a time-out or damage."""
        return bool(self._cap.grab())

    def retrieve(self) -> Image | None:
        """The frame last grabbed: uint8 (height, width, 3) BGR, the caller's own; None if it cannot be converted."""
        try:
            good, picture = self._cap.retrieve()
        except cv2.error:
            return None
        return cast(Image, picture) if good and picture is not None and picture.ndim == 3 else None

    def pts(self) -> float | None:
        """Presentation time in seconds of the frame last grabbed (valid after grab, not before); None: unknown."""
        value = float(self._cap.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
        return value if math.isfinite(value) and value >= 0.0 else None

    @property
    def fps(self) -> float:
        """Frames per second as declared; 0.0 when nothing sensible is."""
        value = float(self._cap.get(cv2.CAP_PROP_FPS))
        return value if 0.0 < value <= 1000.0 else 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as declared."""
        return max(0, int(self._cap.get(cv2.CAP_PROP_FRAME_WIDTH))), max(
            0, int(self._cap.get(cv2.CAP_PROP_FRAME_HEIGHT))
        )

    @property
    def frames(self) -> int:
        """Number of frames as declared or reckoned from the duration; 0 where there is none (a stream)."""
        value = float(self._cap.get(cv2.CAP_PROP_FRAME_COUNT))
        return int(value) if 0.0 < value < 1e9 else 0

    @property
    def codec(self) -> str:
        """The codec's four letters in lower case; empty when unknown."""
        letters = (int(self._cap.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF).to_bytes(4, "little").decode("ascii", "ignore")
        return letters.strip().lower() if letters.isprintable() else ""

    @property
    def clock_start(self) -> float | None:
        """Unix time, by the camera's own clock, of presentation time zero; None until an RTCP sender report told it."""
        value = float(self._cap.get(cv2.CAP_PROP_STREAM_OPEN_TIME_USEC)) / 1e6
        return value if value > 1e9 else None

    def release(self) -> None:
        """Close it. Only from the thread that reads: FFmpeg does not bear another's release during a read."""
        self._cap.release()
