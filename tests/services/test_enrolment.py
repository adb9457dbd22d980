"""One face, large and sharp enough, is chosen, cut out and embedded; the rest is refused with its reason."""

import dataclasses

import cv2
import msgspec
import numpy as np
import pytest

from lfr.domain.faces import Detections
from lfr.domain.policy import Picture
from lfr.services import enrolment, policies
from lfr.services.enrolment import Prepared, main_face, prepare
from lfr.services.pictures import Refused
from lfr.vision import quality
from lfr.vision.engine import open_engine
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from lfr.vision.packs import default_roots, load_pack, locate

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


FLOORS = Picture(min_face_px=90, min_sharpness=50, max_yaw=0.6)


@pytest.mark.rule("B6")
def test_the_policys_floors_hold_over_the_packs_own(engine):
    data = picture((3, 110, 100, 85))
    assert isinstance(prepare(engine, PACK, data), Prepared)
    assert prepare(engine, PACK, data, FLOORS).reason == "too small"
    assert isinstance(prepare(engine, PACK, picture((3, 110, 100, 110)), FLOORS), Prepared)
    # A policy cannot lower what the pack needs.
    loose = Picture(min_face_px=1, min_sharpness=0.1, max_yaw=9)
    strict = msgspec.structs.replace(PACK, quality=msgspec.structs.replace(PACK.quality, enrol_face_px=100))
    assert prepare(engine, strict, data, loose).reason == "too small"
    sharp = msgspec.structs.replace(FLOORS, min_sharpness=1e6)
    assert prepare(engine, PACK, picture((3, 110, 100, 110)), sharp).reason == "too blurred"


@pytest.mark.rule("B6")
def test_a_face_turned_away_is_refused_with_advice(engine, monkeypatch):
    turned = quality.geometry

    def seen(*given):
        return dataclasses.replace(turned(*given), yaw=np.array([0.61], np.float32))

    monkeypatch.setattr(quality, "geometry", seen)
    refused = prepare(engine, PACK, picture((3, 110, 100, 110)), FLOORS)
    assert (refused.reason, "frontal" in refused.detail) == ("turned away", True)
    assert isinstance(prepare(engine, PACK, picture((3, 110, 100, 110))), Prepared)


def worse(image, how, amount):
    """A picture blurred by `amount` pixels, or shrunk to 1 / `amount` of its size."""
    if how == "blur":
        return cv2.GaussianBlur(image, (0, 0), amount) if amount else image
    return cv2.resize(image, None, fx=1 / amount, fy=1 / amount, interpolation=cv2.INTER_AREA)


def verdicts(engine, pack, image, how, floors):
    pictures = [cv2.imencode(".png", worse(image, how, step))[1].tobytes() for step in STEPS[how]]
    return [isinstance(prepare(engine, pack, data, floors), Prepared) for data in pictures]


STEPS = {"blur": (0, 0.6, 1, 1.5, 2, 3, 4, 6, 8), "shrink": (1, 1.2, 1.5, 2, 2.5, 3, 4, 6)}


@pytest.mark.rule("B6")
@pytest.mark.parametrize("how", STEPS)
def test_the_worse_a_picture_the_less_is_it_accepted(engine, how):
    image = cv2.imdecode(np.frombuffer(picture((3, 90, 90, 140)), np.uint8), 1)
    seen = verdicts(engine, PACK, image, how, FLOORS)
    assert seen == sorted(seen, reverse=True)
    assert seen[0]
    assert not seen[-1]


@pytest.mark.assets
@pytest.mark.rule("B6")
def test_the_worse_a_photograph_the_less_is_it_accepted(assets):
    pack = load_pack("research")
    real = open_engine(locate(pack, default_roots()), provider="cpu", threads=2)
    try:
        files = sorted((assets / "faces" / "lfw-dev").glob("*/*_0001.jpg"))[:160:20]
        floors = policies.load("uk-default").watchlist.picture
        for how in STEPS:
            accepted = [verdicts(real, pack, cv2.imread(str(file)), how, floors) for file in files]
            for seen in (one for one in accepted if one[0]):
                assert seen == sorted(seen, reverse=True)
            counts = np.sum(accepted, axis=0)
            assert counts[0] > len(files) / 2
            assert counts[-1] == 0
    finally:
        real.close()
