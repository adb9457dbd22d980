"""The gates: given the facts, everything that is still missing, each with its rule, in plain words, and who mends it.

The same list drives `lfr deployment check`, the API and the page. Pure: no clock, no database (lfr.services.facts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lfr.domain.errors import GateClosed
from lfr.domain.gates import evidence, listed, people, plan, system
from lfr.domain.gates.base import WANTED, About, Gate, Missing, Wanted, Who
from lfr.domain.gates.evidence import SignsState, signs_state
from lfr.domain.gates.facts import (
    Alike,
    ApprovalFact,
    CertificateFact,
    DocumentFact,
    Earlier,
    Facts,
    Granted,
    ListApproved,
    Look,
    Person,
    SystemFacts,
)
from lfr.domain.gates.people import Needed, approvals_needed, rank_needed

__all__ = [
    "GATES",
    "WANTED",
    "About",
    "Alike",
    "ApprovalFact",
    "CertificateFact",
    "DocumentFact",
    "Earlier",
    "Facts",
    "Gate",
    "Granted",
    "ListApproved",
    "Look",
    "Missing",
    "Needed",
    "Person",
    "SignsState",
    "SystemFacts",
    "Wanted",
    "Who",
    "approvals_needed",
    "checklist",
    "missing",
    "rank_needed",
    "require",
    "signs_state",
]


def _gate(about: About, title: str, ask: Callable[[Facts], Iterable[Missing]], *wanted: Wanted) -> Gate:
    return Gate(title, about, frozenset(wanted), ask)


GATES: tuple[Gate, ...] = (
    _gate("plan", "Use case from the policy", plan.use_case, "submit", "authorise", "go-live"),
    _gate("plan", "Reasons written", plan.written, "submit", "authorise", "go-live"),
    _gate("plan", "Not copied from earlier ones", plan.boilerplate, "submit", "authorise"),
    _gate("plan", "Presence expected", plan.presence, "submit", "authorise", "go-live"),
    _gate("plan", "Force and place", plan.placed, "submit", "authorise", "go-live"),
    _gate("plan", "Start and end", plan.window, "submit", "authorise"),
    _gate("plan", "Categories from the policy", plan.categories, "submit", "authorise", "go-live"),
    _gate("plan", "Sensitive places respected", plan.sensitive_off, "submit", "authorise", "go-live"),
    _gate("plan", "Cameras and zones", plan.zones, "submit", "authorise", "go-live", "continue"),
    _gate("people", "Everybody named", people.named, "submit", "authorise", "go-live"),
    _gate("people", "Parts kept apart", people.apart, "submit", "authorise", "approve-list", "go-live"),
    _gate("people", "Rank", people.rank, "submit", "authorise", "approve-list", "go-live", "continue"),
    _gate("documents", "Policy in force", evidence.policy_in_force, *WANTED),
    _gate("documents", "Documents current", evidence.documents, "submit", "authorise", "go-live", "continue"),
    _gate("earlier", "Earlier deployments reviewed", people.reviewed, "authorise"),
    _gate("earlier", "Earlier records published", people.recorded, "authorise"),
    _gate("people", "Authorised", people.authorised, "approve-list", "go-live", "continue"),
    _gate("people", "Urgent authority confirmed", people.confirmed, "approve-list", "go-live", "continue"),
    _gate("plan", "Within the authorised window", plan.in_window, "go-live", "continue"),
    _gate("approvals", "Approved from outside", people.approvals, "go-live", "continue"),
    _gate("list", "Somebody listed", listed.somebody, "approve-list", "go-live"),
    _gate("list", "Entries within the policy", listed.within_policy, "approve-list", "go-live"),
    _gate("list", "Entries current", listed.current, "approve-list", "go-live"),
    _gate("list", "Serious enough", listed.serious, "approve-list", "go-live"),
    _gate("list", "Checked in time", listed.fresh, "approve-list", "go-live"),
    _gate("list", "Pictures lawfully held", listed.lawfully_held, "approve-list", "go-live"),
    _gate("list", "Confirmed by a second person", listed.checked, "approve-list", "go-live"),
    _gate("list", "Look-alikes", listed.look_alikes, "approve-list", "go-live"),
    _gate("list", "Children decided upon", listed.children, "approve-list", "go-live"),
    _gate("list", "Vulnerable people protected", listed.welfare, "approve-list", "go-live"),
    _gate("list", "Within the budget", listed.within_budget, "approve-list", "go-live", "continue"),
    _gate("list", "Expected at this place", listed.expected_here, "approve-list", "go-live"),
    _gate("list", "List approved", listed.list_approved, "go-live", "continue"),
    _gate("list", "List approved in time", listed.approved_lately, "go-live"),
    _gate("list", "Additions signed for", listed.waiting, "go-live", "continue"),
    _gate("list", "List as approved", listed.list_unchanged, "go-live", "continue"),
    _gate("signs", "Signs photographed", evidence.signs, "go-live", "continue"),
    _gate("signs", "Notice published", evidence.notice, "go-live"),
    _gate("system", "Certified", system.certified, "approve-list", "go-live", "continue"),
    _gate("system", "Bundle as approved", system.same_bundle, "go-live", "continue"),
    _gate("system", "Clock", system.clock, "authorise", "approve-list", "go-live", "continue"),
    _gate("system", "Log", system.log_written, "go-live", "continue"),
    _gate("system", "Storage", system.storage, "go-live", "continue"),
    _gate("system", "Rights ledger", system.ledger, "submit", "authorise", "approve-list", "go-live"),
    _gate("system", "Not suspended", system.not_suspended, "authorise", "approve-list", "go-live", "continue"),
)
"""Every gate, in the order of the checklist."""


def checklist(facts: Facts, wanted: Wanted) -> tuple[tuple[Gate, tuple[Missing, ...]], ...]:
    """Every gate that is asked for what is wanted, with what is missing; nothing missing = a tick."""
    return tuple((gate, tuple(gate.ask(facts))) for gate in GATES if wanted in gate.wanted)


def missing(facts: Facts, wanted: Wanted) -> tuple[Missing, ...]:
    """All that is missing, and all that is warned of (`blocks` False), in the order of the checklist."""
    return tuple(one for _, found in checklist(facts, wanted) for one in found)


def require(facts: Facts, wanted: Wanted) -> tuple[Missing, ...]:
    """The warnings, if nothing else is missing. Raises GateClosed that names all of it."""
    found = missing(facts, wanted)
    closed = [one for one in found if one.blocks]
    if closed:
        more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
        raise GateClosed(
            f"{closed[0].what} ({closed[0].rule}){more}",
            hint="`lfr deployment check` names all that is missing",
            missing=tuple((one.rule, one.what, one.who) for one in closed),
        )
    return found
