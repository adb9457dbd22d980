"""Pairs: LFW's form is read, a missing face is told different, the threshold never saw the pair it judges."""

import numpy as np
import pytest

from lfr.domain.errors import ConfigError
from lfr.evaluation.verification import Pairs, best_threshold, read_pairs, verify
from tests.support.faces import made_up


@pytest.fixture
def people():
    return made_up([3, 2, 2], noise=0)[0]  # pictures p0000/1.png and so on


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "pairs.txt").write_text(text)
        return tmp_path / "pairs.txt"

    return write


@pytest.mark.parametrize("header", ["", "10\t300\n", "2\n"])
def test_both_kinds_of_lines_are_read(table, people, header):
    found = read_pairs(table(header + "p0000\t1\t3\np0001\t2\tp0002\t1\n\n"), people)
    assert (found.first.tolist(), found.second.tolist(), found.same.tolist()) == ([0, 4], [2, 5], [True, False])


def test_a_picture_is_found_by_the_number_in_its_name(table, tmp_path):
    from lfr.evaluation.labelled_set import read_set

    for name in ("ann_b/ann_b_0002.jpg", "ann_b/ann_b_0004.jpg", "dee/x.jpg", "dee/y.jpg", "cem/cem_0001.jpg"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"")
    people = read_set(tmp_path / "set")
    found = read_pairs(table("ann_b\t2\t4\nann_b\t4\tcem\t1\ndee\t1\t2\n"), people)
    assert (found.first.tolist(), found.second.tolist()) == ([0, 1, 3], [1, 2, 4])
    with pytest.raises(ConfigError, match="line 1: a picture that is not in the set"):
        read_pairs(table("ann_b\t1\t4\nann_b\t4\tcem\t1\n"), people)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p0000\t1\n", "line 1: 2 fields"),
        ("p0000\t1\tp0001\t1\np0000\t1\t9\n", "line 2: a picture that is not"),
        ("p0000\t1\tnobody\t1\n", "line 1"),
        ("p0000\t1\t2\n", "same and of different"),
        ("", "same and of different"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(table, people, text, words):
    with pytest.raises(ConfigError, match=words):
        read_pairs(table(text), people)


def random_pairs(noise, count=400):
    _, templates = made_up([2] * 100, noise=noise, seed=2)
    rng = np.random.default_rng(1)
    person = rng.integers(0, 100, count)
    same = rng.random(count) < 0.5
    other = np.where(same, person, (person + rng.integers(1, 100, count)) % 100)
    return Pairs(2 * person, 2 * other + 1, same), templates


def test_pairs_that_lie_far_apart_are_all_told():
    pairs, templates = random_pairs(0.1)
    found = verify(pairs, templates, np.ones(200, bool), "cosine", seed=1)
    assert (found.accuracy, found.detected_only, found.undetected) == (1.0, 1.0, 0)
    assert found.interval.low < 1.0


def test_an_undetected_face_is_told_different():
    pairs, templates = random_pairs(0.1)
    seen = np.ones(200, bool)
    seen[:20] = False
    found = verify(pairs, templates, seen, "cosine", seed=1)
    without = ~(seen[pairs.first] & seen[pairs.second])
    assert found.undetected == without.sum() > 0
    assert found.accuracy == pytest.approx(1 - (without & pairs.same).mean())
    assert found.detected_only == 1.0


def test_scores_that_say_nothing_give_a_half():
    pairs, templates = random_pairs(0.1)
    templates = np.random.default_rng(0).normal(size=templates.shape).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    found = verify(pairs, templates, np.ones(200, bool), "cosine", seed=1)
    assert 0.4 < found.accuracy < 0.6


def test_the_threshold_lies_where_two_bells_cross():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0, 0.1, 5000), rng.normal(0.6, 0.1, 5000), [-np.inf]])
    same = np.arange(10_001) >= 5000
    assert best_threshold(scores, same) == pytest.approx(0.3, abs=0.02)
