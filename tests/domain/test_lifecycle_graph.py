"""The life of a deployment as a graph: what leads where, and what can never lead to recognition."""

from __future__ import annotations

from itertools import product

import pytest

from lfr.domain.errors import Conflict
from lfr.domain.lifecycle import EVENTS, RECOGNISING, STATES, TRANSITIONS, after


@pytest.mark.parametrize(("state", "event"), list(product(STATES, EVENTS)))
def test_what_is_not_in_the_table_is_refused_and_says_what_is_possible(state, event) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) in STATES
        return
    with pytest.raises(Conflict) as refused:
        after(state, event)
    possible = {name for at, name in TRANSITIONS if at == state}
    assert all(name in refused.value.hint for name in possible)


def test_every_state_can_be_reached_from_a_draft() -> None:
    reached = {"draft"}
    while more := {after for (at, _), after in TRANSITIONS.items() if at in reached} - reached:
        reached |= more
    assert reached == set(STATES)


def test_every_state_leads_to_closed() -> None:
    leads = {"closed"}
    while more := {at for (at, _), after in TRANSITIONS.items() if after in leads} - leads:
        leads |= more
    assert leads == set(STATES)


@pytest.mark.rule("A1")
def test_nothing_goes_live_but_what_is_ready_or_paused() -> None:
    assert {at for (at, _), after in TRANSITIONS.items() if after in RECOGNISING} == {"ready", "paused"}
    assert {at for (at, _), after in TRANSITIONS.items() if after == "ready"} == {"authorised", "stopped"}
    assert {at for (at, _), after in TRANSITIONS.items() if after == "paused"} == {"live"}
    assert {(at, event) for (at, event), after in TRANSITIONS.items() if after == "authorised"} == {
        ("submitted", "authorise"),
        ("ready", "unready"),
    }


@pytest.mark.rule("A13")
def test_a_stop_is_left_only_by_a_restart_a_suspension_or_the_end() -> None:
    assert {event for at, event in TRANSITIONS if at == "stopped"} == {"restart", "suspend", "end"}
    assert {at for at, event in TRANSITIONS if event == "stop"} == {"live", "paused"}


@pytest.mark.rule("A3")
def test_the_end_is_for_ever() -> None:
    assert {event for at, event in TRANSITIONS if at == "ended"} == {"close"}
    assert not {event for at, event in TRANSITIONS if at == "closed"}


def test_whatever_holds_people_can_be_suspended_and_comes_back_stopped() -> None:
    held = {"authorised", "ready", "live", "paused", "stopped"}
    assert {at for at, event in TRANSITIONS if event == "suspend"} == held
    assert TRANSITIONS["suspended", "reinstate"] == "stopped"
