"""Gates about what a deployment rests on outside of itself: documents, signs at the place, the notice (A8, C4, J1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lfr.domain.gates.base import Missing
from lfr.domain.gates.facts import DocumentFact, Facts, Look
from lfr.domain.policy import Document, Policy
from lfr.domain.wording import different_words


def policy_in_force(facts: Facts) -> Iterator[Missing]:
    """The deployment was planned under the policy as it is now, and the policy is for this use (A8)."""
    if facts.policy_digest != facts.policy.digest:
        what = "the policy has changed since this was planned: look at the plan again and submit it anew"
        yield Missing("A8", what, "authorising-officer")
    for mode in sorted({facts.mode, facts.system.mode}):
        if mode not in facts.policy.modes:
            yield Missing("A8", f"the policy {facts.policy.name} is not for {mode} use", "engineer")
    if facts.mode != facts.system.mode:
        what = f"this was planned for {facts.mode} use, the system runs in {facts.system.mode} mode"
        yield Missing("A8", what, "engineer")


def documents(facts: Facts) -> Iterator[Missing]:
    """Every document of the policy is linked, approved, and current to the end of the window (A8)."""
    for wanted in facts.policy.documents:
        linked = [one for one in facts.documents if one.code == wanted.code]
        faults = [_fault(facts, wanted, one) for one in linked]
        if not linked:
            yield Missing("A8", f"{wanted.title}: no such document is linked", "data-protection-officer")
        elif all(faults):
            yield Missing("A8", f"{wanted.title}: {faults[-1]}", "data-protection-officer")


def _fault(facts: Facts, wanted: Document, found: DocumentFact) -> str:
    until = max(facts.at, _end(facts))
    if found.withdrawn_at is not None:
        return "it was withdrawn"
    if found.approved_at > facts.at:
        return "it is not approved yet"
    if found.expires_at <= until:
        return f"it expires at {found.expires_at:%Y-%m-%d %H:%M} UTC, before the end"
    if found.approved_at + timedelta(days=wanted.max_age_days) <= until:
        return f"it was approved on {found.approved_at:%Y-%m-%d}, which is more than {wanted.max_age_days:g} days ago"
    if wanted.covers_public and not found.covers_public:
        return "it does not speak of people who are not listed"
    return ""


def _end(facts: Facts) -> datetime:
    if facts.authority is not None:
        return facts.authority.ends_at
    return facts.plan.ends_at or facts.at


@dataclass(frozen=True, slots=True)
class SignsState:
    """How it stands with the signs (C4). missing: items without a photograph taken at the place; elsewhere: of those,
    items photographed somewhere else. seen_at: the oldest look at any item; due_at: the next one; overdue_at: when
    recognition pauses. None as long as something is missing, or the policy asks for nothing.
    """

    missing: tuple[str, ...]
    elsewhere: tuple[str, ...]
    seen_at: datetime | None = None
    due_at: datetime | None = None
    overdue_at: datetime | None = None


def signs_state(policy: Policy, looks: tuple[Look, ...], at: datetime) -> SignsState:
    """What was photographed and confirmed by then."""
    past = [look for look in looks if look.at <= at]
    near = [look for look in past if look.metres is not None and look.metres <= policy.place_radius_m]
    shown = {
        item: [look.at for look in near if look.kind == "photo" and look.item == item] for item in policy.signs.items
    }
    missing = tuple(item for item, seen in shown.items() if not seen)
    elsewhere = tuple(item for item in missing if any(look.item == item for look in past))
    if missing or not shown:
        return SignsState(missing, elsewhere)
    confirmed = max((look.at for look in past if look.kind == "confirmation"), default=None)
    oldest = min(max(seen) for seen in shown.values())
    seen_at = oldest if confirmed is None or confirmed < oldest else confirmed
    due_at = seen_at + timedelta(minutes=policy.signs.recheck_minutes)
    return SignsState((), (), seen_at, due_at, due_at + timedelta(minutes=policy.signs.overdue_minutes))


def signs(facts: Facts) -> Iterator[Missing]:
    """Signs and notices were photographed at the place, and looked at again in time (C4)."""
    state = signs_state(facts.policy, facts.looks, facts.at)
    for item in state.missing:
        where = (
            " was photographed, but not at this place" if item in state.elsewhere else ": no photograph from the place"
        )
        yield Missing("C4", f"{item}{where}", "operator")
    if state.due_at is None or state.overdue_at is None:
        return
    if facts.at >= state.overdue_at:
        yield Missing("C4", f"the signs were last looked at {state.seen_at:%H:%M} UTC: look and confirm", "operator")
    elif facts.at >= state.due_at:
        what = f"look at the signs and confirm; recognition pauses at {state.overdue_at:%H:%M} UTC otherwise"
        yield Missing("C4", what, "operator", blocks=False)


def notice(facts: Facts) -> Iterator[Missing]:
    """The deployment was announced in time, or the plan says which critical threat forbade it (J1)."""
    hours, starts_at = facts.policy.review.notice_hours, facts.plan.starts_at
    if not hours or different_words(facts.plan.critical_threat) >= max(1, facts.policy.authority.min_words):
        return
    if facts.notice_at is None:
        yield Missing("J1", "no notice of this deployment was published", "operator")
    elif starts_at is not None and facts.notice_at > starts_at - timedelta(hours=hours):
        yield Missing("J1", f"the notice was published less than {hours:g} hours before the start", "operator")
