"""Non-maximum suppression: against its definition, and in a fixed order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.faces import Detections
from lfr.vision.engine.boxes import best, grid, joined

boxes = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40), st.integers(1, 40), st.integers(1, 9)),
    max_size=25,
)


def detections(rows):
    array = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
    scores = np.array([row[4] / 10 for row in rows], np.float32)
    return Detections(array, scores, np.zeros((len(rows), 5, 2), np.float32))


def iou(a, b):
    extent = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0).prod()
    return extent / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - extent)


@given(boxes, st.sampled_from([0.3, 0.4, 0.5]))
def test_greedy_suppression_by_definition(rows, limit):
    given_faces = detections(rows)
    kept = best(given_faces, limit)
    expected = []
    for index in np.argsort(-given_faces.scores, kind="stable"):
        if all(iou(given_faces.boxes[index], given_faces.boxes[other]) <= limit + 1e-6 for other in expected):
            expected.append(index)
    np.testing.assert_array_equal(kept.boxes, given_faces.boxes[np.array(expected, int)])
    assert list(kept.scores) == sorted(kept.scores, reverse=True)


def test_boxes_without_area_do_no_harm():
    flat = Detections(
        np.array([[5, 5, 5, 5], [5, 5, 4, 9]], np.float32), np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32)
    )
    assert len(best(flat, 0.4)) == 2


def test_grid_goes_row_by_row():
    np.testing.assert_array_equal(grid(64, 32, 32), [(0, 0), (32, 0)])
    np.testing.assert_array_equal(grid(32, 64, 32), [(0, 0), (0, 32)])


def test_joined():
    assert len(joined([])) == 0
    one = detections([(0, 0, 5, 5, 3)])
    assert joined([one, one]).boxes.shape == (2, 4)
