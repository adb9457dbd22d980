"""The loop a user would write today: find every face of a frame, recognise each, one at a time.

- `FaceAnalysis`: insightface's own class, given exactly the pack's two files, 640x640 input.
- `FaceDetectorYN`: the same loop for YuNet packs, which FaceAnalysis cannot load: OpenCV's detector on the same
  640x640 input, then insightface's or OpenCV's own single-picture call of the same recogniser.
- `dlib`: the same loop with dlib's own calls, on the whole frame.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import ConfigError
from lfr.domain.faces import Image
from lfr.vision.packs import LocatedPack

_SIDE = 640


@dataclass(frozen=True, slots=True)
class LoopFace:
    """One face. area, centre: of its box, (square) pixels. template: float32 (dim,), as the library gives it."""

    area: float
    centre: tuple[float, float]
    template: NDArray[np.float32]


class Loop(Protocol):
    """One way to write the loop."""

    name: str

    def faces(self, image: Image) -> list[LoopFace]:
        """Every face of one picture, recognised."""
        ...

    def close(self) -> None:
        """Let go of temporary files."""
        ...


def open_loop(located: LocatedPack, threads: int) -> Loop:
    """The loop for this pack. threads: per ONNX Runtime session; dlib has one. Raises ConfigError without dlib."""
    if located.pack.engine == "dlib":
        return _Dlib(located)
    if located.pack.detector.kind == "yunet":
        return _YuNet(located, threads)
    return _FaceAnalysis(located, threads)


class _FaceAnalysis:
    name = "FaceAnalysis"

    def __init__(self, located: LocatedPack, threads: int) -> None:
        from insightface.app import FaceAnalysis  # noqa: PLC0415 - heavy, and only this loop needs it

        _hush()

        # FaceAnalysis reads the detector's file again when it first sees a picture, so the folder stays till close().
        self._folder = tempfile.TemporaryDirectory(prefix="lfr-bench-")
        links = Path(self._folder.name)
        # By name the detector comes first, as FaceAnalysis takes the first of each kind.
        (links / "1_detector.onnx").symlink_to(located.detector)
        (links / "2_recogniser.onnx").symlink_to(located.recogniser)
        self._app: Any = FaceAnalysis(
            name=str(links), providers=["CPUExecutionProvider"], sess_options=_session_options(threads)
        )
        self._app.prepare(ctx_id=0, det_thresh=located.pack.detector.score_threshold, det_size=(_SIDE, _SIDE))

    def close(self) -> None:
        self._folder.cleanup()

    def faces(self, image: Image) -> list[LoopFace]:
        return [_face(face.bbox, face.normed_embedding) for face in self._app.get(image)]


class _YuNet:
    name = "FaceDetectorYN"

    def __init__(self, located: LocatedPack, threads: int) -> None:
        cv2.setNumThreads(threads)
        detector = located.pack.detector
        self._detector: Any = cv2.FaceDetectorYN.create(
            str(located.detector), "", (_SIDE, _SIDE), detector.score_threshold, detector.nms_iou
        )
        self._sface: Any = None
        self._arcface: Any = None
        if located.pack.recogniser.kind == "sface":
            self._sface = cv2.FaceRecognizerSF.create(str(located.recogniser), "")
        else:
            from insightface.model_zoo import get_model  # noqa: PLC0415 - heavy, and only this loop needs it

            _hush()
            self._arcface = get_model(
                str(located.recogniser), providers=["CPUExecutionProvider"], sess_options=_session_options(threads)
            )

    def close(self) -> None:
        pass

    def faces(self, image: Image) -> list[LoopFace]:
        scale = _SIDE / max(image.shape[:2])
        small = cv2.resize(image, (round(image.shape[1] * scale), round(image.shape[0] * scale)))
        square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        _, rows = self._detector.detect(square)
        return [self._recognised(image, row) for row in (rows if rows is not None else ())]

    def _recognised(self, image: Image, row: NDArray[np.float32]) -> LoopFace:
        back = row.copy()
        back[:14] *= max(image.shape[:2]) / _SIDE
        template = self._sfaced(image, back) if self._sface is not None else self._arcfaced(image, back)
        return _face((back[0], back[1], back[0] + back[2], back[1] + back[3]), _normed(template))

    def _sfaced(self, image: Image, row: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._sface.feature(self._sface.alignCrop(image, row)), np.float32).ravel().copy()

    def _arcfaced(self, image: Image, row: NDArray[np.float32]) -> NDArray[np.float32]:
        from insightface.app.common import Face  # noqa: PLC0415 - heavy, and only this loop needs it

        return np.asarray(self._arcface.get(image, Face(kps=row[4:14].reshape(5, 2))), np.float32)


class _Dlib:
    name = "dlib"

    def __init__(self, located: LocatedPack) -> None:
        try:
            import dlib  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ConfigError("the dlib loop needs dlib", hint="pip install 'lfr[embedded]'") from error
        self._detect: Any = dlib.get_frontal_face_detector()
        landmarks = next((file for file in located.extra if "landmark" in file.name), located.detector)
        self._shape: Any = dlib.shape_predictor(str(landmarks))
        self._recognise: Any = dlib.face_recognition_model_v1(str(located.recogniser))

    def close(self) -> None:
        pass

    def faces(self, image: Image) -> list[LoopFace]:
        rgb = np.ascontiguousarray(image[:, :, ::-1])
        return [
            _face(
                (box.left(), box.top(), box.right(), box.bottom()),
                np.asarray(self._recognise.compute_face_descriptor(rgb, self._shape(rgb, box)), np.float32),
            )
            for box in self._detect(rgb, 0)
        ]


def _hush() -> None:
    # insightface 2.1 aligns with a call that scikit-image 0.26 announces to remove: nothing a user here can act on.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"insightface\.")


def _session_options(threads: int) -> Any:
    import onnxruntime  # noqa: PLC0415 - heavy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _face(box: Sequence[float], template: NDArray[np.float32]) -> LoopFace:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    return LoopFace((x1 - x0) * (y1 - y0), ((x0 + x1) / 2, (y0 + y1) / 2), template)


def _normed(template: NDArray[np.float32]) -> NDArray[np.float32]:
    return template / max(float(np.linalg.norm(template)), 1e-9)
