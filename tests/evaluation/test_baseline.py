"""The loop a user would write, over a real clip of the simulated street, with real models."""

import cv2
import numpy as np
import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation import baseline
from lfr.evaluation.baseline import run_baseline
from lfr.evaluation.curve import records_curve
from lfr.evaluation.loops import open_loop
from lfr.evaluation.truth import load_truth
from lfr.vision.packs import default_roots, load_pack, locate
from lfr.vision.source.street import Street
from tests.support.street_clip import make_street_clip


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return make_street_clip(tmp_path_factory.mktemp("street"))


def located(name):
    return locate(load_pack(name), default_roots())


@pytest.mark.assets
@pytest.mark.parametrize(("pack", "name"), [("research", "FaceAnalysis"), ("permissive", "FaceDetectorYN")])
def test_the_volunteer_is_found_and_nobody_else(street, pack, name, monkeypatch):
    monkeypatch.setattr(baseline, "fastest", lambda candidates, _: candidates[0])
    truth = load_truth(street.truth)
    run = run_baseline(street.clip, truth.enrolment(street.faces), located(pack))
    assert (run.name, run.frames, run.enrolled) == (name, truth.frames, 1)
    assert run.faces > truth.frames
    (point,) = records_curve(truth, run.records, [0.5])
    assert (point.found, point.false_alerts) == (1, 0)
    for beaten in run.records.values():
        assert beaten == sorted(beaten)
        assert [score for _, score in beaten] == sorted({score for _, score in beaten})


def test_dlib_has_its_own_loop():
    frame = Street(seconds=24, seed=1, fps=12.5, loop=False).render(85)
    loop = open_loop(located("embedded"), 1)
    faces = loop.faces(frame)
    loop.close()
    assert loop.name == "dlib"
    assert faces
    assert all(face.template.shape == (128,) and face.area > 60 * 60 for face in faces)


@pytest.mark.assets
def test_a_picture_without_a_face_gives_none():
    loop = open_loop(located("permissive"), 1)
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.rectangle(picture, (100, 100), (200, 200), (255, 255, 255), -1)
    assert loop.faces(picture) == []
    loop.close()


def test_a_broken_clip_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(baseline, "fastest", lambda candidates, _: candidates[0])
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 50)
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        run_baseline(tmp_path / "broken.mp4", [], located("embedded"))
