from itertools import pairwise
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.alerts import Candidate
from lfr.domain.transit import ShotRules, Transit


def walk(rules: ShotRules, weights: list[float], step: float = 0.08) -> list[float]:
    """The times at which a transit with these weights asked for a template."""
    transit = Transit(1, 0.0, 0.0, rules)
    taken = []
    for i, weight in enumerate(weights):
        if transit.wants(weight, i * step):
            transit.took(weight, i * step)
            taken.append(i * step)
    return taken


def test_the_first_good_shots_are_taken_at_once():
    assert len(walk(ShotRules(burst=3, spacing=0.15, refresh=100), [50.0] * 20)) == 3


def test_a_clearly_better_shot_is_taken_and_followed_up():
    rules = ShotRules(burst=2, spacing=0.0, better=1.2, refresh=100, follow=1)
    assert walk(rules, [50, 50, 50, 50, 70, 70, 70], step=1.0) == [0, 1, 4, 5]


def test_somebody_who_stays_is_looked_at_again():
    assert len(walk(ShotRules(burst=1, refresh=0.8, follow=0), [50.0] * 51, step=0.1)) == 7


@given(st.lists(st.floats(1, 300), max_size=60), st.floats(0.01, 0.5))
def test_shots_are_never_closer_than_the_spacing(weights, step):
    taken = walk(ShotRules(), weights, step)
    assert all(b - a >= ShotRules().spacing - 1e-9 for a, b in pairwise(taken))


def test_one_alert_per_transit_and_entry_and_only_when_shots_agree():  # D3
    transit = Transit(1, 0.0, 0.0)
    entry, other = uuid4(), uuid4()
    assert not transit.confirm(Candidate(entry, 0.9, 0.5, shots=1), 2)
    assert transit.confirm(Candidate(entry, 0.9, 0.5, shots=2), 2)
    assert not transit.confirm(Candidate(entry, 0.95, 0.5, shots=5), 2)
    assert transit.confirm(Candidate(other, 0.9, 0.5, shots=2), 2)


def test_an_alert_that_was_not_made_durable_may_be_raised_again():
    transit = Transit(1, 0.0, 0.0)
    candidate = Candidate(uuid4(), 0.9, 0.5, shots=2)
    assert transit.confirm(candidate, 2)
    transit.retract(candidate.entry_id)
    assert transit.confirm(candidate, 2)
