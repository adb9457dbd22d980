import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.vision.redaction import COLUMNS, clipped, jpeg, mosaic, portrait, scene


def noise(h=360, w=640):
    return np.random.default_rng(0).integers(0, 256, (h, w, 3), dtype=np.uint8)


@pytest.mark.rule("C3")
def test_a_mosaic_has_only_so_many_squares_in_any_picture():
    tile = mosaic(noise(), 640)
    assert tile.shape == (360, 640, 3)
    flat = tile.reshape(360, 640 // (640 // COLUMNS), -1, 3)
    assert (flat == flat[:, :, :1]).all()


@pytest.mark.rule("C3")
def test_only_the_alerts_own_box_is_sharp():
    picture = noise(720, 1280)
    shown = scene(picture, (300, 200, 100, 120), width=1280)
    outside = mosaic(picture, 1280)
    outside[200:320, 300:400] = shown[200:320, 300:400]
    assert (shown == outside).all()
    assert (shown[204:316, 304:396] == picture[204:316, 304:396]).all()


@given(st.tuples(*[st.integers(-3000, 3000)] * 2, *[st.integers(1, 3000)] * 2))
def test_any_box_is_cut_inside_the_picture(box):
    x0, y0, x1, y1 = clipped(box, 640, 360)
    assert 0 <= x0 < x1 <= 640
    assert 0 <= y0 < y1 <= 360
    assert portrait(noise(), box).shape == (240, 240, 3)


def test_a_jpeg_carries_no_metadata():
    data = jpeg(noise())
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
    assert b"Exif" not in data
