"""The double behaves like an engine: markers in, one template per colour, whatever the size or noise."""

import cv2
import numpy as np
import pytest

from lfr.vision.align import cut
from lfr.vision.engine import open_engine
from lfr.vision.engine.double import IDENTITIES, located_double, paint


@pytest.fixture
def engine():
    return open_engine(located_double())


def seen(engine, *markers, noise=0):
    """Templates of markers (identity, left, top, side) in a picture, left to right."""
    image = np.full((480, 640, 3), 110, np.uint8)
    for marker in markers:
        paint(image, *marker)
    if noise:
        rough = image.astype(float) + np.random.default_rng(0).normal(0, noise, image.shape)
        _, packed = cv2.imencode(".jpg", np.clip(rough, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 80])
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    found = engine.detect([image])[0]
    order = np.argsort(found.boxes[:, 0])
    return engine.embed(cut(image, found.points[order], "arcface112"))


def test_contract(engine):
    assert engine.contract.metric == "cosine"
    assert engine.contract.dim == seen(engine, (0, 10, 10, 50)).shape[1]
    assert engine.embed(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, engine.contract.dim)


def test_the_same_colour_is_the_same_whatever_its_size(engine):
    small, large = seen(engine, (4, 20, 30, 30), (4, 300, 100, 180), noise=6)
    assert small @ large > 0.95


@pytest.mark.parametrize("identity", range(IDENTITIES))
def test_colours_are_told_apart(engine, identity):
    one, other = seen(engine, (identity, 20, 30, 80), (identity + 1, 300, 100, 80), noise=6)
    assert one @ other < 0.4
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


def test_boxes_and_order(engine):
    image = np.full((480, 640, 3), 110, np.uint8)
    paint(image, 1, 10, 20, 40)
    paint(image, 2, 200, 100, 90)
    found = engine.detect([image])[0]
    np.testing.assert_array_equal(found.boxes, [(200, 100, 290, 190), (10, 20, 50, 60)])
    assert found.scores[0] > found.scores[1]
    assert len(engine.detect([np.full((480, 640, 3), 110, np.uint8)])[0]) == 0


def test_deterministic(engine):
    again = open_engine(located_double())
    np.testing.assert_array_equal(seen(engine, (5, 9, 9, 60)), seen(again, (5, 9, 9, 60)))
