"""Recognisers that take an aligned 112 x 112 crop and give one vector: the ArcFace family and SFace.

InsightFace's class for them guesses the normalisation from node names and returns raw vectors; here the pack states
the pixel contract and templates are L2-normalised.
"""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime as ort

from lfr.domain.errors import ModelCorrupt
from lfr.domain.faces import Image, Templates
from lfr.domain.packs import Recogniser
from lfr.vision.engine.session import BUCKETS, Blob, bucket, first_line

_SIDE = 112
_CPU_BATCH = 16


class ArcFace:
    """Recogniser over one session."""

    def __init__(self, session: ort.InferenceSession, recogniser: Recogniser) -> None:
        """Raises ModelCorrupt when the model does not turn 112 x 112 crops into vectors of the pack's length."""
        self._session = session
        self._contract = recogniser
        self._input = session.get_inputs()[0].name
        batch = session.get_inputs()[0].shape[0]
        self._gpu = session.get_providers()[0] != "CPUExecutionProvider"
        self._step = batch if isinstance(batch, int) else BUCKETS[-1] if self._gpu else _CPU_BATCH
        self._fixed = isinstance(batch, int)
        self._check()

    def embed(self, crops: Image) -> Templates:
        """Templates of crops: uint8 (n, 112, 112, 3) BGR in, float32 (n, dim) out, L2-normalised. n may be 0."""
        templates: Templates = np.zeros((len(crops), self._contract.dim), np.float32)
        for start in range(0, len(crops), self._step):
            part = crops[start : start + self._step]
            raw = self._forward(part)
            np.divide(
                raw, np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12), out=templates[start:][: len(part)]
            )
            raw.fill(0)
        return templates

    def _forward(self, crops: Image) -> Blob:
        count = len(crops)
        size = self._step if self._fixed else bucket(count) if self._gpu else count
        given = list(crops) + [np.zeros((_SIDE, _SIDE, 3), np.uint8)] * (size - count)
        contract = self._contract
        blob = cv2.dnn.blobFromImages(
            given, 1 / contract.std, (_SIDE, _SIDE), (contract.mean,) * 3, swapRB=contract.colour == "rgb", crop=False
        )
        output: Blob = self._session.run(None, {self._input: blob})[0]
        blob.fill(0)  # a crop must not outlive its frame by more than a second (D4)
        return output[:count]

    def _check(self) -> None:
        name, dim = self._contract.file, self._contract.dim
        hint = "the file is not the recogniser its pack says"
        try:
            output = self._forward(np.zeros((2, _SIDE, _SIDE, 3), np.uint8)[: self._step])
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            raise ModelCorrupt(f"{name} does not run on 112x112 crops: {first_line(error)}", hint=hint) from error
        if output.ndim != 2 or output.shape[1] != dim:
            raise ModelCorrupt(f"{name} gives an output of shape {output.shape}, (n, {dim}) is needed", hint=hint)
