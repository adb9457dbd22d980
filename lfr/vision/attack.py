"""Is the face of an alert a photograph or a screen that somebody holds up? The optional check of a pack (D7).

It looks at one face of one picture when an alert is about to be raised, never at passers-by. It is off unless its slot
in the pack passed its own floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from lfr.domain.errors import ConfigError, LicenceRefused, ModelCorrupt
from lfr.domain.faces import Image
from lfr.domain.packs import AttackModel, Pack, PresentationAttack
from lfr.vision.engine.session import Blob, first_line, open_session, read_verified
from lfr.vision.packs import locate_attack

Box = tuple[float, float, float, float]
"""x y w h in pixels of the picture."""


class AttackCheck:
    """The models of one slot on ONNX Runtime. May be asked from several threads at once."""

    def __init__(self, slot: PresentationAttack, paths: Sequence[Path], *, threads: int = 1) -> None:
        """Raises ModelMissing or ModelCorrupt when a file changed or is not what its slot says."""
        self._slot = slot
        self._models = [
            (model, open_session(read_verified(path, model.sha256), name=model.file, threads=threads))
            for model, path in zip(slot.models, paths, strict=True)
        ]
        for model, session in self._models:
            self._try(model, session)

    def live_score(self, picture: Image, box: Box) -> float:
        """How much the face in this box looks like a live one, 0..1. picture: the whole frame, uint8 BGR."""
        scores = [
            float(
                self._softmax(session, surroundings(picture, box, model.scale, self._slot.side))[self._slot.live_class]
            )
            for model, session in self._models
        ]
        return sum(scores) / len(scores)

    def is_attack(self, picture: Image, box: Box) -> bool:
        """Whether the score is below the slot's threshold."""
        return self.live_score(picture, box) < self._slot.threshold

    def close(self) -> None:
        """Let go of the sessions. Safe to call twice."""
        self._models = []

    def _softmax(self, session: ort.InferenceSession, crop: Image) -> Blob:
        slot = self._slot
        blob = cv2.dnn.blobFromImage(
            crop, 1 / slot.std, (slot.side, slot.side), (slot.mean,) * 3, swapRB=slot.colour == "rgb", crop=False
        )
        logits: Blob = session.run(None, {session.get_inputs()[0].name: blob})[0][0]
        blob.fill(0)  # a face must not outlive its frame (D4)
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum(), np.float32)

    def _try(self, model: AttackModel, session: ort.InferenceSession) -> None:
        slot, hint = self._slot, "the file is not the model its slot says"
        try:
            answer = self._softmax(session, np.zeros((slot.side, slot.side, 3), np.uint8))
        except Exception as error:  # ONNX Runtime's errors share no base class of their own
            raise ModelCorrupt(
                f"{model.file} does not run on {slot.side}x{slot.side} crops: {first_line(error)}", hint=hint
            ) from error
        if answer.shape != (slot.classes,):
            raise ModelCorrupt(f"{model.file} gives {answer.shape}, {slot.classes} classes are needed", hint=hint)


def open_attack_check(pack: Pack, roots: Sequence[Path], *, mode: str, threads: int = 1) -> AttackCheck:
    """The pack's check, for a deployment of this mode.

    Raises ConfigError where there is no slot or it did not pass its floor, LicenceRefused where it is for research and
    the mode is operational, ModelMissing or ModelCorrupt where its files are not there.
    """
    slot = pack.presentation_attack
    if slot is not None and slot.shortfall:
        raise ConfigError(
            f"pack {pack.name}: its check for presentation attacks stays off: {slot.shortfall}",
            hint="lfr evaluate attack measures it; leave it off, or use another model",
        )
    if slot is not None and mode == "operational" and slot.use != "operational":
        raise LicenceRefused(
            f"pack {pack.name}: its check for presentation attacks is for research ({slot.licence.name})",
            hint="leave it off, or run in research mode",
        )
    return measuring_attack_check(pack, roots, threads=threads)


def measuring_attack_check(pack: Pack, roots: Sequence[Path], *, threads: int = 1) -> AttackCheck:
    """The pack's check whether it passed or not: to measure it, and for nothing else. Raises as above, but for that."""
    paths = locate_attack(pack, roots)
    assert pack.presentation_attack is not None
    return AttackCheck(pack.presentation_attack, paths, threads=threads)


def surroundings(picture: Image, box: Box, scale: float, side: int) -> Image:
    """The box enlarged about its middle and scaled to side x side; moved, then shrunk, where it leaves the picture."""
    high, wide = picture.shape[:2]
    x, y, w, h = box
    scale = min(scale, wide / max(w, 1.0), high / max(h, 1.0))
    width, height = max(w, 1.0) * scale, max(h, 1.0) * scale
    left = min(max(x + w / 2 - width / 2, 0.0), wide - width)
    top = min(max(y + h / 2 - height / 2, 0.0), high - height)
    cut = picture[
        int(top) : max(int(top) + 1, round(top + height)), int(left) : max(int(left) + 1, round(left + width))
    ]
    return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
