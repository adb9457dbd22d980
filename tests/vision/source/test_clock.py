"""Presentation times against arrival times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.vision.source.clock import StreamClock, presented


def test_a_files_time_stamps_count_where_they_advance() -> None:
    assert presented(0.5, None, 25) == 0.5
    assert presented(None, None, 25) == 0.0
    assert presented(0.08, 0.04, 25) == 0.08
    assert presented(0.0, 0.04, 10) == pytest.approx(0.14)
    assert presented(None, 1.0, 0.0) == pytest.approx(1.04)


def test_a_stream_is_timed_by_its_stamps_not_by_their_arrival() -> None:
    clock = StreamClock()
    assert [clock.tick(pts, came) for pts, came in ((7.0, 100.0), (7.04, 100.09), (7.08, 100.1))] == pytest.approx(
        [0.0, 0.04, 0.08]
    )
    assert clock.offset == pytest.approx(0.02)
    assert 0 < clock.jitter < 0.05


def test_a_reconnect_goes_on_by_the_wall() -> None:
    clock = StreamClock()
    clock.tick(50.0, 100.0)
    clock.lost()
    assert clock.tick(0.0, 130.0) == pytest.approx(30.0)
    assert clock.tick(0.04, 130.05) == pytest.approx(30.04)
    assert clock.offset == pytest.approx(0.01)


@pytest.mark.parametrize("odd", [0.0, 3.0, 9000.0])
def test_a_stamp_that_stands_still_or_leaps_anchors_anew(odd: float) -> None:
    clock = StreamClock()
    clock.tick(10.0, 100.0)
    clock.tick(10.04, 100.04)
    assert clock.tick(odd, 100.08) == pytest.approx(0.08)
    assert clock.tick(odd + 0.04, 100.13) == pytest.approx(0.12)


def test_without_stamps_the_arrival_counts() -> None:
    clock = StreamClock()
    assert [clock.tick(None, came) for came in (5.0, 5.5)] == pytest.approx([0.0, 0.5])


@given(
    st.lists(
        st.tuples(st.none() | st.floats(0, 1e6, allow_nan=False), st.floats(0, 10, allow_nan=False), st.booleans()),
        max_size=60,
    )
)
def test_media_time_always_grows(ticks: list[tuple[float | None, float, bool]]) -> None:
    clock, now, last = StreamClock(), 1000.0, -1.0
    for pts, passed, lost in ticks:
        now += passed
        if lost:
            clock.lost()
        media = clock.tick(pts, now)
        assert media > last
        assert clock.offset >= 0
        last = media
