import cv2
import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.calibrate import identities, measure
from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.walkers import portrait


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
    tail = measure([DoubleEngine(double_pack())], double_pack(), found[:3], found[3:], 1, lambda *_: None)
    assert tail.scores.shape == (3, 5)
    assert tail.missed == 0
    assert tail.scores.max() < 0.6


def test_a_file_that_is_no_picture_is_named(tmp_path):
    folder = people(tmp_path, ["a", "b"])
    (folder / "b" / "a.png").write_bytes(b"no")
    assert cv2.haveImageReader(str(folder / "a" / "a.png"))
    with pytest.raises(SourceError, match=r"a\.png is no picture"):
        measure([DoubleEngine(double_pack())], double_pack(), [], identities(folder, set()), 1, lambda *_: None)
