"""What detectors share after their network ran: non-maximum suppression and the order of faces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Detections


def best(detections: Detections, iou: float) -> Detections:
    """The faces that no better-scored face covers by more than `iou` of their union, best score first.

    Equal scores keep the order they came in, so that the same picture always gives the same answer.
    """
    count = len(detections)
    if count == 0:
        return detections
    order = np.argsort(-detections.scores, kind="stable")
    boxes = detections.boxes[order]
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    alive = np.ones(count, np.bool_)
    keep: list[int] = []
    for index in range(count):
        if not alive[index]:
            continue
        keep.append(index)
        rest = slice(index + 1, None)
        corner = np.maximum(boxes[rest, :2], boxes[index, :2])
        extent = np.maximum(np.minimum(boxes[rest, 2:], boxes[index, 2:]) - corner, 0)
        shared = extent[:, 0] * extent[:, 1]
        alive[rest] &= shared <= iou * np.maximum(areas[rest] + areas[index] - shared, np.finfo(np.float32).tiny)
    return detections.select(order[np.array(keep, np.intp)])


def joined(parts: Sequence[Detections]) -> Detections:
    """The faces of all parts in one."""
    if not parts:
        return Detections.empty()
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.points for part in parts]),
    )


@lru_cache(maxsize=64)
def grid(width: int, height: int, stride: int) -> NDArray[np.float32]:
    """x, y of each cell's corner in pixels, row by row: float32 (rows * columns, 2)."""
    columns, rows = width // stride, height // stride
    y, x = np.divmod(np.arange(columns * rows), columns)
    return np.stack([x, y], axis=1).astype(np.float32) * np.float32(stride)
