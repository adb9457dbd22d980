"""What makes recognition pause, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.actors.watchdog import CRASHES, PATIENCE_S, WARY_S, Reading, Watchdog
from lfr.domain.mandate import SKEW_S

ALL = {"inference": 0.0, "matcher": 0.0, "audit-writer": 0.0}


def reading(steady=0.0, *, wall=None, answered=None, seeing=None, **more):
    at = 1_000_000.0 + steady if wall is None else wall
    heard = dict.fromkeys(ALL, steady) | (answered or {})
    return Reading(at, steady, heard, steady if seeing is None else seeing, **more)


def test_all_is_well():
    dog = Watchdog()
    assert [dog.reasons(reading(t)) for t in range(100)] == [()] * 100


@pytest.mark.parametrize(
    ("kind", "reason"), [("inference", "capacity"), ("matcher", "capacity"), ("audit-writer", "log-writer")]
)
def test_a_kind_of_which_nobody_answers_is_a_reason_once_patience_is_over(kind, reason):
    dog = Watchdog()
    assert dog.reasons(reading(PATIENCE_S, answered={kind: 0.0})) == ()
    assert dog.reasons(reading(PATIENCE_S + 0.1, answered={kind: 0.0})) == (reason,)
    assert dog.reasons(reading(PATIENCE_S + 0.2)) == ()


def test_a_writer_behind_its_limit_and_blind_cameras_are_reasons():
    dog = Watchdog()
    assert dog.reasons(reading(50.0, behind_s=PATIENCE_S + 1)) == ("log-writer",)
    assert dog.reasons(reading(50.0, seeing=50.0 - PATIENCE_S - 1)) == ("cameras",)


@pytest.mark.rule("M1")
def test_three_crashes_are_a_reason_two_are_not():
    dog = Watchdog()
    assert dog.reasons(reading(crashes=CRASHES - 1)) == ()
    assert dog.reasons(reading(crashes=CRASHES)) == ("crashes",)


@pytest.mark.rule("A3")
def test_a_clock_set_back_is_a_reason_until_it_has_caught_up():
    dog = Watchdog()
    assert dog.reasons(reading(0.0)) == ()
    assert dog.reasons(reading(1.0, wall=1_000_001.0 - 60)) == ("clock",)
    assert dog.reasons(reading(30.0, wall=1_000_030.0 - 60)) == ("clock",)
    assert dog.reasons(reading(62.0, wall=1_000_062.0 - 60)) == ()


@pytest.mark.rule("M2")
def test_a_clock_set_forward_is_a_reason_for_a_moment():
    dog = Watchdog()
    assert dog.reasons(reading(0.0)) == ()
    assert dog.reasons(reading(1.0, wall=1_000_001.0 + 3)) == ("clock",)
    assert dog.reasons(reading(1.0 + WARY_S, wall=1_000_001.0 + WARY_S + 3)) == ()


@pytest.mark.rule("A3")
@given(st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(-20.0, 20.0)), max_size=30))
def test_whatever_the_wall_clock_does_nothing_goes_on_before_the_latest_time_seen(steps):
    dog, steady, wall, latest = Watchdog(), 0.0, 1_000_000.0, 0.0
    for passed, jump in steps:
        steady, wall = steady + passed, wall + passed + jump
        found = dog.reasons(reading(steady, wall=wall))
        latest = max(latest, wall)
        if wall < latest - SKEW_S:
            assert found == ("clock",)
