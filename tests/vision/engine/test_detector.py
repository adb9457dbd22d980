"""Detector networks: exports with one declared batch still batch, and a wrong graph is said to be wrong."""

import cv2
import numpy as np
import pytest

from lfr.domain.errors import ModelCorrupt
from lfr.vision.engine.detector import relax
from lfr.vision.engine.scrfd import Scrfd
from lfr.vision.engine.session import open_session
from lfr.vision.engine.yunet import YuNet
from lfr.vision.letterbox import fit
from tests.support import toy_models


def open_scrfd(model):
    return Scrfd(open_session(model, name="toy"), name="toy", threshold=0.5, iou=0.4)


def scene(seed):
    picture = np.random.default_rng(seed).integers(0, 60, (96, 160, 3), np.uint8)
    picture[32:64, 64:96] = 255
    return picture


@pytest.mark.parametrize(("inside", "layout"), [(True, "inside"), (False, "leading")])
def test_a_batch_gives_what_each_picture_gives(inside, layout):
    alone = open_scrfd(toy_models.scrfd(inside=inside))
    batched = open_scrfd(relax(toy_models.scrfd(inside=inside), name="toy"))
    assert batched.network.learn_layout() == layout
    pictures = [scene(seed) for seed in range(11)]
    for one, other in zip(alone.detect(pictures), batched.detect(pictures), strict=True):
        assert len(one)
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-4)
        np.testing.assert_allclose(one.points, other.points, atol=1e-4)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)


def test_the_bright_cell_is_where_it_is():
    found = open_scrfd(toy_models.scrfd()).detect([scene(0)])[0]
    # At stride 32 the whole cell at (64, 32) is white: distances of 255-127.5 / 128 strides to each side.
    expected = np.array([64, 32, 64, 32]) + np.array([-1, -1, 1, 1]) * 32 * 127.5 / 128
    assert any(np.allclose(box, expected, atol=1e-3) for box in found.boxes)
    assert (np.diff(found.scores) <= 0).all()


def test_no_pictures_no_faces():
    assert open_scrfd(toy_models.scrfd()).detect([]) == []
    assert len(open_scrfd(toy_models.scrfd()).detect([np.zeros((32, 32, 3), np.uint8)])[0]) == 0


@pytest.mark.parametrize(
    ("model", "says"),
    [(toy_models.scrfd(points=False), "channels"), (toy_models.recogniser(), "does not run")],
)
def test_a_model_of_another_kind_is_corrupt(model, says):
    with pytest.raises(ModelCorrupt, match=says):
        open_scrfd(model)
    with pytest.raises(ModelCorrupt):
        YuNet(open_session(model, name="toy"), name="toy", threshold=0.5, iou=0.4)


def test_relaxing_junk_is_corrupt():
    with pytest.raises(ModelCorrupt, match="no ONNX model"):
        relax(b"\xff\xff\xff", name="toy")


@pytest.mark.assets
def test_yunet_of_one_declared_size_takes_any_as_opencv_does(assets):
    path = assets / "models" / "permissive" / "face_detection_yunet_2023mar.onnx"
    ours = YuNet(open_session(relax(path.read_bytes(), name="y"), name="y"), name="y", threshold=0.6, iou=0.3)
    theirs = cv2.FaceDetectorYN.create(str(path), "", (640, 384), score_threshold=0.6, nms_threshold=0.3)
    capture = cv2.VideoCapture(str(assets / "video" / "walk_720p.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 120)
    frame = fit(1280, 720, 640).apply(capture.read()[1])
    capture.release()
    rows = theirs.detect(frame)[1]
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    found = ours.detect([frame])[0]
    assert len(found) == len(rows) > 2
    np.testing.assert_allclose(found.boxes[:, :2], rows[:, :2], atol=0.1)
    np.testing.assert_allclose(found.boxes[:, 2:] - found.boxes[:, :2], rows[:, 2:4], atol=0.1)
    np.testing.assert_allclose(found.points.reshape(-1, 10), rows[:, 4:14], atol=0.1)
    np.testing.assert_allclose(found.scores, rows[:, 14], atol=1e-3)
