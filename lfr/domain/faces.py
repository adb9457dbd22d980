"""Faces found in a picture, before anybody knows whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A picture: uint8, shape (height, width, 3), BGR (OpenCV's order)."""

Templates = NDArray[np.float32]
"""Templates: float32, shape (n, dim). L2-normalised for the cosine metric, raw for the euclidean one."""

Alignment = Literal["arcface112", "dlib150"]
"""How a crop is cut: the crop's side in pixels and the meaning of the five points (vision.align)."""

Metric = Literal["cosine", "euclidean"]
"""How two templates are compared. Higher is always more alike: cosine, or 1 - euclidean distance (dlib)."""


@dataclass(frozen=True, slots=True)
class Detections:
    """All faces of one picture, as arrays over faces.

    boxes: float32 (n, 4), x1 y1 x2 y2 in pixels of that picture. scores: float32 (n,), 0..1.
    points: float32 (n, 5, 2), x y in pixels; what the five points mean is the pack's `Alignment`.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> Detections:
        """No face at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))

    def select(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> Detections:
        """The faces chosen by an index or a mask, in that order."""
        return Detections(self.boxes[keep], self.scores[keep], self.points[keep])

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Detections:
        """The same faces in another picture's coordinates: first scaled, then shifted (pixels)."""
        shift = np.array([dx, dy], np.float32)
        return Detections(
            self.boxes * np.float32(scale) + np.tile(shift, 2),
            self.scores,
            self.points * np.float32(scale) + shift,
        )
