"""The ONNX engine on real weights: batches equal singles, and it agrees with InsightFace's own classes."""

import hashlib
import itertools

import cv2
import msgspec
import numpy as np
import pytest

from lfr.domain.errors import ModelCorrupt, ModelMissing, ProviderUnavailable
from lfr.vision.align import cut
from lfr.vision.engine import open_engine
from lfr.vision.letterbox import fit
from lfr.vision.packs import LocatedPack, default_roots, load_pack, locate
from lfr.vision.stills import find_faces
from tests.support import toy_models

PACKS = ["permissive", "research"]


@pytest.fixture(scope="module", params=PACKS)
def engine(request, assets):
    opened = open_engine(locate(load_pack(request.param), default_roots()), threads=2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def frames(assets):
    """Some letterboxed frames of a clip."""
    capture = cv2.VideoCapture(str(assets / "video" / "walk_720p.mp4"))
    box = fit(1280, 720, 640)
    found = []
    for index in range(140):
        good, image = capture.read()
        assert good
        if index % 28 == 0:
            found.append(box.apply(image))
    capture.release()
    return found


@pytest.fixture(scope="module")
def crops(assets):
    """Aligned crops of 18 faces."""
    engine = open_engine(locate(load_pack("permissive"), default_roots()), threads=2)
    images = [cv2.imread(str(path)) for path in sorted((assets / "faces" / "lfw-dev").glob("*/*.jpg"))[:18]]
    return np.concatenate([cut(image, find_faces(engine, image).points[:1], "arcface112") for image in images])


@pytest.mark.assets
class TestGolden:
    def test_a_batch_detects_what_each_picture_alone_gives(self, engine, frames):
        together = engine.detect(frames)
        assert sum(map(len, together)) > 5
        for frame, found in zip(frames, together, strict=True):
            alone = engine.detect([frame])[0]
            np.testing.assert_array_equal(found.boxes, alone.boxes)
            np.testing.assert_array_equal(found.points, alone.points)
            np.testing.assert_array_equal(found.scores, alone.scores)

    def test_a_template_does_not_depend_on_batch_mates_or_batch_size(self, engine, crops):
        together = engine.embed(crops)
        assert together.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
        for size in (1, 5):
            parts = [engine.embed(crops[start : start + size]) for start in range(0, len(crops), size)]
            np.testing.assert_allclose(np.concatenate(parts), together, atol=2e-6)
        shuffled = np.random.default_rng(0).permutation(len(crops))
        np.testing.assert_allclose(engine.embed(crops[shuffled]), together[shuffled], atol=2e-6)

    def test_points_lie_in_their_boxes_and_in_order(self, engine, frames):
        for found in engine.detect(frames):
            assert (np.diff(found.scores) <= 0).all()
            assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
            eyes, mouth = found.points[:, :2], found.points[:, 3:]
            assert (eyes[:, :, 1].mean(axis=1) < mouth[:, :, 1].mean(axis=1)).all()

    def test_empty_and_closed(self, engine):
        assert engine.detect([]) == []
        assert engine.embed(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, engine.contract.dim)
        assert len(engine.detect([np.zeros((384, 640, 3), np.uint8)])[0]) == 0

    @pytest.mark.parametrize("shapes", [[(33, 64, 3)], [(64, 64)], [(64, 64, 3), (64, 96, 3)], [(0, 64, 3)]])
    def test_pictures_of_a_wrong_shape_are_refused(self, engine, shapes):
        with pytest.raises(ValueError, match="picture"):
            engine.detect([np.zeros(shape, np.uint8) for shape in shapes])


@pytest.mark.assets
def test_the_same_as_insightface(frames, crops):
    from insightface import model_zoo

    located = locate(load_pack("research"), default_roots())
    engine = open_engine(located, threads=2)
    detector = model_zoo.get_model(str(located.detector), providers=["CPUExecutionProvider"])
    detector.prepare(ctx_id=-1, input_size=(640, 384), det_thresh=0.5)
    for frame, found in zip(frames, engine.detect(frames), strict=True):
        boxes, points = detector.detect(frame, input_size=(640, 384))
        order = np.argsort(-boxes[:, 4], kind="stable")
        np.testing.assert_allclose(found.boxes, boxes[order, :4], atol=0.01)
        np.testing.assert_allclose(found.points, points[order], atol=0.01)
    recogniser = model_zoo.get_model(str(located.recogniser), providers=["CPUExecutionProvider"])
    theirs = recogniser.get_feat(list(crops[:8]))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(engine.embed(crops[:8]), theirs, atol=1e-5)


@pytest.mark.assets
@pytest.mark.parametrize(("name", "threshold"), [("permissive", 0.30), ("research", 0.25)])
def test_same_people_are_nearer_than_different_ones(assets, name, threshold):
    engine = open_engine(locate(load_pack(name), default_roots()), threads=2)

    def template(person, number):
        image = cv2.imread(str(assets / "faces" / "lfw-dev" / person / f"{person}_{int(number):04d}.jpg"))
        found = find_faces(engine, image)
        centre = np.array(image.shape[1::-1]) / 2
        nearest = np.argmin(np.linalg.norm((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - centre, axis=1))
        return engine.embed(cut(image, found.points[[nearest]], "arcface112"))[0]

    rows = [line.split("\t") for line in (assets / "faces" / "lfw_dev_pairs.txt").read_text().splitlines()]
    same = itertools.islice((row for row in rows if len(row) == 3), 0, None, 45)
    other = itertools.islice((row for row in rows if len(row) == 4), 0, None, 32)
    mated = np.array([template(row[0], row[1]) @ template(row[0], row[2]) for row in same])
    strange = np.array([template(row[0], row[1]) @ template(row[2], row[3]) for row in other])
    # Figures only: who they are must not reach a test's output.
    assert len(mated) > 20
    assert len(strange) > 20
    assert float((mated > threshold).mean()) >= 0.95
    assert float((strange > threshold).mean()) <= 0.05


def toy_pack(folder, detector, recogniser, **changes):
    """A located onnx pack of toy models."""
    base = load_pack("research")
    paths, parts = [], []
    for part, raw, name in ((base.detector, detector, "det.onnx"), (base.recogniser, recogniser, "rec.onnx")):
        (folder / name).write_bytes(raw)
        paths.append(folder / name)
        parts.append(msgspec.structs.replace(part, file=name, sha256=hashlib.sha256(raw).hexdigest()))
    parts[1] = msgspec.structs.replace(parts[1], dim=8)
    pack = msgspec.structs.replace(base, name="toy", detector=parts[0], recogniser=parts[1], **changes)
    return LocatedPack(pack, *paths)


def test_a_toy_pack_opens_and_answers(tmp_path):
    engine = open_engine(toy_pack(tmp_path, toy_models.scrfd(), toy_models.recogniser()))
    assert engine.contract.providers == ("CPUExecutionProvider",)
    crops = np.random.default_rng(0).integers(0, 256, (21, 112, 112, 3), np.uint8)
    np.testing.assert_allclose(engine.embed(crops)[7], engine.embed(crops[7:8])[0], atol=1e-6)
    engine.close()
    engine.close()
    with pytest.raises(ValueError, match="closed"):
        engine.detect([np.zeros((64, 64, 3), np.uint8)])
    with pytest.raises(ValueError, match="closed"):
        engine.embed(crops)


def test_a_recogniser_with_a_fixed_batch_is_fed_one_at_a_time(tmp_path):
    crops = np.random.default_rng(0).integers(0, 256, (5, 112, 112, 3), np.uint8)
    free = open_engine(toy_pack(tmp_path, toy_models.scrfd(), toy_models.recogniser())).embed(crops)
    fixed = open_engine(toy_pack(tmp_path, toy_models.scrfd(), toy_models.recogniser(batch=1))).embed(crops)
    np.testing.assert_allclose(fixed, free, atol=1e-6)


@pytest.mark.parametrize(
    ("detector", "recogniser", "says"),
    [
        (b"no model at all", toy_models.recogniser(), "no usable ONNX model"),
        (toy_models.scrfd(), b"no model at all", "no usable ONNX model"),
        (toy_models.scrfd(), toy_models.recogniser(dim=9), "output of shape"),
        (toy_models.scrfd(), toy_models.recogniser(side=96), "112x112"),
        (toy_models.recogniser(), toy_models.recogniser(), "64x64"),
        (toy_models.scrfd(points=False), toy_models.recogniser(), "channels"),
    ],
)
def test_a_model_of_a_wrong_shape_is_corrupt(tmp_path, detector, recogniser, says):
    with pytest.raises(ModelCorrupt, match=says) as caught:
        open_engine(toy_pack(tmp_path, detector, recogniser))
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_file_changed_after_it_was_located_is_corrupt(tmp_path):
    located = toy_pack(tmp_path, toy_models.scrfd(), toy_models.recogniser())
    located.recogniser.write_bytes(toy_models.recogniser() + b"x")
    with pytest.raises(ModelCorrupt, match="sha256"):
        open_engine(located)
    located.recogniser.unlink()
    with pytest.raises(ModelMissing):
        open_engine(located)


def test_no_gpu_where_one_was_asked_for(tmp_path):
    located = toy_pack(tmp_path, toy_models.scrfd(), toy_models.recogniser())
    with pytest.raises(ProviderUnavailable):
        open_engine(located, provider="tensorrt")
