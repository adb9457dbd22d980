"""Crops: the five points land where the recogniser expects them, whatever the pose and size."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.vision.align import canonical, crop_to_image, cut, eyes_nose, side

ALIGNMENTS = ["arcface112", "dlib150"]


def placed(alignment, scale, angle, dx, dy):
    """The five points of a face of that size, roll (degrees) and place."""
    turn = np.deg2rad(angle)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (canonical(alignment) @ matrix.T + (dx, dy)).astype(np.float32)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@given(st.floats(0.1, 6), st.floats(-80, 80), st.floats(-200, 2000), st.floats(-200, 2000))
def test_the_transform_undoes_size_roll_and_place(alignment, scale, angle, dx, dy):
    points = placed(alignment, scale, angle, dx, dy)
    matrix = crop_to_image(points[None], alignment)[0]
    there = np.c_[canonical(alignment), np.ones(5)] @ matrix.T
    # dlib reads its own transform half a pixel off, in the crop and in the picture.
    tolerance = max(scale, 1) if alignment == "dlib150" else 0.01 * max(scale, 1)
    np.testing.assert_allclose(there, points, atol=tolerance)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.3, 7.9])
def test_a_marked_point_lands_on_its_place(alignment, scale):
    points = placed(alignment, scale, 20, 400, 150)
    image = np.zeros((1800, 1800, 3), np.uint8)
    cv2.circle(image, tuple(int(v) for v in points[0].round()), max(2, int(3 * scale)), (255, 255, 255), -1)
    crop = cut(image, points[None], alignment)[0]
    rows, columns = np.nonzero(crop[:, :, 0] > 100)
    np.testing.assert_allclose((columns.mean(), rows.mean()), canonical(alignment)[0], atol=1.2)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_shapes(alignment):
    image = np.full((200, 200, 3), 90, np.uint8)
    assert cut(image, np.zeros((0, 5, 2), np.float32), alignment).shape == (0, side(alignment), side(alignment), 3)
    crops = cut(image, np.stack([placed(alignment, 1, 0, 20, 20)] * 3), alignment)
    assert crops.shape == (3, side(alignment), side(alignment), 3)
    assert crops.dtype == np.uint8


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_points_without_extent_give_black(alignment, bad):
    crops = cut(np.full((99, 99, 3), 90, np.uint8), np.full((1, 5, 2), bad, np.float32), alignment)
    assert not crops.any()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0.01, 100))
def test_outside_the_picture_is_black(alignment, dx, dy, scale):
    image = np.full((64, 64, 3), 90, np.uint8)
    crops = cut(image, placed(alignment, scale, 0, dx, dy)[None], alignment)
    assert crops.max() <= 90


def test_a_crop_does_not_depend_on_its_neighbours():
    image = np.random.default_rng(1).integers(0, 256, (500, 500, 3), np.uint8)
    points = np.stack([placed("arcface112", s, a, 50, 60) for s, a in ((1, 5), (2.5, -10), (0.4, 30))])
    together = cut(image, points, "arcface112")
    for index in range(3):
        np.testing.assert_array_equal(cut(image, points[index : index + 1], "arcface112")[0], together[index])


def test_eyes_and_nose_are_in_picture_order():
    for alignment in ALIGNMENTS:
        left, right, nose = eyes_nose(canonical(alignment)[None], alignment)[0]
        assert left[0] < nose[0] < right[0]
        assert max(left[1], right[1]) < nose[1]
    assert eyes_nose(np.zeros((0, 5, 2), np.float32), "dlib150").shape == (0, 3, 2)
