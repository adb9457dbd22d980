"""The zone of recognition: what lies outside is discarded before anything is recognised (C1)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


class Zone:
    """A polygon of x, y in 0..1 of the picture; no corners = the whole picture."""

    def __init__(self, corners: tuple[tuple[float, float], ...]) -> None:
        self._corners = np.array(corners, np.float32).reshape(-1, 1, 2)

    def inside(self, boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.intp]:
        """Indices of the boxes (float32 (n, 4) x1 y1 x2 y2, pixels) whose centre lies in the zone."""
        if not len(self._corners):
            return np.arange(len(boxes))
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / np.array([width, height], np.float32)
        return np.array(
            [
                i
                for i, c in enumerate(centres)
                if cv2.pointPolygonTest(self._corners, (float(c[0]), float(c[1])), measureDist=False) >= 0
            ],
            np.intp,
        )
