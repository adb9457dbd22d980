"""Made transits of a set: walkers are scored fused and alone, missed ones are misses, engines change nothing."""

import numpy as np
import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.embed_set import embed_set
from lfr.evaluation.labelled_set import read_set
from lfr.evaluation.made_transits import pass_by
from lfr.evaluation.openset import Material
from lfr.evaluation.set_transits import walk_set
from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.faces import painted_set

PACK = double_pack()


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    people = {f"p{n:02d}": [n, n] for n in range(8)} | {"last": [8, None], "none": [9]}
    found = read_set(painted_set(tmp_path_factory.mktemp("set"), people))
    embedded = embed_set([DoubleEngine(PACK)], PACK, found.pictures, lambda *_: None)
    return Material(found, embedded.templates, embedded.seen, "cosine")


def test_listed_walkers_are_found_and_strangers_are_not(material):
    told = []
    walked = walk_set(
        [DoubleEngine(PACK)], PACK, material, entries=4, strangers=4, seed=3, progress=lambda *said: told.append(said)
    )
    assert (walked.listed_walkers, walked.strangers) == (4, 4)
    fused = walked.variant.better.points[0]
    assert fused.mated == 4
    assert fused.found >= 3
    assert fused.errors == 0
    assert told[-1] == (8, 8)


def test_the_number_of_engines_changes_nothing(material, monkeypatch):
    monkeypatch.setattr("lfr.evaluation.made_transits._BLOCK", 5)
    pictures = [material.people.pictures[rows[0]] for rows in material.people.rows]
    listed = material.templates[[0, 2, 4]]
    one, two = (
        pass_by([DoubleEngine(PACK) for _ in range(count)], PACK, pictures, listed, 5, lambda *_: None)
        for count in (1, 2)
    )
    np.testing.assert_array_equal(one.walkers, two.walkers)
    np.testing.assert_array_equal(one.fused, two.fused)
    np.testing.assert_array_equal(one.single, two.single)
    assert one.missed + len(one.walkers) == 10
    assert one.fused.shape == (len(one.walkers), 3)


def test_whoever_is_not_seen_is_counted_as_missed(material, tmp_path):
    nobody = painted_set(tmp_path, {"x": [None]}) / "x" / "1.png"
    found = pass_by([DoubleEngine(PACK)], PACK, [nobody], material.templates[:1], 1, lambda *_: None)
    assert (found.missed, found.fused.shape) == (1, (0, 1))
    with pytest.raises(SourceError, match="no picture"):
        pass_by([DoubleEngine(PACK)], PACK, [tmp_path / "gone.png"], material.templates[:1], 1, lambda *_: None)
