"""Suspects are found and named, and a clean set has none."""

import numpy as np
import pytest

from lfr.evaluation.labelled_set import read_set
from lfr.evaluation.openset import Material
from lfr.evaluation.suspects import chance_level, find_suspects, named, people_of
from tests.support.faces import made_up


@pytest.fixture(autouse=True)
def no_files(monkeypatch, request):
    """Sets made up in memory have no files to compare."""
    if "tmp_path" not in request.fixturenames:
        monkeypatch.setattr("lfr.evaluation.suspects.same_files", lambda _: [])


def test_a_clean_set_has_none():
    people, templates = made_up([3] * 300, noise=0.3, dim=128)
    assert find_suspects(Material(people, templates, np.ones(900, bool), "cosine")) == []


def test_one_person_under_two_names_and_a_wrong_face_are_found():
    people, templates = made_up([3] * 300, noise=0.3, dim=128)
    templates[0] = templates[600]  # a picture of person 200 in the folder of person 0
    rng = np.random.default_rng(0)
    twin = templates[30] + 0.3 * rng.normal(size=128) / 128**0.5
    templates[93] = twin / np.linalg.norm(twin)  # person 10 again, in the folder of person 31
    found = find_suspects(Material(people, templates, np.ones(900, bool), "cosine"))
    alike = {s.pictures for s in found if s.kind == "like somebody else"}
    unlike = {s.pictures for s in found if s.kind == "unlike their own"}
    assert {(0, 600)} <= alike
    assert {people.owner[list(pair)].tolist()[1] for pair in alike} <= {200, 31}
    assert unlike == {(0,), (93,)}
    assert {0, 10, 31, 200} <= set(people_of(people, found).tolist())


def test_equal_files_are_told_by_whose_they_are(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png", "c/1.png", "c/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes({"a/1.png": b"one", "b/1.png": b"one"}.get(name, name[:1].encode()))
    people = read_set(tmp_path)
    found = find_suspects(Material(people, np.zeros((5, 4), np.float32), np.zeros(5, bool), "cosine"))
    assert [(s.kind, s.pictures) for s in found] == [
        ("same file under two names", (0, 2)),
        ("same file twice", (3, 4)),
    ]
    names = named(found, lambda row: people.pictures[row].parent.name)
    assert names[0] == ("same file under two names", "a, b", "")


def test_the_level_of_chance_is_not_moved_by_the_suspects():
    best = np.random.default_rng(0).gumbel(0.28, 0.03, 4000).astype(np.float32)
    clean = chance_level(best)
    best[:20] = 0.9
    assert chance_level(best) == pytest.approx(clean, abs=0.03)
    assert 0.5 < clean < 0.75
