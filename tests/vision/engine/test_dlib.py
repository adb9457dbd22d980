"""The dlib engine, with the weights its package brings and a public-domain portrait from scikit-image."""

import hashlib

import cv2
import msgspec
import numpy as np
import pytest
from skimage import data

from lfr.domain.errors import ModelCorrupt, ModelMissing, ProviderUnavailable
from lfr.vision.align import cut
from lfr.vision.engine import open_engine
from lfr.vision.packs import LocatedPack, load_pack, locate
from lfr.vision.stills import find_faces


@pytest.fixture(scope="module")
def located():
    return locate(load_pack("embedded"), [])


@pytest.fixture(scope="module")
def engine(located):
    return open_engine(located)


@pytest.fixture(scope="module")
def portrait():
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="module")
def scene(portrait):
    """The portrait in a 320 x 512 frame."""
    return np.ascontiguousarray(portrait[:320])


def chips(engine, images):
    return np.concatenate([cut(image, find_faces(engine, image).points[:1], "dlib150") for image in images])


def test_the_face_is_found_with_points_in_order(engine, scene):
    found = engine.detect([scene])[0]
    assert len(found) == 1
    assert 0.5 < found.scores[0] <= 1
    left, top, right, bottom = found.boxes[0]
    assert (found.points[0] >= (left, top)).all()
    assert (found.points[0] <= (right, bottom)).all()
    right_eye, left_eye = found.points[0, :2].mean(axis=0), found.points[0, 2:4].mean(axis=0)
    assert left_eye[0] < found.points[0, 4, 0] < right_eye[0]


def test_a_batch_gives_what_each_gives(engine, scene):
    pictures = [scene, scene[:, ::-1].copy(), np.zeros_like(scene)]
    together = engine.detect(pictures)
    assert [len(found) for found in together] == [1, 1, 0]
    for picture, found in zip(pictures, together, strict=True):
        alone = engine.detect([picture])[0]
        np.testing.assert_array_equal(found.boxes, alone.boxes)
        np.testing.assert_array_equal(found.points, alone.points)


def test_a_template_does_not_depend_on_batch_mates(engine, portrait):
    base = chips(engine, [portrait, portrait[:, ::-1].copy(), cv2.GaussianBlur(portrait, (0, 0), 2)])
    crops = np.concatenate([base] * 6)[:17]
    together = engine.embed(crops)
    assert together.shape == (17, 128)
    np.testing.assert_allclose(together[:3], together[3:6], atol=1e-6)
    for index in (0, 1, 16):
        np.testing.assert_allclose(engine.embed(crops[index : index + 1])[0], together[index], atol=1e-6)
    assert engine.embed(crops[:0]).shape == (0, 128)


def test_the_same_face_is_near_another_is_far(engine, portrait):
    smaller = cv2.resize(portrait, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    one, again = engine.embed(chips(engine, [portrait, smaller]))
    assert np.linalg.norm(one - again) < 0.4
    noise = engine.embed(np.random.default_rng(0).integers(0, 256, (1, 150, 150, 3), np.uint8))[0]
    assert np.linalg.norm(one - noise) > 0.6


@pytest.mark.parametrize("scale", [0.7, 1.0, 2.6])
def test_chips_are_cut_as_dlib_cuts_them(engine, located, portrait, scale):
    import dlib

    image = cv2.resize(
        portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    predictor = dlib.shape_predictor(str(located.detector))
    shape = predictor(rgb, dlib.get_frontal_face_detector()(rgb, 0)[0])
    theirs = cv2.cvtColor(dlib.get_face_chip(rgb, shape), cv2.COLOR_RGB2BGR)
    points = np.array([[(part.x, part.y) for part in shape.parts()]], np.float32)
    pair = engine.embed(np.stack([cut(image, points, "dlib150")[0], theirs]))
    assert np.linalg.norm(pair[0] - pair[1]) < 0.06


def test_it_runs_on_the_cpu_only(located):
    with pytest.raises(ProviderUnavailable, match="CPU only"):
        open_engine(located, provider="cuda")


def test_wrong_and_swapped_files_are_corrupt(located, tmp_path):
    junk = tmp_path / "junk.dat"
    junk.write_bytes(b"junk")
    with pytest.raises(ModelCorrupt, match="sha256"):
        open_engine(LocatedPack(located.pack, junk, located.recogniser))
    with pytest.raises(ModelMissing):
        open_engine(LocatedPack(located.pack, tmp_path / "gone.dat", located.recogniser))
    blessed = msgspec.structs.replace(
        located.pack,
        detector=msgspec.structs.replace(located.pack.detector, sha256=hashlib.sha256(b"junk").hexdigest()),
    )
    with pytest.raises(ModelCorrupt, match="no dlib model"):
        open_engine(LocatedPack(blessed, junk, located.recogniser))


def test_a_predictor_of_68_points_is_corrupt(located):
    other = located.detector.with_name("shape_predictor_68_face_landmarks.dat")
    pack = msgspec.structs.replace(
        located.pack,
        detector=msgspec.structs.replace(
            located.pack.detector, sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"
        ),
    )
    with pytest.raises(ModelCorrupt, match="68 points"):
        open_engine(LocatedPack(pack, other, located.recogniser))
