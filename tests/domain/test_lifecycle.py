"""Which event leads where, and that nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import Conflict
from lfr.domain.lifecycle import EVENTS, RECOGNISING, STATES, TRANSITIONS, after

OVER = {"ended", "closed"}
STEPS = ("submit", "authorise", "make-ready", "go-live")


def explored(start, progress, on):
    """Every (state, progress) that any sequence of events leads to from one of the `start` states.

    on: progress and event -> progress. Events that a state does not allow change nothing.
    """
    seen, todo = set(), [(state, progress) for state in start]
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        for event in EVENTS:
            try:
                state = after(at[0], event)
            except Conflict:
                continue
            todo.append((state, on(at[1], event, state)))
    return seen


@pytest.mark.rule("A1")
def test_nothing_recognises_before_it_was_submitted_authorised_and_every_gate_was_open():
    def steps(done, event, state):
        if state == "draft":
            return 0  # the plan may be another one now
        if event == "unready":
            return min(done, 2)
        if event == "restart":  # signed by the Authorising Officer, and going live asks every gate anew
            return max(done, 3) if done >= 2 else 0
        return done + 1 if done < len(STEPS) and event == STEPS[done] else done

    reached = explored(["draft"], 0, steps)
    assert {done for state, done in reached if state in RECOGNISING} == {len(STEPS)}


@pytest.mark.rule("A13")
def test_after_a_stop_only_a_restart_leads_on_to_recognition():
    reached = explored(["stopped", "suspended"], False, lambda restarted, event, _: restarted or event == "restart")
    assert {restarted for state, restarted in reached if state in RECOGNISING} == {True}


@pytest.mark.rule("A13")
@pytest.mark.parametrize("state", ["live", "paused"])
def test_what_recognises_or_would_again_can_be_stopped(state):
    assert after(state, "stop") == "stopped"


@pytest.mark.rule("A3")
def test_what_is_over_stays_over():
    reached = {state for state, _ in explored(sorted(OVER), None, lambda *_: None)}
    assert reached == OVER


def test_every_state_can_end_and_what_ended_can_close():
    for state in STATES:
        if state not in OVER:
            assert after(state, "end") == "ended"
    assert after("ended", "close") == "closed"
    assert [event for at, event in TRANSITIONS if at == "closed"] == []


@given(st.sampled_from(STATES), st.sampled_from(EVENTS))
def test_what_is_not_in_the_table_is_refused_and_says_what_is_possible(state, event):
    if (state, event) in TRANSITIONS:
        assert after(state, event) == TRANSITIONS[state, event]
    else:
        with pytest.raises(Conflict, match=f"{state} cannot {event}"):
            after(state, event)
