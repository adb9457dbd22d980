"""The ONNX engine: one detector and one recogniser on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lfr.domain.faces import Detections, Image, Templates
from lfr.vision.engine.arcface import ArcFace
from lfr.vision.engine.base import EngineContract, check_pictures
from lfr.vision.engine.detector import relax
from lfr.vision.engine.scrfd import Scrfd
from lfr.vision.engine.session import BUCKETS, open_session, read_verified
from lfr.vision.engine.yunet import YuNet

if TYPE_CHECKING:
    from lfr.vision.packs import LocatedPack


class OnnxEngine:
    """FaceEngine over two sessions. Both use the same threads in turn, never at the same time."""

    def __init__(self, located: LocatedPack, *, provider: str, threads: int, gpu_memory_mb: int) -> None:
        """Raises ModelMissing, ModelCorrupt or ProviderUnavailable; nothing is left open then."""
        pack = located.pack
        detector, recogniser = pack.detector, pack.recogniser
        raw = read_verified(located.detector, detector.sha256)
        if provider != "cpu" or detector.kind == "yunet":
            raw = relax(raw, name=detector.file)
        session = open_session(
            raw, name=detector.file, provider=provider, threads=threads, gpu_memory_mb=gpu_memory_mb // 2
        )
        kind = YuNet if detector.kind == "yunet" else Scrfd
        self._detector: Scrfd | YuNet | None = kind(
            session, name=detector.file, threshold=detector.score_threshold, iou=detector.nms_iou
        )
        second = open_session(
            read_verified(located.recogniser, recogniser.sha256),
            name=recogniser.file,
            provider=provider,
            threads=threads,
            gpu_memory_mb=gpu_memory_mb // 2,
        )
        self._recogniser: ArcFace | None = ArcFace(second, recogniser)
        self._contract = EngineContract(
            pack=pack.name,
            long_side=detector.long_side,
            alignment=recogniser.alignment,
            metric=recogniser.metric,
            dim=recogniser.dim,
            providers=tuple(session.get_providers()[:1]),
        )
        if provider != "cpu":
            self._warm()

    @property
    def contract(self) -> EngineContract:
        """What this engine takes and gives."""
        return self._contract

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Faces of each picture, best first. Raises ValueError on pictures of several shapes or odd sizes."""
        if self._detector is None:
            raise ValueError("the engine is closed")
        check_pictures(pictures)
        return self._detector.detect(pictures)

    def embed(self, crops: Image) -> Templates:
        """L2-normalised templates of aligned crops."""
        if self._recogniser is None:
            raise ValueError("the engine is closed")
        return self._recogniser.embed(crops)

    def close(self) -> None:
        """Let go of both sessions."""
        self._detector = None
        self._recogniser = None

    def _warm(self) -> None:
        """Meet every shape once before the first camera does: a GPU plans (TensorRT: builds) each on first sight."""
        side, wide = self._contract.long_side, -(-self._contract.long_side * 9 // 16 // 32) * 32
        for size in BUCKETS:
            self.embed(np.zeros((size, 112, 112, 3), np.uint8))
            if size <= 8:
                self.detect([np.zeros((wide, side, 3), np.uint8)] * size)
