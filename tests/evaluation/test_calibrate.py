import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import SourceError
from lfr.evaluation.calibrate import Tail, fit_tail, identities, measure
from lfr.matching.threshold import derive
from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.walkers import portrait


def test_the_curve_gives_back_a_known_tail():
    # Exponential scores: each decade is ln(10) / 20 higher.
    drawn = np.random.default_rng(0).exponential(1 / 20, (1000, 1000)).astype(np.float32)
    found = fit_tail(Tail(drawn, 1000, 0), "test", 0.02)
    for decade, score in found.fmr:
        assert score == pytest.approx(-decade * np.log(10) / 20, rel=0.08)
    assert found.measured_to == -4.5
    assert found.comparisons == 1_000_000


def test_a_few_people_under_two_names_do_not_stretch_the_tail():
    drawn = np.random.default_rng(0).exponential(1 / 20, (1000, 1000)).astype(np.float32)
    clean = fit_tail(Tail(drawn, 1000, 0), "test", 0.02)
    drawn[0, :4] = 5.0
    doubled = fit_tail(Tail(drawn, 1000, 0), "test", 0.02)
    assert doubled.fmr[-1][1] == pytest.approx(clean.fmr[-1][1], rel=0.1)


@given(st.integers(0, 50))
def test_scores_rise_as_rates_fall(seed):
    drawn = np.random.default_rng(seed).normal(0, 0.08, (120, 100)).astype(np.float32)
    found = fit_tail(Tail(drawn, 120, 0), "test", 0.02)
    scores = [score for _, score in found.fmr]
    assert scores == sorted(scores)
    assert derive(found, 100, 0.02).value <= derive(found, 1000, 0.02).value


def test_too_few_comparisons_are_refused():
    with pytest.raises(SourceError, match="too little"):
        fit_tail(Tail(np.zeros((10, 10), np.float32), 10, 0), "test", 0.02)


def people(folder, names):
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.png").write_bytes(portrait(number))
    return folder


def test_people_of_a_scored_clip_are_left_out(tmp_path):
    people(tmp_path, ["a", "b", "c"])
    assert [path.parent.name for path in identities(tmp_path, {"b"})] == ["a", "c"]
    with pytest.raises(SourceError, match="no folders of pictures"):
        identities(tmp_path, {"a", "b", "c"})


def test_everybody_who_walks_is_compared_with_everybody_listed(tmp_path):
    found = identities(people(tmp_path, list("abcdefgh")), set())
    tail = measure(DoubleEngine(double_pack()), double_pack(), found[:3], found[3:], 1, lambda *_: None)
    assert tail.scores.shape == (3, 5)
    assert tail.missed == 0
    assert tail.scores.max() < 0.6


def test_a_file_that_is_no_picture_is_named(tmp_path):
    folder = people(tmp_path, ["a", "b"])
    (folder / "b" / "a.png").write_bytes(b"no")
    assert cv2.haveImageReader(str(folder / "a" / "a.png"))
    with pytest.raises(SourceError, match=r"a\.png is no picture"):
        measure(DoubleEngine(double_pack()), double_pack(), [], identities(folder, set()), 1, lambda *_: None)
