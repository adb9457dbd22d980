"""Ours beside the loop and the bound."""

import json

from lfr.evaluation.baseline import BaselineRun
from lfr.evaluation.bound import BoundRun
from lfr.evaluation.comparison import compare, default_threshold
from lfr.evaluation.truth import Entry, Track, Truth

TRUTH = Truth(
    frames=100,
    fps=25.0,
    watchlist=(Entry("a", ("a.jpg",)), Entry("b", ("b.jpg",)), Entry("c", ("c.jpg",))),
    tracks=(Track(0, "a", True, 10, 50), Track(1, "b", True, 0, 99), Track(2, "x", False, 0, 50)),
)
EMPTY = Truth(frames=100, fps=25.0, watchlist=(), tracks=())
OURS = {
    "fps": 50.0,
    "found": 2,
    "tpir": 1.0,
    "false_alerts": 0,
    "threshold": 0.41,
    "pace": "file",
    "frames": 100,
    "frames_processed": 50,
    "embeddings": 40,
    "enrolled": 3,
    "curve": [[0.41, 2, 0]],
}
LOOP = BaselineRun("FaceAnalysis", 1, 100, 10.0, 300, 3, {"a": [(5, 0.2), (12, 0.45)], "c": [(9, 0.38)]})
BOUND = BoundRun(2, 100, 1.0, 50, 40)
DETECTOR = BoundRun(2, 100, 2.0, 100, 0)


def test_every_ratio_and_count():
    said = compare(TRUTH, OURS, LOOP, 0.35, BOUND, DETECTOR)
    assert json.loads(json.dumps(said)) == said
    assert (said["fps"], said["baseline_fps"], said["speedup"]) == (50.0, 10.0, 5.0)
    assert (said["bound_fps"], said["bound_share"], said["detector_bound_fps"]) == (100.0, 0.5, 50.0)
    assert said["baseline"] == "FaceAnalysis"
    assert (said["found"], said["tpir"], said["false_alerts"]) == (2, 1.0, 0)
    assert (said["baseline_found"], said["baseline_tpir"], said["baseline_false_alerts"]) == (1, 0.5, 1)


def test_the_loops_threshold_decides_its_alerts_alone():
    strict = compare(TRUTH, OURS, LOOP, 0.40, BOUND, DETECTOR)
    assert (strict["baseline_found"], strict["baseline_false_alerts"]) == (1, 0)
    assert strict["threshold"] == 0.41
    assert strict["baseline_curve"][0] == [0.4, 1, 0]
    assert strict["baseline_curve"][-1] == [0.44, 1, 0]


def test_nulls_where_there_is_nothing_to_count():
    nobody = BaselineRun("FaceAnalysis", 1, 100, 10.0, 0, 0, {})
    said = compare(EMPTY, OURS | {"fps": None, "tpir": None}, nobody, 0.35, BOUND, DETECTOR)
    assert said["baseline_tpir"] is None
    assert said["speedup"] is None
    assert said["bound_share"] is None
    assert said["baseline_curve"] == [[0.35, 0, 0]]


def test_dlib_has_a_threshold_of_its_own():
    assert default_threshold("onnx") == 0.35
    assert default_threshold("dlib") == 0.5
