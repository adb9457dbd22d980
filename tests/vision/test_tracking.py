import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.vision.tracking import Tracker, TrackingRules


def box(x, y, side=60):
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def feed(tracker, frames, step=0.08, start=0.0):
    """Each frame a list of boxes; returns the numbers given."""
    out = []
    for i, boxes in enumerate(frames):
        array = np.array(boxes, np.float32).reshape(-1, 4)
        out.append(tracker.update(array, np.full(len(array), 0.9, np.float32), start + i * step).tolist())
    return out


def test_a_walker_keeps_one_number_and_counts_from_the_third_sighting():
    numbers = feed(Tracker(), [[box(100 + 12 * i, 200)] for i in range(20)])
    assert numbers[:2] == [[-1], [-1]]
    assert numbers[2:] == [[1]] * 18


def test_two_people_who_cross_keep_their_numbers():
    frames = [[box(100 + 14 * i, 200), box(500 - 14 * i, 215)] for i in range(30)]
    numbers = feed(Tracker(), frames)
    assert numbers[5] == [1, 2]
    assert numbers[-1] == [1, 2]


def test_a_short_gap_is_bridged_and_a_long_one_is_not():
    rules = TrackingRules(patience=1.0)
    for gap, expected in ((5, [1]), (20, [-2])):
        tracker = Tracker(rules)
        feed(tracker, [[box(100 + 6 * i, 200)] for i in range(10)])
        assert feed(tracker, [[]] * gap, start=0.8) == [[]] * gap
        again = feed(tracker, [[box(100 + 6 * (10 + gap), 200)]], start=0.8 + 0.08 * gap)
        assert again == [expected]


def test_a_weak_detection_continues_a_track_but_starts_none():
    tracker = Tracker()
    feed(tracker, [[box(100, 100)]] * 5)
    boxes = np.array([box(100, 100), box(400, 100)], np.float32)
    numbers = tracker.update(boxes, np.array([0.5, 0.5], np.float32), 0.4)
    assert numbers.tolist() == [1, 0]


@given(
    st.lists(
        st.lists(st.tuples(st.floats(-50, 2000), st.floats(-50, 2000), st.floats(1, 400)), max_size=8), max_size=20
    )
)
@settings(deadline=None, max_examples=60)
def test_no_frame_gives_one_number_twice_and_numbers_are_never_used_again(frames):
    tracker = Tracker()
    retired: set[int] = set()
    before: set[int] = set()
    for i, frame in enumerate(frames):
        array = np.array([box(x, y, s) for x, y, s in frame], np.float32).reshape(-1, 4)
        numbers = [abs(n) for n in tracker.update(array, np.full(len(array), 0.9, np.float32), i * 0.3).tolist()]
        assert len(set(numbers)) == len(numbers)
        assert not set(numbers) & retired
        retired |= before - tracker.live
        before = tracker.live
