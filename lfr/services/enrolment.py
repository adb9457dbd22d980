"""From a picture to what is stored of it: one face, good enough, cut out, embedded. No database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lfr.domain.faces import Detections, Image, Templates
from lfr.domain.packs import Pack, Quality
from lfr.services.pictures import Refused, cut_out, decode
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.engine.base import FaceEngine
from lfr.vision.stills import find_faces

CLEARLY_SMALLER = 1.5
"""A face whose area is less than the main face's by this factor stands in the background."""
IN_THE_MIDDLE, BYSTANDER = 0.12, 0.25
"""Distances of a face's centre from the picture's, as shares of its width and height."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that may be enrolled. crop: uint8 (side, side, 3) BGR, aligned. face_px: box width in pixels."""

    crop: Image
    jpeg: bytes
    face_px: float
    sharpness: float
    score: float


def prepare(engine: FaceEngine, pack: Pack, data: bytes) -> Prepared | Refused:
    """Decode one picture, find its one face and check it against the pack's floors for enrolment."""
    picture = decode(data)
    if isinstance(picture, Refused):
        return picture
    try:
        return _prepare(engine, pack.quality, picture)
    finally:
        picture.fill(0)


def _prepare(engine: FaceEngine, floors: Quality, picture: Image) -> Prepared | Refused:
    height, width = picture.shape[:2]
    found = find_faces(engine, picture)
    main = main_face(found, width, height)
    if isinstance(main, Refused):
        return main
    face = found.select(np.array([main]))
    alignment = engine.contract.alignment
    face_px = float(quality.geometry(face, alignment, width, height).face_px[0])
    if face_px < floors.enrol_face_px:
        return Refused("too small", f"the face is {face_px:.0f} pixels wide, at least {floors.enrol_face_px:.0f}")
    crop = cut(picture, face.points, alignment)[0]
    sharp = quality.sharpness(crop)
    if sharp < floors.enrol_min_sharpness:
        crop.fill(0)
        return Refused("too blurred", f"sharpness {sharp:.0f}, at least {floors.enrol_min_sharpness:.0f}")
    x1, y1, x2, y2 = (float(value) for value in face.boxes[0])
    return Prepared(crop, cut_out(picture, (x1, y1, x2, y2)), face_px, sharp, float(face.scores[0]))


def main_face(found: Detections, width: int, height: int) -> int | Refused:
    """Whom the picture shows: the index of its only face, or of the most central one if no other face competes.

    A face does not compete when it is clearly smaller, or when it is not clearly larger and is either cut by the
    picture's border while the main one is whole, or well aside while the main one stands in the middle, as in a
    portrait.
    """
    if len(found) == 0:
        return Refused("no face")
    boxes = found.boxes.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height)
    off_centre = np.sqrt(((centres - 0.5) ** 2).sum(axis=1))
    main = int(np.argmin(off_centre))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    cut_off = (boxes.min(axis=1) <= 0) | (boxes[:, 2] >= width) | (boxes[:, 3] >= height)
    smaller = areas * CLEARLY_SMALLER <= areas[main]
    larger = areas > areas[main] * CLEARLY_SMALLER
    partial = cut_off & ~cut_off[main]
    bystander = (off_centre > BYSTANDER) & (off_centre[main] < IN_THE_MIDDLE)
    competing = ~(smaller | ((partial | bystander) & ~larger))
    competing[main] = False
    if competing.any():
        return Refused("several faces", f"{int(competing.sum()) + 1} faces of like size: cut the picture to one person")
    return main


def embed(engine: FaceEngine, prepared: Sequence[Prepared]) -> Templates:
    """Templates of many prepared pictures in one batch, float32 (n, dim); their crops are overwritten."""
    crops = np.stack([one.crop for one in prepared])
    try:
        return engine.embed(crops)
    finally:
        crops.fill(0)
        for one in prepared:
            one.crop.fill(0)
