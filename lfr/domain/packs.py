"""A model pack: which models, what they take and give, what they may be used for, and how they are calibrated.

The YAML form is `configs/packs/NAME.yaml`; finding and verifying the files is `lfr.vision.packs`.
"""

from typing import Literal

import msgspec

from lfr.domain.faces import Alignment, Metric

Use = Literal["operational", "research"]
"""`research` packs refuse to run in an operational deployment."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown keys are errors."""


class Detector(_Strict, frozen=True):
    """The face detector. `long_side`: pixels of the longer side of the picture it is given (multiple of 32)."""

    kind: Literal["scrfd", "yunet", "dlib-hog", "double"]
    file: str
    sha256: str
    long_side: int = 640
    score_threshold: float = 0.5
    nms_iou: float = 0.4


class Recogniser(_Strict, frozen=True):
    """The recogniser. Pixel contract: (value - mean) / std in the given colour order, NCHW float32."""

    kind: Literal["arcface", "sface", "dlib-resnet", "double"]
    file: str
    sha256: str
    dim: int
    alignment: Alignment
    metric: Metric
    colour: Literal["rgb", "bgr"] = "rgb"
    mean: float = 127.5
    std: float = 127.5


class ExtraFile(_Strict, frozen=True):
    """A further file that the engine needs (dlib's landmark model)."""

    file: str
    sha256: str


class Licence(_Strict, frozen=True):
    """What the weights' owners allow, in plain words, and where to read it."""

    name: str
    summary: str
    url: str = ""


class Quality(_Strict, frozen=True):
    """The floor below which a shot is not embedded (probe) or enrolled (enrol). Pixels: the width of the box."""

    probe_face_px: float = 28.0
    enrol_face_px: float = 40.0
    max_yaw: float = 0.75
    min_sharpness: float = 4.0
    enrol_min_sharpness: float = 10.0


class Calibration(_Strict, frozen=True):
    """Scores of fused transits against people who are not listed, measured on faces that no scored clip shows.

    fmr: pairs [log10 of the per-comparison false match rate of one transit, score], falling rate, rising score;
    between the pairs the score is interpolated. measured_to: log10 of the rarest rate the data reach; pairs beyond it
    are an extrapolated tail, and a threshold from there says so.
    transits: how many non-mated transits the measurement saw; comparisons: how many comparisons.
    bounds: for each rate its score's 95 % interval, [log10 of the rate, low, high]. upper: [log10 of what the rate is
    below at 95 %, score], by counting alone, never by the tail: what caps a list's size (B10). Older files lack both.
    """

    method: str
    fmr: tuple[tuple[float, float], ...]
    measured_to: float
    transits: int
    comparisons: int
    target_fpir: float = 0.01
    bounds: tuple[tuple[float, float, float], ...] = ()
    upper: tuple[tuple[float, float], ...] = ()


class Pack(_Strict, frozen=True):
    """One pack, as its file says. Engine `double` is the test double: it sees painted markers, never a face."""

    name: str
    title: str
    engine: Literal["onnx", "dlib", "double"]
    use: Use
    licence: Licence
    detector: Detector
    recogniser: Recogniser
    extra_files: tuple[ExtraFile, ...] = ()
    quality: Quality = Quality()
    calibration: Calibration | None = None
    note: str = ""
