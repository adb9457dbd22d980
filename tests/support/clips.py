"""Small clips made on the spot. Each frame carries its own index as blocks of black and white."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lfr.domain.faces import Image

BITS, BLOCK = 10, 16


def numbered(index: int) -> Image:
    """A picture of 160x64 whose upper half spells `index` in BITS blocks."""
    picture = np.full((64, BITS * BLOCK, 3), 128, np.uint8)
    for bit in range(BITS):
        picture[:32, bit * BLOCK : (bit + 1) * BLOCK] = 255 if index >> bit & 1 else 0
    return picture


def number_of(picture: Image) -> int:
    """The index a picture carries."""
    return sum(int(picture[8:24, b * BLOCK + 4 : (b + 1) * BLOCK - 4].mean() > 128) << b for b in range(BITS))


def write_clip(path: Path, frames: int, *, fps: float = 25.0, codec: str = "mp4v") -> Path:
    """Write a numbered clip."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (BITS * BLOCK, 64))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(numbered(index))
    writer.release()
    return path
