"""Faces in still pictures of any size, for enrolment and evaluation: looked at again where the first look fails.

A detector made for small faces in wide scenes can be blind to the one face that fills a portrait (plain SCRFD-500M
misses 14 of 4,507 such stills and takes a bystander for the sitter in two more; at half the size with a border it finds
all of them), and to a small face in a large photograph. A camera has its next frame; a still has only this one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Detections, Image
from lfr.vision.engine.base import FaceEngine
from lfr.vision.engine.boxes import best, joined
from lfr.vision.letterbox import STRIDE, fit

_ASIDE = 0.25
"""A centre this far from the picture's, as a share of its width and height, is not where a portrait's face is."""
_LARGE = 0.55
"""A face whose box is longer than this share of the picture is looked at again at half size."""
_SAME = 0.4
"""Intersection over union from which two boxes are the same face."""


def find_faces(engine: FaceEngine, image: Image) -> Detections:
    """All faces of one picture in its own pixels, best score first. image: uint8 (height, width, 3) BGR, any size.

    First at the engine's size. Nothing there: at half of it with a border, then, if the picture has more pixels than
    were used, at twice the size. Only bystanders there: a face in the middle of the half-size look is added to them.
    A very large face takes box and points from the half-size look where that is surer.
    """
    return find_all_faces(engine, [image])[0]


def find_all_faces(engine: FaceEngine, images: Sequence[Image]) -> list[Detections]:
    """As `find_faces`, for each of many pictures; those that fit one shape are first looked at together."""
    boxes = [fit(image.shape[1], image.shape[0], engine.contract.long_side) if image.size else None for image in images]
    first = [Detections.empty() for _ in images]
    for size in dict.fromkeys(box.size for box in boxes if box):
        alike = [(at, box) for at, box in enumerate(boxes) if box and box.size == size]
        seen = engine.detect([box.apply(images[at]) for at, box in alike])
        for (at, box), found in zip(alike, seen, strict=True):
            first[at] = box.undo(found)
    return [_again(engine, image, found) for image, found in zip(images, first, strict=True)]


def _again(engine: FaceEngine, image: Image, found: Detections) -> Detections:
    height, width = image.shape[:2]
    if not height or not width:
        return found
    if not len(found):
        long_side = engine.contract.long_side
        found = _look_from_afar(engine, image)
        if not len(found) and max(width, height) >= 1.5 * long_side:
            found = _look(engine, image, min(2 * long_side, -(-max(width, height) // STRIDE) * STRIDE))
        return found
    if not _central(found, width, height).any():
        missed = _look_from_afar(engine, image)
        return best(joined([found, missed.select(_central(missed, width, height))]), _SAME)
    extent = (found.boxes[:, 2:] - found.boxes[:, :2]).max()
    return _surer(found, _look_from_afar(engine, image)) if extent > _LARGE * max(width, height) else found


def central_face(faces: Detections, width: int, height: int) -> int:
    """The index of the face nearest to the middle of a picture of this size: whom a portrait shows."""
    return int(_off_centre(faces, width, height).argmin())


def _central(faces: Detections, width: int, height: int) -> NDArray[np.bool_]:
    return np.asarray(_off_centre(faces, width, height) <= _ASIDE, np.bool_)


def _off_centre(faces: Detections, width: int, height: int) -> NDArray[np.float32]:
    """Distances of the faces' centres from the picture's, as shares of its width and height: float32 (n,)."""
    centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 / np.array([width, height], np.float32)
    return np.asarray(np.linalg.norm(centres - 0.5, axis=1), np.float32)


def _look(engine: FaceEngine, image: Image, long_side: int) -> Detections:
    box = fit(image.shape[1], image.shape[0], long_side)
    return box.undo(engine.detect([box.apply(image)])[0])


def _look_from_afar(engine: FaceEngine, image: Image) -> Detections:
    """At half the engine's size, in the middle of a black picture twice as wide and high."""
    half = max(STRIDE, engine.contract.long_side // 2 // STRIDE * STRIDE)
    box = fit(image.shape[1], image.shape[0], half)
    across, down = box.size
    framed: Image = np.zeros((2 * down, 2 * across, 3), np.uint8)
    framed[down // 2 : down // 2 + down, across // 2 : across // 2 + across] = box.apply(image)
    found = engine.detect([framed])[0]
    return box.undo(found.moved(1.0, -(across // 2), -(down // 2)))


def _surer(first: Detections, second: Detections) -> Detections:
    """The faces of the first look, each replaced by its better-scored twin of the second; no face is added."""
    boxes, scores, points = first.boxes.copy(), first.scores.copy(), first.points.copy()
    for index in range(len(first)):
        twins = np.flatnonzero(_overlap(first.boxes[index], second.boxes) >= _SAME)
        if len(twins) and second.scores[twins[0]] > scores[index]:
            twin = twins[0]
            boxes[index], scores[index], points[index] = second.boxes[twin], second.scores[twin], second.points[twin]
    return Detections(boxes, scores, points).select(np.argsort(-scores, kind="stable"))


def _overlap(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    corner = np.maximum(others[:, :2], box[:2])
    extent = np.maximum(np.minimum(others[:, 2:], box[2:]) - corner, 0)
    shared = extent[:, 0] * extent[:, 1]
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1) + np.prod(np.maximum(box[2:] - box[:2], 0))
    return np.asarray(shared / np.maximum(areas - shared, 1e-6), np.float32)
