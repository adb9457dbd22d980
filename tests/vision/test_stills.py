"""Stills: a second look where the first found nothing, in the picture's own pixels."""

import cv2
import numpy as np
import pytest

from lfr.domain.faces import Detections
from lfr.vision.engine import open_engine
from lfr.vision.engine.base import EngineContract
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from lfr.vision.packs import default_roots, load_pack, locate
from lfr.vision.stills import find_faces


class Choosy:
    """The double, made blind outside a range of sizes in the picture it is given. It keeps the sizes it was shown."""

    def __init__(self, smallest, largest):
        self._double = DoubleEngine(double_pack(long_side=320))
        self._range = (smallest, largest)
        self.shown = []

    @property
    def contract(self) -> EngineContract:
        return self._double.contract

    def detect(self, pictures):
        self.shown += [picture.shape[:2] for picture in pictures]
        found = self._double.detect(pictures)
        return [part.select(self._fits(part)) for part in found]

    def _fits(self, found: Detections):
        sides = found.boxes[:, 2] - found.boxes[:, 0]
        return (sides >= self._range[0]) & (sides <= self._range[1])

    def embed(self, crops):
        return self._double.embed(crops)

    def close(self):
        pass


def marked(width, height, left, top, side):
    image = np.full((height, width, 3), 128, np.uint8)
    paint(image, 3, left, top, side)
    return image


@pytest.mark.parametrize(("width", "height"), [(320, 200), (250, 250), (90, 200), (1000, 700)])
def test_one_look_is_enough_where_it_finds(width, height):
    engine = Choosy(0, 1000)
    side = min(width, height) // 3
    left, top = width // 2 - side, height // 2 - side // 2
    found = find_faces(engine, marked(width, height, left, top, side))
    assert len(engine.shown) == 1
    np.testing.assert_allclose(found.boxes[0], (left, top, left + side, top + side), atol=6)


def test_a_face_too_large_is_found_from_afar():
    engine = Choosy(0, 100)
    found = find_faces(engine, marked(250, 250, 60, 70, 120))
    assert len(engine.shown) == 2
    np.testing.assert_allclose(found.boxes[0], (60, 70, 180, 190), atol=4)


def test_a_face_too_small_is_found_close_up():
    engine = Choosy(12, 1000)
    found = find_faces(engine, marked(1280, 960, 600, 500, 40))
    assert engine.shown[-1] == (480, 640)
    np.testing.assert_allclose(found.boxes[0], (600, 500, 640, 540), atol=4)


def test_a_very_large_face_is_looked_at_twice_and_counted_once():
    engine = Choosy(0, 1000)
    found = find_faces(engine, marked(250, 250, 20, 20, 200))
    assert len(engine.shown) == 2
    assert len(found) == 1
    np.testing.assert_allclose(found.boxes[0], (20, 20, 220, 220), atol=4)


def test_a_sitter_missed_beside_a_bystander_is_added():
    engine = Choosy(0, 100)
    image = marked(250, 250, 60, 70, 120)
    paint(image, 7, 4, 100, 40)
    found = find_faces(engine, image)
    assert len(engine.shown) == 2
    np.testing.assert_allclose(sorted(found.boxes.tolist()), [(4, 100, 44, 140), (60, 70, 180, 190)], atol=4)


def test_a_bystander_alone_is_counted_once():
    engine = Choosy(0, 1000)
    image = marked(250, 250, 4, 100, 40)
    found = find_faces(engine, image)
    assert len(engine.shown) == 2
    np.testing.assert_allclose(found.boxes, [(4, 100, 44, 140)], atol=4)


def test_nothing_is_nothing():
    assert len(find_faces(Choosy(0, 1000), np.full((400, 600, 3), 128, np.uint8))) == 0
    assert len(find_faces(Choosy(0, 1000), np.zeros((0, 600, 3), np.uint8))) == 0
    assert len(find_faces(Choosy(0, 1000), np.zeros((1, 1, 3), np.uint8))) == 0


@pytest.mark.assets
def test_portraits_that_one_look_misses(assets):
    engine = open_engine(locate(load_pack("research"), default_roots()), threads=2)
    pictures = sorted((assets / "faces" / "lfw-dev").glob("*/*.jpg"))[:60]
    found = [len(find_faces(engine, cv2.imread(str(path)))) for path in pictures]
    engine.close()
    assert found.count(0) == 0
