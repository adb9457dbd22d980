"""YuNet (Wu, Peng, Yu 2023): anchor-free, one prediction per cell of strides 8, 16, 32; five points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort

from lfr.domain.faces import Detections, Image
from lfr.vision.engine.boxes import best, grid, joined
from lfr.vision.engine.detector import Network, check_cells, check_channels
from lfr.vision.engine.session import Blob

_STRIDES = (8, 16, 32)


class YuNet:
    """Detector over one session."""

    def __init__(self, session: ort.InferenceSession, *, name: str, threshold: float, iou: float) -> None:
        """Raises ModelCorrupt when the model is no YuNet of twelve outputs."""
        self._threshold, self._iou = threshold, iou
        self.network = Network(session, name=name, anchors=1, scale=1.0, mean=0.0, rgb=False)
        check_channels(self.network, (1,) * 6 + (4,) * 3 + (10,) * 3, name=name)
        check_cells(self.network.probe(1)[0][:3], 64, 64, 1, name=name)

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Faces of each picture (one shape, multiples of 32), best first."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        return [self.decode(outputs, width, height) for outputs in self.network.run(pictures)]

    def decode(self, outputs: Sequence[Blob], width: int, height: int) -> Detections:
        """Faces from one picture's twelve outputs: class, object, box, points of strides 8, 16, 32."""
        parts: list[Detections] = []
        for level, stride in enumerate(_STRIDES):
            squared = (outputs[level] * outputs[3 + level]).reshape(-1)
            rows = np.flatnonzero(squared > self._threshold**2)
            if not len(rows):
                continue
            corners = grid(width, height, stride)[rows]
            raw = outputs[6 + level][rows]
            centres = corners + raw[:, :2] * np.float32(stride)
            halves = np.exp(raw[:, 2:]) * np.float32(stride / 2)
            boxes = np.concatenate([centres - halves, centres + halves], axis=1)
            points = outputs[9 + level][rows].reshape(-1, 5, 2) * np.float32(stride) + corners[:, None]
            parts.append(Detections(boxes, np.sqrt(squared[rows]), points))
        return best(joined(parts), self._iou)
