"""Curves of found against false alerts."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from lfr.evaluation.clip_run import ClipAlert, ClipPeak, ClipRun
from lfr.evaluation.curve import Point, records_curve, run_curve, thresholds_from
from lfr.evaluation.truth import Entry, Track, Truth

TRUTH = Truth(
    frames=200,
    fps=25.0,
    watchlist=(Entry("a", ("a.jpg",)), Entry("b", ("b.jpg",)), Entry("c", ("c.jpg",))),
    tracks=(Track(0, "a", True, 10, 50), Track(1, "b", True, 0, 199), Track(2, "x", False, 0, 100)),
)
RUN = ClipRun("file", 0.4, 4.0, 200, 100, 0, 300, 80, 5, 3, 0)


def alert(identity, frame):
    return ClipAlert(identity, frame, 0.6, 0.4, 0.3, 100.0, 600.0)


def test_thresholds_are_the_lowest_then_round_steps():
    assert thresholds_from(0.353, 0.42) == [0.353, 0.36, 0.38, 0.4, 0.42]
    assert thresholds_from(0.36, 0.4) == [0.36, 0.38, 0.4]
    assert thresholds_from(0.4, 0.4) == [0.4]


def test_our_curve_starts_with_what_was_raised_and_falls():
    run = dataclasses.replace(
        RUN,
        alerts=(alert("a", 20), alert("c", 30)),
        peaks=(ClipPeak("a", 40, 0.55), ClipPeak("c", 31, 0.43), ClipPeak("b", 9, 0.41)),
    )
    points = run_curve(TRUTH, run)
    assert points[0] == Point(0.4, 1, 1)
    assert points[1] == Point(0.42, 1, 1)
    assert points[2] == Point(0.44, 1, 0)
    assert points[-1].threshold == 0.54


def test_a_run_without_alerts_has_one_point():
    assert run_curve(TRUTH, RUN) == (Point(0.4, 0, 0),)


def test_the_loop_raises_each_identity_once_at_its_first_face_above_the_threshold():
    records = {"a": [(5, 0.30), (12, 0.45), (60, 0.70)], "c": [(9, 0.38)]}
    at = {
        point.threshold: (point.found, point.false_alerts) for point in records_curve(TRUTH, records, [0.2, 0.35, 0.5])
    }
    assert at == {0.2: (0, 2), 0.35: (1, 1), 0.5: (0, 1)}  # too low a threshold alerts before the track begins


@given(st.lists(st.builds(ClipPeak, st.sampled_from("abc"), st.integers(0, 199), st.floats(0.4, 1)), max_size=12))
def test_alerts_only_become_fewer_as_the_threshold_rises(peaks):
    points = run_curve(TRUTH, dataclasses.replace(RUN, peaks=tuple(peaks)))[1:]
    found = [point.found for point in points]
    false = [point.false_alerts for point in points]
    assert found == sorted(found, reverse=True)
    assert false == sorted(false, reverse=True)
