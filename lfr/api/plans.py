"""Deployments as JSON: what goes in and out, and which steps somebody may take next."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lfr.domain.duties import ACCOUNTS, UNNAMED, Step
from lfr.domain.gates import Gate, Missing, Wanted
from lfr.domain.lifecycle import TRANSITIONS, Event
from lfr.domain.plan import Plan
from lfr.domain.policy import Code
from lfr.services.decisions import Kept
from lfr.services.life import plan_of
from lfr.storage.models import Deployment

Checklist = tuple[tuple[Gate, tuple[Missing, ...]], ...]
Written = Annotated[str, msgspec.Meta(max_length=2000)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]

DECISIONS: dict[str, str] = {
    "lfr.authorisation/1": "Authority given",
    "lfr.refusal/1": "Authority refused",
    "lfr.extension/1": "Window extended",
    "lfr.list-approval/1": "Watchlist approved",
    "lfr.list-amendment/1": "Additions to the watchlist approved",
    "lfr.restart/1": "Restart allowed",
    "lfr.approval/1": "Outside approval",
    "lfr.oversight/1": "Decision of oversight",
}
"""What each kind of signed statement is called."""


class NewDeployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The start of a plan; everything else is filled in later."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    use_case: Code


class StepIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a step is given. version: the one the person has seen, so that nobody decides on what they did not see.

    password: unlocks the signing key for this one decision; or `signed`: the decision as it was signed elsewhere.
    """

    version: int | None = None
    reason: Written = ""
    urgent: bool = False
    ends_at: datetime | None = None
    password: Password | None = None
    signed: Annotated[str, msgspec.Meta(max_length=64 * 1024)] | None = None

    def __repr__(self) -> str:
        return "StepIn(...)"


class DecisionOut(msgspec.Struct, frozen=True):
    """A signed decision. digest: SHA-256 of what was signed; key: the signer's public key."""

    kind: str
    title: str
    officer: str
    at: datetime
    digest: str
    key: str


class DeploymentLine(msgspec.Struct, frozen=True):
    """One deployment in a list."""

    id: UUID
    title: str
    place: str
    state: str
    mode: str
    starts_at: datetime | None
    ends_at: datetime | None
    made_at: datetime

    @classmethod
    def of(cls, row: Deployment) -> DeploymentLine:
        """From the row."""
        plan = plan_of(row)
        return cls(row.id, plan.title, plan.place.title, row.state, row.mode, row.starts_at, row.ends_at, row.made_at)


class DeploymentsOut(msgspec.Struct, frozen=True):
    """The deployments of this system, the newest first."""

    deployments: list[DeploymentLine]


class DeploymentOut(msgspec.Struct, frozen=True):
    """One deployment, whole. steps: what the asking person may do next. version: for If-Match and for steps."""

    id: UUID
    state: str
    state_reason: str
    state_at: datetime
    mode: str
    version: int
    plan: Plan
    plan_digest: str
    policy: str
    policy_digest: str
    starts_at: datetime | None
    ends_at: datetime | None
    urgent_confirm_by: datetime | None
    entries: int | None
    band: int | None
    threshold: float | None
    list_digest: str | None
    live_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    review_at: datetime | None
    record_at: datetime | None
    decisions: list[DecisionOut]
    steps: list[str]

    @classmethod
    def of(cls, row: Deployment, kept: list[Kept], steps: list[str]) -> DeploymentOut:
        """From the row and its decisions."""
        return cls(
            plan=plan_of(row),
            threshold=_threshold(row),
            decisions=[
                DecisionOut(one.kind, DECISIONS.get(one.kind, one.kind), one.officer, one.at, one.digest, one.key)
                for one in kept
            ],
            steps=steps,
            **{name: getattr(row, name) for name in _COLUMNS},
        )


_COLUMNS = tuple(
    name for name in DeploymentOut.__struct_fields__ if name not in {"plan", "threshold", "decisions", "steps"}
)


def _threshold(row: Deployment) -> float | None:
    thresholds: list[dict[str, Any]] = (row.bundle or {}).get("thresholds", [])
    return next((one["threshold"] for one in thresholds if one["band"] == row.band), None)


class MissingOut(msgspec.Struct, frozen=True):
    """Something that is missing. rule: its id; who: the role that can mend it; blocks: False for a warning."""

    rule: str
    what: str
    who: str
    blocks: bool


class GateOut(msgspec.Struct, frozen=True):
    """One line of the checklist. about: which part of the plan; nothing missing = a tick."""

    title: str
    about: str
    missing: list[MissingOut]


class GatesOut(msgspec.Struct, frozen=True):
    """The checklist for one step; `wanted` is null where no step waits for a gate."""

    wanted: str | None
    gates: list[GateOut]

    @classmethod
    def of(cls, wanted: Wanted, checked: Checklist) -> GatesOut:
        """From the gates' answers."""
        return cls(
            wanted,
            [
                GateOut(gate.title, gate.about, [MissingOut(o.rule, o.what, o.who, o.blocks) for o in found])
                for gate, found in checked
            ],
        )


_SIGNED: dict[str, Event] = {"authorise": "authorise", "refuse": "refuse", "restart": "restart"}
_PLAIN: dict[str, tuple[Event, Step]] = {
    "submit": ("submit", "plan"),
    "withdraw": ("withdraw", "plan"),
    "go-live": ("go-live", "go-live"),
    "pause": ("pause", "pause"),
    "resume": ("resume", "pause"),
    "stop": ("stop", "stop"),
    "end": ("end", "end"),
    "close": ("close", "close"),
}
_REVIEWED = frozenset({"ended", "closed"})
_EXTENDABLE = frozenset({"authorised", "ready", "live", "paused", "stopped"})


def steps_for(row: Deployment, name: str, roles: tuple[str, ...]) -> list[str]:
    """The steps that this state allows and this person may take, in the order in which they come."""
    plan = plan_of(row)
    officer = "authorising-officer" in roles and name in plan.people.get("authorising-officer", ())
    found = [step for step, (event, duty) in _PLAIN.items() if _allowed(row, event) and _may(duty, name, roles, plan)]
    if officer:
        found += [step for step, event in _SIGNED.items() if _allowed(row, event)]
        if row.urgent_confirm_by is not None and row.state not in _REVIEWED:
            found.append("authorise")
        if row.state in {"authorised", "ready"} and row.live_at is None:
            found.append("approve-list")
        if row.state in _EXTENDABLE:
            found += ["extend", *(["amend-list"] if row.list_digest is not None else [])]
    if row.state in _REVIEWED and _may("review", name, roles, plan):
        found += [step for step, done in (("review", row.review_at), ("record", row.record_at)) if done is None]
    return [step for step in ORDER if step in found]


ORDER = (
    "submit", "withdraw", "authorise", "refuse", "approve-list", "go-live", "resume", "restart", "pause", "amend-list",
    "extend",
    "review", "record", "close", "stop", "end",
)  # fmt: skip
"""Every step there is, the ones that lead on first."""


def _allowed(row: Deployment, event: Event) -> bool:
    return (row.state, event) in TRANSITIONS


def _may(duty: Step, name: str, roles: tuple[str, ...], plan: Plan) -> bool:
    able = ACCOUNTS[duty] & set(roles)
    return bool(able) and (duty in UNNAMED or any(name in plan.people.get(role, ()) for role in able))
