import numpy as np

from lfr.vision.zone import Zone


def test_without_corners_everything_is_inside():
    assert Zone(()).inside(np.zeros((3, 4), np.float32), 100, 100).tolist() == [0, 1, 2]


def test_a_face_is_inside_by_its_centre():  # C1
    left_half = Zone(((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    boxes = np.array([[10, 10, 30, 30], [45, 10, 65, 30], [40, 10, 58, 30]], np.float32)
    assert left_half.inside(boxes, 100, 50).tolist() == [0, 2]
