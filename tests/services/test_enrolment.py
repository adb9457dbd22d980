"""One face, large and sharp enough, is chosen, cut out and embedded; the rest is refused with its reason."""

import cv2
import msgspec
import numpy as np
import pytest

from lfr.domain.faces import Detections
from lfr.services import enrolment
from lfr.services.enrolment import Prepared, main_face, prepare
from lfr.services.pictures import Refused
from lfr.vision.engine.double import DoubleEngine, double_pack, paint

PACK = double_pack()


def picture(*markers, width=320, height=320):
    """A PNG of grey with painted markers (identity, left, top, side)."""
    canvas = np.full((height, width, 3), 120, np.uint8)
    for marker in markers:
        paint(canvas, *marker)
    return cv2.imencode(".png", canvas)[1].tobytes()


def faces(*boxes):
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(array, np.ones(len(array), np.float32), np.zeros((len(array), 5, 2), np.float32))


@pytest.fixture
def engine():
    return DoubleEngine(PACK)


def test_one_good_face(engine):
    ready = prepare(engine, PACK, picture((3, 110, 100, 100)))
    assert isinstance(ready, Prepared)
    assert ready.crop.shape == (112, 112, 3)
    assert ready.face_px == pytest.approx(100, abs=3)
    assert ready.jpeg[:2] == b"\xff\xd8"
    template = enrolment.embed(engine, [ready])
    assert template.shape == (1, PACK.recogniser.dim)
    assert not ready.crop.any()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not a picture", "unreadable"),
        (picture(), "no face"),
        (picture((1, 40, 100, 100), (5, 180, 100, 100)), "several faces"),
    ],
)
def test_refusals(engine, data, reason):
    assert prepare(engine, PACK, data).reason == reason


@pytest.mark.parametrize(
    ("floor", "reason"), [({"enrol_face_px": 101}, "too small"), ({"enrol_min_sharpness": 1e6}, "too blurred")]
)
def test_the_packs_floors(engine, floor, reason):
    pack = msgspec.structs.replace(PACK, quality=msgspec.structs.replace(PACK.quality, **floor))
    found = prepare(engine, pack, picture((3, 110, 110, 90)))
    assert found.reason == reason
    assert "at least" in found.detail


@pytest.mark.parametrize(
    ("boxes", "main"),
    [
        ([(0, 0, 50, 50)], 0),
        ([(10, 10, 50, 50), (80, 80, 180, 180)], 1),
        ([(70, 70, 190, 190), (200, 60, 290, 150)], 0),
        ([(70, 70, 170, 170), (190, 60, 260, 150)], 0),
        ([(-20, 60, 60, 160), (80, 80, 180, 180)], 1),
        ([(20, 80, 120, 180), (140, 80, 240, 180)], None),
        ([(75, 75, 175, 175), (5, 5, 95, 95)], 0),
        ([(105, 105, 145, 145), (5, 5, 95, 95)], None),
        ([(0.5, 20, 240, 240), (110, 110, 150, 150)], 0),
        ([(-90, 20, 100, 240), (110, 110, 150, 150)], None),
        ([], None),
    ],
)
def test_whom_a_picture_shows(boxes, main):
    """Alone, or central and clearly larger, or the only one that is whole; otherwise nobody."""
    found = main_face(faces(*boxes), 250, 250)
    assert isinstance(found, Refused) if main is None else found == main


def test_a_batch_gives_what_single_pictures_give(engine):
    data = [picture((identity, 100, 100, 100 + identity)) for identity in range(5)]
    together = enrolment.embed(engine, [prepare(engine, PACK, one) for one in data])
    alone = np.concatenate([enrolment.embed(engine, [prepare(engine, PACK, one)]) for one in data])
    assert np.array_equal(together, alone)
