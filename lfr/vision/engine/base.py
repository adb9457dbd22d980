"""The seam between the system and a face engine, with its shipped double (`lfr.vision.engine.double`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lfr.domain.faces import Alignment, Detections, Image, Metric, Templates


@dataclass(frozen=True, slots=True)
class EngineContract:
    """What an engine takes and gives. All that the camera and the matcher need to know of it.

    long_side: pixels of the longer side of the picture detect() is given, a multiple of 32. dim: template length.
    providers: the execution providers its sessions really got (empty for dlib).
    """

    pack: str
    long_side: int
    alignment: Alignment
    metric: Metric
    dim: int
    providers: tuple[str, ...] = ()


class FaceEngine(Protocol):
    """Detect a batch, embed a batch. One instance belongs to one thread."""

    @property
    def contract(self) -> EngineContract:
        """What this engine takes and gives."""
        ...

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Faces of each picture, in that picture's pixels, best score first.

        The pictures of one call share one shape; height and width are multiples of 32.
        """
        ...

    def embed(self, crops: Image) -> Templates:
        """Templates of aligned crops: uint8 (n, side, side, 3) BGR in, float32 (n, dim) out.

        A template never depends on its batch-mates. n may be 0.
        """
        ...

    def close(self) -> None:
        """Let go of sessions and memory. Safe to call twice."""
        ...


def check_pictures(pictures: Sequence[Image]) -> None:
    """Raise ValueError unless all pictures share one (height, width, 3) with sides that are multiples of 32."""
    shapes = {picture.shape for picture in pictures}
    if len(shapes) > 1:
        raise ValueError(f"pictures of one call must share one shape, these have {sorted(shapes)}")
    for shape in shapes:
        if len(shape) != 3 or shape[2] != 3 or shape[0] % 32 or shape[1] % 32 or not shape[0] or not shape[1]:
            raise ValueError(f"a picture of shape {shape} is not (32 k, 32 m, 3)")
