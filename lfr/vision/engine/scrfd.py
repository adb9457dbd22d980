"""SCRFD (Guo et al. 2021): two anchors per cell of strides 8, 16, 32; distances to the box's sides; five points.

InsightFace's model zoo has a class for it, but it takes one picture at a time, decodes every cell before it looks at
the scores, and re-opens sessions by itself; only cells above the threshold are decoded here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort

from lfr.domain.faces import Detections, Image
from lfr.vision.engine.boxes import best, grid, joined
from lfr.vision.engine.detector import Network, check_cells, check_channels
from lfr.vision.engine.session import Blob

_STRIDES = (8, 16, 32)
_ANCHORS = 2


class Scrfd:
    """Detector over one session."""

    def __init__(self, session: ort.InferenceSession, *, name: str, threshold: float, iou: float) -> None:
        """Raises ModelCorrupt when the model is no SCRFD with five points."""
        self._threshold, self._iou = threshold, iou
        self.network = Network(session, name=name, anchors=_ANCHORS, scale=1 / 128, mean=127.5, rgb=True)
        check_channels(self.network, (1,) * 3 + (4,) * 3 + (10,) * 3, name=name)
        check_cells(self.network.probe(1)[0][:3], 64, 64, _ANCHORS, name=name)

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Faces of each picture (one shape, multiples of 32), best first."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        return [self.decode(outputs, width, height) for outputs in self.network.run(pictures)]

    def decode(self, outputs: Sequence[Blob], width: int, height: int) -> Detections:
        """Faces from one picture's nine outputs: scores, boxes, points of strides 8, 16, 32."""
        parts: list[Detections] = []
        for level, stride in enumerate(_STRIDES):
            scores = outputs[level].reshape(-1)
            rows = np.flatnonzero(scores > self._threshold)
            if not len(rows):
                continue
            corners = grid(width, height, stride)[rows // _ANCHORS]
            sides = outputs[3 + level][rows] * np.float32(stride)
            boxes = np.concatenate([corners - sides[:, :2], corners + sides[:, 2:]], axis=1)
            points = outputs[6 + level][rows].reshape(-1, 5, 2) * np.float32(stride) + corners[:, None]
            parts.append(Detections(boxes, scores[rows], points))
        return best(joined(parts), self._iou)
