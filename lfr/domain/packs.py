"""A model pack: which models, what they take and give, what they may be used for, and how they are calibrated.

The YAML form is `configs/packs/NAME.yaml`; finding and verifying the files is `lfr.vision.packs`.
"""

from typing import Annotated, Literal

import msgspec

from lfr.domain.faces import Alignment, Metric

Use = Literal["operational", "research"]
"""`research` packs refuse to run in an operational deployment."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


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


class AttackModel(_Strict, frozen=True):
    """One model of the check. scale: it is given the face's box enlarged so many times about its middle."""

    file: str
    sha256: str
    scale: float


class AttackFloor(_Strict, frozen=True):
    """The most that may go wrong: upper ends of 95 % intervals of APCER (worst instrument) and BPCER."""

    apcer: Share
    bpcer: Share


class AttackRecord(_Strict, frozen=True):
    """What `lfr evaluate attack` measured at the slot's threshold (ISO/IEC 30107-3). worst: the instrument of APCER."""

    apcer: Share
    apcer_high: Share
    worst: str
    attacks: int
    bpcer: Share
    bpcer_high: Share
    bona_fide: int
    method: str


class PresentationAttack(_Strict, frozen=True):
    """The optional check whether an alert's face is a photograph or a screen (D7).

    Pixel contract: (value - mean) / std in the given colour order, NCHW float32, `side` pixels square. Each model gives
    `classes` logits, one of which is a live face; the score is the mean over the models of its softmax. Below
    `threshold` it is an attack. A slot that never passed its own floor cannot be enabled.
    """

    models: Annotated[tuple[AttackModel, ...], msgspec.Meta(min_length=1)]
    use: Use
    licence: Licence
    threshold: Share
    floor: AttackFloor
    side: int = 80
    colour: Literal["rgb", "bgr"] = "bgr"
    mean: float = 0.0
    std: float = 1.0
    classes: int = 3
    live_class: int = 1
    measured: AttackRecord | None = None

    @property
    def shortfall(self) -> str:
        """Why it cannot be enabled, in words; empty where it passed its floor."""
        record, floor = self.measured, self.floor
        if record is None:
            return "it was never measured"
        faults = []
        if record.apcer_high > floor.apcer:
            faults.append(
                f"of {record.attacks} attacks ({record.worst}) {record.apcer:.1%} pass for live, it may be "
                f"{record.apcer_high:.1%}; at most {floor.apcer:.1%} is its floor"
            )
        if record.bpcer_high > floor.bpcer:
            faults.append(
                f"of {record.bona_fide} live faces {record.bpcer:.1%} are taken for attacks, it may be "
                f"{record.bpcer_high:.1%}; at most {floor.bpcer:.1%} is its floor"
            )
        return "; ".join(faults)


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
    presentation_attack: PresentationAttack | None = None
    note: str = ""
