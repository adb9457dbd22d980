"""The dlib engine: HOG detector, five-point shape predictor, ResNet v1 (King 2009, 2017). CPU only, one thread.

Its weights come with a package, so a fresh machine needs no download. The HOG detector finds frontal faces of about
80 pixels and more in the picture it is given, and misses smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lfr.domain.errors import ModelCorrupt, ModelMissing, ProviderUnavailable
from lfr.domain.faces import Detections, Image, Templates
from lfr.vision.engine.base import EngineContract, check_pictures
from lfr.vision.engine.boxes import best
from lfr.vision.packs import LocatedPack, sha256_of

_SIDE = 150
_POINTS = 5
_BATCH = 16


class DlibEngine:
    """FaceEngine over dlib. Templates are raw descriptors; the matcher's similarity is 1 - euclidean distance."""

    def __init__(self, located: LocatedPack) -> None:
        """Raises ProviderUnavailable when dlib is not installed, ModelMissing or ModelCorrupt for its files."""
        try:
            import dlib  # noqa: PLC0415 - an optional package
        except ImportError as error:
            raise ProviderUnavailable("dlib is not installed", hint="pip install 'lfr[embedded]'") from error
        pack = located.pack
        self._iou = pack.detector.nms_iou
        self._margin = math.log(pack.detector.score_threshold / (1 - pack.detector.score_threshold))
        self._detector: Any = dlib.get_frontal_face_detector()
        self._predictor: Any = _load(dlib.shape_predictor, located.detector, pack.detector.sha256)
        self._recogniser: Any = _load(dlib.face_recognition_model_v1, located.recogniser, pack.recogniser.sha256)
        self._contract = EngineContract(
            pack=pack.name,
            long_side=pack.detector.long_side,
            alignment=pack.recogniser.alignment,
            metric=pack.recogniser.metric,
            dim=pack.recogniser.dim,
        )
        self._check(located, dlib.rectangle(0, 0, 31, 31))

    @property
    def contract(self) -> EngineContract:
        """What this engine takes and gives."""
        return self._contract

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Faces of each picture, best first. score: the HOG detector's margin through the logistic function."""
        check_pictures(pictures)
        return [self._faces(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)) for picture in pictures]

    def embed(self, crops: Image) -> Templates:
        """Raw descriptors of 150 x 150 chips, float32 (n, 128)."""
        templates: Templates = np.zeros((len(crops), self._contract.dim), np.float32)
        for start in range(0, len(crops), _BATCH):
            chips = np.ascontiguousarray(crops[start : start + _BATCH, :, :, ::-1])
            descriptors = self._recogniser.compute_face_descriptor(list(chips))
            templates[start : start + len(chips)] = np.array(descriptors, np.float32)
            chips.fill(0)  # a crop must not outlive its frame by more than a second (D4)
        return templates

    def close(self) -> None:
        """Let go of the models."""
        self._detector = self._predictor = self._recogniser = None

    def _faces(self, rgb: Any) -> Detections:
        rectangles, margins, _ = self._detector.run(rgb, 0, self._margin)
        if not rectangles:
            return Detections.empty()
        boxes = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
        shapes = [[(part.x, part.y) for part in self._predictor(rgb, r).parts()] for r in rectangles]
        scores = 1 / (1 + np.exp(-np.array(margins)))
        found = Detections(np.array(boxes, np.float32), scores.astype(np.float32), np.array(shapes, np.float32))
        return best(found, self._iou)

    def _check(self, located: LocatedPack, rectangle: Any) -> None:
        """Raise ModelCorrupt unless the files are a five-point predictor and a recogniser of the pack's length."""
        blank = np.zeros((32, 32, 3), np.uint8)
        parts = self._predictor(blank, rectangle).num_parts
        if parts != _POINTS:
            raise ModelCorrupt(f"{located.detector.name} gives {parts} points, five are needed", hint=_WRONG)
        length = len(self._recogniser.compute_face_descriptor(np.zeros((_SIDE, _SIDE, 3), np.uint8)))
        if length != self._contract.dim:
            name = located.recogniser.name
            raise ModelCorrupt(f"{name} gives {length} values, the pack says {self._contract.dim}", hint=_WRONG)


_WRONG = "the file is not what its pack says"


def _load(kind: Callable[[str], Any], path: Path, sha256: str) -> Any:
    """A dlib model from its file, verified just before dlib reads it (dlib takes paths only)."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelMissing(f"cannot read {path}: {error.strerror}", hint="pip install 'lfr[embedded]'") from error
    if found != sha256:
        raise ModelCorrupt(f"{path} has sha256 {found}, its pack says {sha256}", hint="reinstall the embedded extra")
    try:
        return kind(str(path))
    except RuntimeError as error:  # dlib's serialization_error
        raise ModelCorrupt(f"{path.name} is no dlib model of this kind", hint=_WRONG) from error
