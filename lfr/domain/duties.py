"""Who may take which step in a deployment (A9): by what their account is for, and what the plan names them for.

Decisions that are signed are not here: their signature says who took them, the policy which rank that needs.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from lfr.domain.errors import NotAllowed
from lfr.domain.plan import Plan
from lfr.domain.policy import Role

Step = Literal["plan", "go-live", "pause", "stop", "end", "close", "review"]

ACCOUNTS: dict[Step, frozenset[Role]] = {
    "plan": frozenset({"authorising-officer", "watchlist-owner", "operator", "engineer"}),
    "go-live": frozenset({"operator", "engineer"}),
    "pause": frozenset({"operator", "engineer", "authorising-officer"}),
    "stop": frozenset(
        {
            "authorising-officer",
            "watchlist-owner",
            "operator",
            "engagement-officer",
            "engineer",
            "auditor",
            "data-protection-officer",
        }
    ),
    "end": frozenset({"authorising-officer", "operator", "engineer"}),
    "close": frozenset({"authorising-officer", "watchlist-owner", "engineer"}),
    "review": frozenset({"authorising-officer", "operator", "engineer"}),
}
"""The roles that may take a step. Anybody who has an account may stop (A13)."""

UNNAMED: frozenset[Step] = frozenset({"plan", "stop"})
"""For these the role of the account is enough; for all others the plan must name the person for it."""

CONSOLE: frozenset[Step] = frozenset({"plan", "pause", "stop", "end", "close", "review"})
"""What whoever sits at the machine itself may do (`local:NAME`): nothing that makes it recognise."""


KEEPERS: tuple[Role, ...] = ("watchlist-owner", "engineer")
"""Who imports a list, and takes in the source system's statuses (B4)."""

CHECKERS: tuple[Role, ...] = ("watchlist-owner", "operator", "engagement-officer", "authorising-officer")
"""Who may confirm, as a second person, that a picture shows whom it says (B7)."""

LISTERS: tuple[Role, ...] = ("watchlist-owner", "operator", "engineer")
"""Who may put a single person on the list by hand, and take one off, which needs nobody else."""

HOLDERS: tuple[Role, ...] = ("authorising-officer", "data-protection-officer", "engineer")
"""Who may keep an alert's pictures as evidence, and let go of them (G2)."""


def require_role(held: Collection[str], needed: Collection[Role]) -> None:
    """held: the roles of the person's account. Raises NotAllowed unless one of them is needed."""
    if not set(held) & set(needed):
        raise NotAllowed(f"this needs the role {' or '.join(needed)}", hint="ask someone who has it")


def require_duty(step: Step, name: str, held: Collection[str], plan: Plan) -> None:
    """held: the roles of the person's account. Raises NotAllowed."""
    able = ACCOUNTS[step] & set(held)
    if not able:
        raise NotAllowed(f"to {step} is not for {name}", hint=f"it needs the role {_any(ACCOUNTS[step])}")
    if step not in UNNAMED and not any(name in plan.people.get(role, ()) for role in able):
        raise NotAllowed(
            f"the plan does not name {name} as {_any(able)}", hint="only those whom the plan names act in a deployment"
        )


def _any(roles: Collection[str]) -> str:
    return " or ".join(sorted(roles))
