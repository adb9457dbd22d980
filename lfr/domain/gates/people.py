"""Gates about people: who authorised, approved, does what, still owes what (A1, A4, A7, A9, A10, A11, J2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from lfr.domain.gates.base import Missing
from lfr.domain.gates.facts import ApprovalFact, Facts
from lfr.domain.places import sensitive_at
from lfr.domain.plan import Plan
from lfr.domain.policy import Approver, Policy, Role

_AO: Role = "authorising-officer"


def rank_needed(policy: Policy, plan: Plan, *, urgent: bool = False) -> tuple[str, str]:
    """The lowest rank that may authorise this plan, and the rule that asks for it (A1, A4, A7)."""
    least, rule = policy.authority.min_rank, "A1"
    if urgent and policy.authority.urgent_rank is not None:
        least, rule = policy.authority.urgent_rank, "A4"
    if sensitive_at(policy, plan.place.polygon) and not policy.rank_reaches(least, policy.sensitive.rank):
        return policy.sensitive.rank, "A7"
    return least, rule


def rank(facts: Facts) -> Iterator[Missing]:
    """Whoever authorises, or is about to, has the rank that this plan needs (A1, A4, A7)."""
    for name, held, urgent in _signers(facts):
        least, rule = rank_needed(facts.policy, facts.plan, urgent=urgent)
        if not facts.policy.rank_reaches(held, least):
            yield Missing(rule, f"{name} is {held or 'of no rank'}; this needs {least} or above", _AO)


def _signers(facts: Facts) -> Iterator[tuple[str, str | None, bool]]:
    """Name, rank, and whether the urgent rank will do."""
    if facts.authority is not None:
        yield facts.authority.officer, facts.authority.rank, facts.authority.urgent
    if facts.signer is not None:
        yield facts.signer.name, facts.signer.rank, facts.urgent
    if facts.authority is None and facts.signer is None:
        for name in facts.plan.people.get(_AO, ()):
            if name in facts.people:
                yield name, facts.people[name].rank, True


def authorised(facts: Facts) -> Iterator[Missing]:
    """There is a signed authority for exactly this plan under exactly this policy (A1)."""
    given = facts.authority
    if given is None:
        yield Missing("A1", "nobody has authorised this deployment", _AO)
    elif given.plan_digest != facts.plan.digest:
        yield Missing("A1", "the authority was given for another plan than the present one", _AO)
    elif given.policy_digest != facts.policy.digest:
        yield Missing("A1", "the authority was given under another policy than the present one", _AO)


def confirmed(facts: Facts) -> Iterator[Missing]:
    """An urgent authority was confirmed, or there is still time for it (A4)."""
    given = facts.authority
    if given is None or given.lapses_at is None:
        return
    if given.lapses_at <= facts.at:
        yield Missing("A4", "the urgent authority has lapsed: nobody confirmed it in time", _AO)
    else:
        what = f"the urgent authority lapses at {given.lapses_at:%H:%M} UTC unless it is confirmed"
        yield Missing("A4", what, _AO, blocks=False)


def named(facts: Facts) -> Iterator[Missing]:
    """Everybody whom the policy wants is named, and has an account with that role (A9)."""
    wanted = facts.policy.people
    for role in wanted:
        names = facts.plan.people.get(role, ())
        if not names:
            yield Missing("A9", f"nobody is named as {_said(role)}", _AO)
        for name in names:
            person = facts.people.get(name)
            if person is None:
                yield Missing("A9", f"{name} is named as {_said(role)} and has no account", "engineer")
            elif role not in person.roles:
                yield Missing(
                    "A9", f"{name} is named as {_said(role)}; the account does not hold that role", "engineer"
                )


def apart(facts: Facts) -> Iterator[Missing]:
    """Nobody has two parts that the policy keeps apart (A9)."""
    parts = {role: set(names) for role, names in facts.plan.people.items()}
    if facts.authority is not None:
        parts.setdefault(_AO, set()).add(facts.authority.officer)
    if facts.signer is not None:
        parts.setdefault(_AO, set()).add(facts.signer.name)
    for one, other in facts.policy.conflicts:
        for name in sorted(parts.get(one, set()) & parts.get(other, set())):
            yield Missing("A9", f"{name} may not be both {_said(one)} and {_said(other)}", _AO)


@dataclass(frozen=True, slots=True)
class Needed:
    """An approval that a plan needs, and the rule that asks for it."""

    approver: Approver
    rule: str


def approvals_needed(policy: Policy, plan: Plan) -> tuple[Needed, ...]:
    """Which approvers must have approved this plan (A10), those of sensitive places among them (A7)."""
    sensitive = bool(sensitive_at(policy, plan.place.polygon))
    use_case = next((one for one in policy.use_cases if one.code == plan.use_case), None)
    high_risk = sensitive or (use_case is not None and use_case.high_risk)
    needed = []
    for one in policy.approvers:
        if sensitive and one.code in policy.sensitive.approvals:
            needed.append(Needed(one, "A7"))
        elif one.when == "always" or (one.when == "high-risk" and high_risk):
            needed.append(Needed(one, "A10"))
    return tuple(needed)


def approvals(facts: Facts) -> Iterator[Missing]:
    """Every approver whom this plan needs has approved it, and none has refused; no answer is a no (A7, A10)."""
    for needed in approvals_needed(facts.policy, facts.plan):
        given = [one for one in facts.approvals if one.approver == needed.approver.code]
        mine = [one for one in given if one.plan_digest == facts.plan.digest]
        wrong = _wrong(facts, needed.approver, max(mine, key=lambda one: one.at, default=None), stale=bool(given))
        if wrong:
            yield Missing(needed.rule, f"{needed.approver.title}: {wrong}", _AO)
        for one in mine:
            if one.decision == "approve" and one.conditions:
                what = f"{needed.approver.title}: approved on the condition that {one.conditions}"
                yield Missing(needed.rule, what, _AO, blocks=False)


def _wrong(facts: Facts, approver: Approver, last: ApprovalFact | None, *, stale: bool) -> str:
    if last is None:
        return "approved another plan than the present one" if stale else "has not approved this plan"
    if last.decision == "refuse":
        return "has refused"
    if not last.at <= facts.at + timedelta(minutes=2) or last.expires_at <= facts.at:
        return "the approval is not valid at this time"
    if approver.kind == "officer":
        if facts.authority is not None and last.officer == facts.authority.officer:
            return "it must be another officer than the one who authorised"
        if approver.rank is not None and not facts.policy.rank_reaches(last.rank, approver.rank):
            return f"this needs {approver.rank} or above"
    return ""


def reviewed(facts: Facts) -> Iterator[Missing]:
    """No earlier deployment waits for its closure or its review beyond the policy's days (A11)."""
    days = facts.policy.review.review_days
    for one in facts.earlier:
        if facts.at <= one.ended_at + timedelta(days=days):
            continue
        if not one.closed:
            yield Missing("A11", f"{one.title!r} ended more than {days:g} days ago and is not closed", "operator")
        if not one.reviewed:
            yield Missing("A11", f"{one.title!r} ended more than {days:g} days ago and is not reviewed", _AO)


def recorded(facts: Facts) -> Iterator[Missing]:
    """No earlier deployment waits for its public record beyond the policy's days (J2)."""
    days = facts.policy.review.record_days
    for one in facts.earlier:
        if not one.recorded and facts.at > one.ended_at + timedelta(days=days):
            what = f"{one.title!r} ended more than {days:g} days ago and its record is not published"
            yield Missing("J2", what, "operator")


def _said(role: Role) -> str:
    return {"authorising-officer": "Authorising Officer"}.get(role, role.replace("-", " "))
