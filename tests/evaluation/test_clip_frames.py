"""Reading a clip for the baseline and the bound."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import SourceError
from lfr.evaluation.clip_frames import Ticker, fastest, frames, spread
from tests.support.clips import number_of, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "numbered.mp4", 30)


def test_every_frame_in_order(clip):
    assert [(index, number_of(image)) for index, image in frames(clip)] == [(i, i) for i in range(30)]


def test_a_frame_that_is_not_wanted_is_passed_over_but_counted(clip):
    seen = list(frames(clip, wanted=lambda index: index % 3 == 0))
    assert [index for index, _ in seen] == list(range(30))
    assert [number_of(image) for _, image in seen if image is not None] == list(range(0, 30, 3))


def test_it_stops_at_the_limit(clip):
    assert len(list(frames(clip, limit=7))) == 7


def test_no_clip_is_a_clear_error(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"not a clip at all" * 100)
    for name in ("none.mp4", "broken.mp4"):
        with pytest.raises(SourceError, match=name):
            list(frames(tmp_path / name))


@given(st.integers(0, 300), st.integers(1, 300))
def test_frames_are_spread_evenly_and_as_many_as_asked(count, total):
    taken = [index for index in range(total) if spread(count, total)(index)]
    assert len(taken) == min(count, total)
    gaps = {b - a for a, b in pairwise(taken)}
    assert len(gaps) <= 2
    assert not taken or taken[0] == 0


def test_the_fastest_is_taken_and_a_single_one_is_not_timed():
    assert fastest([1, 2, 4], {1: 3.0, 2: 1.0, 4: 2.0}.__getitem__) == 2
    assert fastest([1], {}.__getitem__) == 1


def test_progress_is_told_now_and_then(capsys):
    often, seldom = Ticker("often", every_s=0.0), Ticker("seldom", every_s=1e6)
    often.tell(3)
    seldom.tell(3)
    assert capsys.readouterr().err == "often: frame 3\n"
