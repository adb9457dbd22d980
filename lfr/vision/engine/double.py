"""The shipped test double of FaceEngine: it finds painted markers instead of faces, and needs no model.

A marker is a square of one strong colour; its hue is its identity. The template of a crop is read back from its
pixels, so scaling, noise and compression are survived the way a recogniser survives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Detections, Image, Templates
from lfr.domain.packs import Calibration, Detector, Licence, Pack, Quality, Recogniser
from lfr.vision.align import canonical
from lfr.vision.engine.base import EngineContract, check_pictures
from lfr.vision.packs import LocatedPack, locate

IDENTITIES = 12
"""How many hues are told apart safely: identity i has hue i * 360 / 12 degrees."""

_DIM = 64
_MIN_SIDE = 6
_MARGIN = 8.0


def double_pack(name: str = "double", *, long_side: int = 640) -> Pack:
    """A pack that opens the double. Same marker: similarity near 1; neighbouring hues: near 0."""
    return Pack(
        name=name,
        title="Test double: painted markers",
        engine="double",
        use="research",
        licence=Licence(name="Apache-2.0", summary="Part of this project. Recognises nobody."),
        detector=Detector(kind="double", file="", sha256="", long_side=long_side),
        recogniser=Recogniser(kind="double", file="", sha256="", dim=_DIM, alignment="arcface112", metric="cosine"),
        quality=Quality(probe_face_px=8, enrol_face_px=8, max_yaw=1, min_sharpness=0, enrol_min_sharpness=0),
        calibration=Calibration(
            method="by construction", fmr=((-2, 0.6), (-4, 0.7)), measured_to=-4, transits=1000, comparisons=100000
        ),
    )


def located_double() -> LocatedPack:
    """The double, ready for open_engine."""
    return locate(double_pack(), [])


def paint(image: Image, identity: int, left: int, top: int, side: int) -> None:
    """Paint the marker of an identity (0..11) into a picture, in place. side: pixels."""
    hue = identity % IDENTITIES * (180 // IDENTITIES)
    colour = cv2.cvtColor(np.full((1, 1, 3), (hue, 255, 230), np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    image[max(top, 0) : top + side, max(left, 0) : left + side] = colour


class DoubleEngine:
    """FaceEngine over painted markers. Deterministic, one thread, no files."""

    def __init__(self, pack: Pack) -> None:
        self._contract = EngineContract(
            pack=pack.name,
            long_side=pack.detector.long_side,
            alignment="arcface112",
            metric="cosine",
            dim=pack.recogniser.dim,
        )

    @property
    def contract(self) -> EngineContract:
        """What this engine takes and gives."""
        return self._contract

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Square patches of strong colour, largest first."""
        check_pictures(pictures)
        return [_markers(picture) for picture in pictures]

    def embed(self, crops: Image) -> Templates:
        """A vector per crop from the hue of its middle: between two hues' vectors, in proportion."""
        templates: Templates = np.zeros((len(crops), self._contract.dim), np.float32)
        for template, crop in zip(templates, crops, strict=True):
            middle = crop[40:84, 40:72].reshape(-1, 3).mean(axis=0)
            hsv = cv2.cvtColor(middle.astype(np.uint8).reshape(1, 1, 3), cv2.COLOR_BGR2HSV)[0, 0]
            place = float(hsv[0]) * IDENTITIES / 180
            lower, share = int(place), place % 1
            words = _words(self._contract.dim)
            mixed = words[lower % IDENTITIES] * (1 - share) + words[(lower + 1) % IDENTITIES] * share
            template[:] = mixed / np.linalg.norm(mixed)
        return templates

    def close(self) -> None:
        """Nothing to let go of."""


@cache
def _words(dim: int) -> NDArray[np.float32]:
    """One unit vector per hue, at right angles as far as the length allows."""
    drawn = np.random.default_rng(2026).normal(size=(max(dim, IDENTITIES), IDENTITIES))
    return np.linalg.qr(drawn)[0].T[:, :dim].astype(np.float32)


def _markers(picture: Image) -> Detections:
    strength = picture.max(axis=2).astype(np.int16) - picture.min(axis=2)
    count, _, stats, _ = cv2.connectedComponentsWithStats((strength > 110).astype(np.uint8), connectivity=4)
    boxes = []
    for left, top, width, height, area in stats[1:count]:
        square = 0.7 < width / height < 1.4 and area > 0.8 * width * height
        if square and min(width, height) >= _MIN_SIDE:
            boxes.append((left, top, left + width, top + height))
    if not boxes:
        return Detections.empty()
    array = np.array(sorted(boxes, key=lambda box: box[0] - box[2]), np.float32)
    sides = array[:, 2:] - array[:, :2]
    # The five points sit in the marker as they sit in a face's box: a margin around the crop's inner part.
    inner = (canonical("arcface112") - _MARGIN) / (112 - 2 * _MARGIN)
    points = array[:, None, :2] + inner[None] * sides[:, None]
    scores = np.clip(sides.min(axis=1) / 640, 0, 0.09) + np.float32(0.9)
    return Detections(array, scores.astype(np.float32), points.astype(np.float32))
