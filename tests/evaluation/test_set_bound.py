"""Speed of a set: both sides do their work and are told apart."""

import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.labelled_set import read_set
from lfr.evaluation.set_bound import measure_speed, set_engines
from lfr.vision.engine.double import located_double
from tests.support.faces import painted_set


def test_both_sides_are_measured(tmp_path):
    people = read_set(painted_set(tmp_path, {"a": [1, 2], "b": [3]}))
    turns = []
    found = measure_speed(located_double(), people.pictures, lambda *said: turns.append(said))
    assert found.pictures == 3
    assert found.ours > 0 < found.bound
    assert found.share == found.ours / found.bound
    assert turns == [(1, 2), (2, 2)]


def test_without_a_picture_there_is_nothing_to_measure(tmp_path):
    with pytest.raises(SourceError, match="no picture"):
        measure_speed(located_double(), [tmp_path / "gone.png"], lambda *_: None)


def test_one_engine_for_each_core():
    engines = set_engines(located_double())
    assert len(engines) >= 1
    assert len({id(engine) for engine in engines}) == len(engines)
