"""What the supervisor makes of its workers' counters."""

import pytest

from lfr.actors.supervisor import REFUSALS_S, Refusals


@pytest.mark.rule("A1")
def test_refusals_are_told_once_at_first_then_summed_up():
    books = Refusals()
    books.heard("inference-0", 1, {"none": 3})
    assert books.due(0.0) == [("inference-0", "none", 3)]
    books.heard("inference-0", 1, {"none": 10, "zone": 1})
    assert books.due(1.0) == [("inference-0", "zone", 1)]
    books.heard("inference-0", 1, {"none": 12, "zone": 1})
    assert books.due(REFUSALS_S) == [("inference-0", "none", 9)]
    assert books.due(2 * REFUSALS_S) == []


def test_a_worker_that_came_back_counts_from_nothing():
    books = Refusals()
    books.heard("matcher-van", 1, {"over": 5})
    books.due(0.0)
    books.heard("matcher-van", 2, {"over": 2})
    assert books.due(REFUSALS_S) == [("matcher-van", "over", 2)]
