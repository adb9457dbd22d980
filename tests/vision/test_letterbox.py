"""Letterboxes keep the aspect, pad to multiples of 32, and undo what they did."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.faces import Detections
from lfr.vision.letterbox import fit


def test_720p_becomes_640_by_384():
    box = fit(1280, 720, 640)
    assert box.size == (640, 384)
    assert box.inner == (640, 360)
    assert box.scale == 0.5


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([320, 640, 1280]))
def test_any_size_fits(width, height, long_side):
    box = fit(width, height, long_side)
    assert max(box.inner) == long_side
    assert all(side % 32 == 0 and inner <= side < inner + 32 for side, inner in zip(box.size, box.inner, strict=True))
    assert (
        box.inner[0] * height == pytest.approx(box.inner[1] * width, abs=0.5 * max(width, height) + 1) or 1 in box.inner
    )


@given(st.integers(1, 300), st.integers(1, 300))
def test_the_picture_is_at_the_top_left_and_the_rest_is_black(width, height):
    fitted = fit(width, height, 320).apply(np.full((height, width, 3), 200, np.uint8))
    across, down = fit(width, height, 320).inner
    assert fitted.shape[0] % 32 == 0
    assert fitted.shape[1] % 32 == 0
    assert (fitted[:down, :across] == 200).all()
    assert not fitted[down:].any()
    assert not fitted[:, across:].any()


@given(st.integers(2, 4000), st.integers(2, 4000))
def test_undo_takes_corners_back(width, height):
    box = fit(width, height, 640)
    corner = np.array([[0, 0, *box.inner]], np.float32)
    found = Detections(corner, np.ones(1, np.float32), np.tile(np.array(box.inner, np.float32), (1, 5, 1)))
    back = box.undo(found)
    np.testing.assert_allclose(back.boxes[0], (0, 0, width, height), rtol=1e-5)
    np.testing.assert_allclose(back.points[0, 0], (width, height), rtol=1e-5)


def test_a_spot_is_found_where_it_was():
    image = np.zeros((1080, 1920, 3), np.uint8)
    image[600:660, 900:990] = 255
    box = fit(1920, 1080, 640)
    rows, columns = np.nonzero(box.apply(image)[:, :, 0] > 127)
    spot = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    found = Detections(spot, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
    np.testing.assert_allclose(box.undo(found).boxes[0], (900, 600, 990, 660), atol=3)


def test_a_picture_that_fits_is_handed_on():
    image = np.zeros((384, 640, 3), np.uint8)
    assert fit(640, 384, 640).apply(image) is image


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="this letterbox is for"):
        fit(640, 480, 640).apply(np.zeros((10, 10, 3), np.uint8))


@pytest.mark.parametrize(("width", "height", "side"), [(0, 5, 640), (5, 0, 640), (5, 5, 100), (5, 5, 0)])
def test_nonsense_is_refused(width, height, side):
    with pytest.raises(ValueError, match=r"no pixels|multiple of 32"):
        fit(width, height, side)
