"""From a picture to what is stored of it: one face, good enough, cut out, embedded. No database here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lfr.domain.faces import Alignment, Detections, Image, Templates
from lfr.domain.packs import Pack, Quality
from lfr.domain.policy import Picture
from lfr.services.pictures import Refused, cut_out, decode
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.engine.base import FaceEngine
from lfr.vision.stills import find_all_faces

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


def prepare(engine: FaceEngine, pack: Pack, data: bytes, floors: Picture | None = None) -> Prepared | Refused:
    """Decode one picture, find its one face and check it against the floors for enrolment: the pack's own and, where
    they are stricter, the policy's (B6).
    """
    return prepare_all(engine, pack, [data], floors)[0]


def prepare_all(
    engine: FaceEngine, pack: Pack, pictures: Sequence[bytes], floors: Picture | None = None
) -> list[Prepared | Refused]:
    """As `prepare`, for many; detectors see pictures of one shape together. The decoded pictures are overwritten."""
    outcomes: list[Prepared | Refused] = []
    start = 0
    while start < len(pictures):
        decoded: list[Image | Refused] = []
        pixels = 0
        while start + len(decoded) < len(pictures) and pixels < _PIXELS_AT_ONCE:
            picture = decode(pictures[start + len(decoded)])
            decoded.append(picture)
            pixels += 0 if isinstance(picture, Refused) else picture.shape[0] * picture.shape[1]
        start += len(decoded)
        outcomes += _prepare(engine, Floors.of(pack.quality, floors), decoded)
    return outcomes


_PIXELS_AT_ONCE = 24_000_000


@dataclass(frozen=True, slots=True)
class Floors:
    """The stricter of the pack's and the policy's."""

    face_px: float
    sharpness: float
    yaw: float

    @classmethod
    def of(cls, pack: Quality, policy: Picture | None) -> Floors:
        """policy: None = the pack's own, which know no limit of pose for enrolment."""
        if policy is None:
            return cls(pack.enrol_face_px, pack.enrol_min_sharpness, np.inf)
        return cls(
            max(pack.enrol_face_px, policy.min_face_px),
            max(pack.enrol_min_sharpness, policy.min_sharpness),
            policy.max_yaw,
        )


def _prepare(engine: FaceEngine, floors: Floors, decoded: Sequence[Image | Refused]) -> list[Prepared | Refused]:
    pictures = [one for one in decoded if not isinstance(one, Refused)]
    try:
        found = iter(find_all_faces(engine, pictures))
        return [
            one if isinstance(one, Refused) else _chosen(next(found), engine.contract.alignment, floors, one)
            for one in decoded
        ]
    finally:
        for picture in pictures:
            picture.fill(0)


def _chosen(found: Detections, alignment: Alignment, floors: Floors, picture: Image) -> Prepared | Refused:
    height, width = picture.shape[:2]
    main = main_face(found, width, height)
    if isinstance(main, Refused):
        return main
    face = found.select(np.array([main]))
    geometry = quality.geometry(face, alignment, width, height)
    face_px, yaw = float(geometry.face_px[0]), float(geometry.yaw[0])
    if face_px < floors.face_px:
        return Refused(
            "too small", f"the face is {face_px:.0f} pixels wide, at least {floors.face_px:.0f}: give a larger picture"
        )
    if yaw > floors.yaw:
        return Refused("turned away", f"turned by {yaw:.2f}, at most {floors.yaw:g}: give a frontal picture")
    crop = cut(picture, face.points, alignment)[0]
    sharp = quality.sharpness(crop)
    if sharp < floors.sharpness:
        crop.fill(0)
        return Refused("too blurred", f"sharpness {sharp:.0f}, at least {floors.sharpness:.0f}: give a sharper picture")
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
    if not prepared:
        return np.zeros((0, engine.contract.dim), np.float32)
    crops = np.stack([one.crop for one in prepared])
    try:
        return engine.embed(crops)
    finally:
        crops.fill(0)
        for one in prepared:
            one.crop.fill(0)
