"""What a camera adds to what it sees: sensor noise, new in each frame, and lossy compression."""

from __future__ import annotations

import cv2
import numpy as np

from lfr.domain.faces import Image

_SPARE = 96  # the noise is drawn once, larger than the picture; each frame gets another piece of it


class Film:
    """Develops frames of one size. sigma: noise in grey levels. quality: of the JPEG, 1..100; 0 = not compressed."""

    def __init__(self, rng: np.random.Generator, width: int, height: int, *, sigma: float, quality: int) -> None:
        noise = rng.normal(0.0, sigma, (height + _SPARE, width + _SPARE, 1)).astype(np.float32)
        self._brighter = np.repeat(np.clip(noise, 0, 255).astype(np.uint8), 3, axis=2)
        self._darker = np.repeat(np.clip(-noise, 0, 255).astype(np.uint8), 3, axis=2)
        self._size = (width, height)
        self._quality = quality

    def developed(self, frame: Image, seed: int, index: int) -> Image:
        """The frame with its noise, compressed and back. Changes `frame`."""
        dy, dx = (int(v) for v in np.random.default_rng((seed, index)).integers(0, _SPARE, 2))
        width, height = self._size
        window = np.s_[dy : dy + height, dx : dx + width]
        cv2.add(frame, self._brighter[window], dst=frame)
        cv2.subtract(frame, self._darker[window], dst=frame)
        if not self._quality:
            return frame
        _, encoded = cv2.imencode(".jpg", frame, (cv2.IMWRITE_JPEG_QUALITY, self._quality))
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
