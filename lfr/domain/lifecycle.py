"""The life of a deployment as a state machine: which event leads from which state to which, and nothing else does.

draft -> submitted -> authorised -> ready -> live <-> paused -> ended -> closed, besides refused, stopped and suspended.
Pause heals by itself; stop needs the Authorising Officer's signed decision; end is for ever.
"""

from __future__ import annotations

from typing import Literal, get_args

from lfr.domain.errors import Conflict

State = Literal[
    "draft",
    "submitted",
    "refused",
    "authorised",
    "ready",
    "live",
    "paused",
    "stopped",
    "suspended",
    "ended",
    "closed",
]

Event = Literal[
    "change",  # the plan is edited
    "submit",
    "refuse",
    "withdraw",  # taken back by its author
    "authorise",  # signed; also the urgent authority of an inspector (A4)
    "make-ready",  # list approved, every gate open
    "unready",  # a gate closed again before the start
    "go-live",
    "pause",  # envelope, capacity, log writer, camera, crash
    "resume",
    "stop",  # any role, or a guard
    "restart",  # the Authorising Officer's signed decision
    "suspend",  # oversight (H3)
    "reinstate",
    "end",  # window over, cancelled, urgent authority lapsed
    "close",  # everything shredded that is not held
]

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)

_OPEN: tuple[State, ...] = ("authorised", "ready", "live", "paused", "stopped", "suspended")

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("draft", "change"): "draft",
    ("draft", "submit"): "submitted",
    ("submitted", "withdraw"): "draft",
    ("submitted", "refuse"): "refused",
    ("refused", "change"): "draft",
    ("submitted", "authorise"): "authorised",
    ("authorised", "make-ready"): "ready",
    ("ready", "unready"): "authorised",
    ("ready", "go-live"): "live",
    ("live", "pause"): "paused",
    ("paused", "resume"): "live",
    ("live", "stop"): "stopped",
    ("paused", "stop"): "stopped",
    ("stopped", "restart"): "ready",
    **{(state, "suspend"): "suspended" for state in _OPEN if state != "suspended"},
    ("suspended", "reinstate"): "stopped",
    **{(state, "end"): "ended" for state in (*_OPEN, "draft", "submitted", "refused")},
    ("ended", "close"): "closed",
}
"""All there is. A reinstated deployment comes back as stopped: starting again is the Authorising Officer's."""

WINDOW_OVER, URGENT_LAPSED = "window-over", "urgent-lapsed"
"""Why the system itself ends a deployment (A3, A4). What lapsed is closed at once, whatever the policy's periods."""

PAUSED_BY_PERSON = "operator"
"""Why it waits when a person asked for it: a person ends that pause, it does not heal by itself."""

RECOGNISING: frozenset[State] = frozenset({"live"})
"""The only state in which a template may be computed (A1)."""


def after(state: State, event: Event) -> State:
    """Where an event leads. Raises Conflict when the state does not allow it."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        allowed = sorted(name for at, name in TRANSITIONS if at == state)
        raise Conflict(
            f"a deployment that is {state} cannot {event}",
            hint=f"possible now: {', '.join(allowed)}" if allowed else "nothing leads on from here",
        ) from None
