"""Waits between tries."""

from hypothesis import given
from hypothesis import strategies as st

from lfr.vision.source.backoff import Backoff


def test_waits_double_up_to_the_longest_and_begin_again() -> None:
    backoff = Backoff(0.5, 3.0, chance=lambda: 0.0)
    assert [backoff.wait() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.wait() == 0.5


@given(st.floats(0.01, 10), st.floats(0.01, 100), st.floats(0, 1, exclude_max=True), st.integers(1, 200))
def test_every_wait_lies_between_half_the_shortest_and_the_longest(
    low: float, high: float, chance: float, n: int
) -> None:
    backoff = Backoff(low, high, chance=lambda: chance)
    for _ in range(n):
        assert low / 2 <= backoff.wait() <= max(low, high)


def test_two_cameras_do_not_knock_in_step() -> None:
    one, other = Backoff(1.0, 30.0), Backoff(1.0, 30.0)
    assert [one.wait() for _ in range(4)] != [other.wait() for _ in range(4)]
