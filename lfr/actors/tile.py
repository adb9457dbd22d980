"""A camera's tile: the newest frame as a mosaic throughout (C3). It needs no mandate: nobody is looked for in it."""

from __future__ import annotations

from lfr.domain.faces import Image
from lfr.vision import redaction
from lfr.vision.letterbox import Letterbox
from lfr.vision.source.base import Frame

EVERY_S = 0.4
WIDTH = 640
QUALITY = 70


class Tile:
    """latest: JPEG and the wall time of its frame; None before the first."""

    def __init__(self) -> None:
        self.latest: tuple[bytes, float] | None = None

    def due(self, frame: Frame) -> bool:
        """Whether the present tile is old enough to be replaced by this frame's."""
        return self.latest is None or not 0 <= frame.stamped_at - self.latest[1] < EVERY_S

    def refresh(self, picture: Image, box: Letterbox, frame: Frame) -> None:
        """Make the tile from a picture that was fitted already. picture: uint8 BGR, letterboxed."""
        mosaic = redaction.mosaic(picture[: box.inner[1], : box.inner[0]], WIDTH)
        self.latest = (redaction.jpeg(mosaic, QUALITY), frame.stamped_at)
