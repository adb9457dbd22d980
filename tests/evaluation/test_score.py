"""The scorer: found, duplicate, false; rates and percentiles that are null where there is nothing to count."""

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st

from lfr.evaluation.clip_run import ClipAlert, ClipRun
from lfr.evaluation.score import Claim, judge, percentile, rate, score_clip
from lfr.evaluation.truth import Entry, Track, Truth

TRUTH = Truth(
    frames=200,
    fps=25.0,
    watchlist=(Entry("a", ("a.jpg",)), Entry("b", ("b.jpg",)), Entry("c", ("c.jpg",))),
    tracks=(
        Track(0, "a", True, 10, 50),
        Track(1, "b", True, 0, 199),
        Track(2, "x", False, 0, 100),
        Track(3, "y", False, 20, 120),
    ),
)
EMPTY = Truth(frames=100, fps=25.0, watchlist=(), tracks=())
RUN = ClipRun("file", 0.4, 4.0, 200, 100, 0, 300, 80, 5, 3, 0, nonmatch_age_p95_ms=640.24, nonmatch_age_max_ms=900.0)


def alert(identity, frame, latency=100.0):
    return ClipAlert(identity, frame, 0.61234, 0.4, 0.3, latency, latency + 500)


def claims(*pairs):
    return [Claim(identity, frame, 0.5) for identity, frame in pairs]


def test_found_needs_the_right_identity_within_its_track():
    assert judge(TRUTH, claims(("a", 10), ("b", 0))).found == 2
    assert judge(TRUTH, claims(("a", 50))).found == 1
    late = judge(TRUTH, claims(("a", 51)))
    assert (late.found, late.false_alerts) == (0, 1)


def test_an_entry_that_never_appears_is_a_false_alert_wherever_it_is():
    assert judge(TRUTH, claims(("c", 30))).false_alerts == 1


def test_a_second_alert_for_a_found_track_is_a_duplicate_not_false():
    verdict = judge(TRUTH, claims(("a", 12), ("a", 40), ("a", 60)))
    assert (verdict.found, verdict.duplicate_alerts, verdict.false_alerts) == (1, 1, 1)


def test_two_tracks_of_one_identity_are_found_one_by_one():
    truth = Truth(100, 25.0, (Entry("a", ("a.jpg",)),), (Track(0, "a", True, 0, 60), Track(1, "a", True, 40, 99)))
    assert judge(truth, claims(("a", 50), ("a", 55))).found == 2
    assert judge(truth, claims(("a", 10), ("a", 20))).duplicate_alerts == 1


@given(
    st.lists(
        st.builds(Claim, st.sampled_from("abcxyz"), st.integers(0, 199), st.floats(0, 1)),
        max_size=30,
    )
)
def test_every_alert_is_counted_once_and_order_does_not_matter(made):
    verdict = judge(TRUTH, made)
    assert verdict.found + verdict.duplicate_alerts + verdict.false_alerts == len(made)
    assert verdict.found <= len(TRUTH.listed)
    assert judge(TRUTH, reversed(made)) == verdict


def test_rates_are_null_without_a_denominator():
    assert rate(0, 0) is None
    assert rate(1, 4) == 0.25


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_a_sample_that_happened_with_enough_below_it(samples, share):
    value = percentile(samples, share)
    assert value in samples
    assert sum(sample <= value for sample in samples) >= share * len(samples) - 1e-6
    assert percentile(samples, 1.0) == max(samples)


def test_percentiles_are_null_without_samples():
    assert percentile([], 0.95) is None


def test_the_json_has_every_figure():
    run = dataclasses.replace(RUN, alerts=(alert("a", 40, 300.0), alert("a", 20, 200.0), alert("c", 30)))
    said = score_clip(TRUTH, run)
    assert json.loads(json.dumps(said)) == said
    assert said["fps"] == 50.0
    assert (said["found"], said["tpir"]) == (1, 0.5)
    assert (said["duplicate_alerts"], said["false_alerts"], said["fpir"]) == (1, 1, 0.5)
    assert (said["truth_tracks"], said["watchlist_tracks"]) == (4, 2)
    assert (said["enrolled"], said["enrol_failed"]) == (3, 0)
    assert said["latency_ms"] == {"p50": 200.0, "p95": 300.0, "p99": 300.0}
    assert said["first_shot_to_alert_ms"] == {"p50": 700.0, "p95": 800.0}
    assert said["nonmatch_age_ms"] == {"p95": 640.2, "max": 900.0}
    assert said["pace"] == "file"
    assert [a["frame"] for a in said["alerts"]] == [20, 30, 40]
    assert said["alerts"][0] == {"identity": "a", "frame": 20, "score": 0.6123, "threshold": 0.4, "gap": 0.3}
    for name in ("frames", "frames_processed", "frames_dropped", "seconds", "detections", "embeddings", "transits"):
        assert said[name] == getattr(run, name)


def test_an_empty_clip_gives_nulls_not_errors():
    run = dataclasses.replace(RUN, nonmatch_age_p95_ms=None, nonmatch_age_max_ms=None)
    said = score_clip(EMPTY, run)
    assert said["tpir"] is None
    assert said["fpir"] is None
    assert set(said["latency_ms"].values()) == {None}
    assert set(said["first_shot_to_alert_ms"].values()) == {None}
    assert set(said["nonmatch_age_ms"].values()) == {None}
    assert said["alerts"] == []
    assert score_clip(EMPTY, dataclasses.replace(run, seconds=0.0))["fps"] is None
