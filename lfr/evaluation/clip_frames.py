"""A clip's frames for the baseline and the bound: decoded one after the other, skipped ones only grabbed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from lfr.domain.errors import SourceError
from lfr.domain.faces import Image


def frames(
    clip: Path, *, wanted: Callable[[int], bool] = lambda _: True, limit: int | None = None
) -> Iterator[tuple[int, Image | None]]:
    """Index and picture (BGR) of every frame; None where `wanted` says no: it was decoded but not converted.

    Raises SourceError when the clip cannot be opened or gives no frame.
    """
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise SourceError(f"cannot open {clip}", hint="is it a video file?")
        index = 0
        while limit is None or index < limit:
            if not capture.grab():
                break
            yield index, _converted(capture) if wanted(index) else None
            index += 1
        if index == 0 and limit != 0:
            raise SourceError(f"{clip} has no frames", hint="is it a whole video file?")
    finally:
        capture.release()


def require_clip(clip: Path) -> None:
    """Raises SourceError unless the clip opens and gives a picture: better at once than after half a minute's start."""
    for _, image in frames(clip, limit=1):
        if image is None:
            raise SourceError(f"{clip} gives no picture", hint="is it a whole video file?")


def _converted(capture: cv2.VideoCapture) -> Image | None:
    done, image = capture.retrieve()
    return np.asarray(image, np.uint8) if done else None


def spread(count: int, total: int) -> Callable[[int], bool]:
    """Which of `total` frames are taken when `count` of them are, evenly spread, the first among them."""
    if count >= total:
        return lambda _: True
    return lambda index: (index * count) % total < count


def fastest(candidates: list[int], seconds: Callable[[int], float]) -> int:
    """The candidate that took the least time; the only one is not timed."""
    return candidates[0] if len(candidates) == 1 else min(candidates, key=seconds)


class Ticker:
    """Says on stderr how far a run is, every few seconds."""

    def __init__(self, name: str, every_s: float = 5.0) -> None:
        self._name = name
        self._every_s = every_s
        self._last = time.monotonic()

    def tell(self, index: int) -> None:
        """At this frame now."""
        if time.monotonic() - self._last >= self._every_s:
            self._last = time.monotonic()
            print(f"{self._name}: frame {index}", file=sys.stderr, flush=True)
