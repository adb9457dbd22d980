"""Gates about the watchlist and its approval (A1, A5, B1 to B11). Counts only: who is listed stays sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from lfr.domain.gates.base import Missing
from lfr.domain.gates.facts import Facts
from lfr.domain.gates.plan import use_case_of
from lfr.domain.policy import Role

_OWNER: Role = "watchlist-owner"
_AO: Role = "authorising-officer"


def within_policy(facts: Facts) -> Iterator[Missing]:
    """Every entry is of a category, action and source that the policy allows (B1, B11)."""
    if facts.listed.outside:
        what = f"{_entries(facts.listed.outside)} of a category, action or source that the policy does not allow"
        yield Missing("B1", what, _OWNER)
    outside = sorted(set(facts.listed.by_category) - set(facts.plan.categories))
    if outside and not facts.listed.outside:
        yield Missing("B1", f"the list has categories that the plan does not name: {', '.join(outside)}", _OWNER)


def somebody(facts: Facts) -> Iterator[Missing]:
    """The list is not empty: nobody's face is looked at for nothing (B2)."""
    if not facts.listed.entries:
        yield Missing("B2", "the list is empty", _OWNER, blocks=facts.mode == "operational")


def current(facts: Facts) -> Iterator[Missing]:
    """No entry is past its review or expiry date (B2)."""
    if facts.listed.expired:
        yield Missing("B2", f"{_entries(facts.listed.expired)} past the review or expiry date", _OWNER)


def serious(facts: Facts) -> Iterator[Missing]:
    """What lies below the seriousness floor carries a second signature (B3)."""
    if facts.listed.low_undecided:
        years = facts.policy.watchlist.min_max_sentence_years
        what = f"{_entries(facts.listed.low_undecided)} below a maximum sentence of {years:g} years, without a decision"
        yield Missing("B3", what, _AO)


def fresh(facts: Facts) -> Iterator[Missing]:
    """The list was built, and every status checked, within the policy's hours before the start (B4)."""
    hours = facts.policy.watchlist.max_age_hours
    if facts.listed.stale:
        yield Missing("B4", f"{_entries(facts.listed.stale)} not checked in the last {hours:g} hours", _OWNER)


def approved_lately(facts: Facts) -> Iterator[Missing]:
    """The list was approved within the policy's hours before the start (B4)."""
    if facts.approved is None or facts.live_at is not None:
        return
    hours = facts.policy.watchlist.max_age_hours
    if max(facts.at, _start(facts)) - facts.approved.at > timedelta(hours=hours):
        yield Missing("B4", f"the list was approved more than {hours:g} hours before the start", _AO)


def _start(facts: Facts) -> datetime:
    if facts.authority is not None:
        return facts.authority.starts_at
    return facts.plan.starts_at or facts.at


def lawfully_held(facts: Facts) -> Iterator[Missing]:
    """Every picture is still held lawfully (B5)."""
    if facts.listed.overheld:
        yield Missing("B5", f"{_entries(facts.listed.overheld)} with a picture past the time it may be held", _OWNER)


def checked(facts: Facts) -> Iterator[Missing]:
    """A second person confirmed that each picture shows whom it says (B7)."""
    if facts.policy.watchlist.second_check and facts.listed.unchecked:
        yield Missing("B7", f"{_entries(facts.listed.unchecked)} not confirmed by a second person", _OWNER)


def look_alikes(facts: Facts) -> Iterator[Missing]:
    """Look-alikes within the list are pointed out; they are shown with every alert (B7)."""
    if facts.listed.alike:
        what = f"{_entries(facts.listed.alike)} much alike to another entry: alerts will say so"
        yield Missing("B7", what, _OWNER, blocks=False)


def children(facts: Facts) -> Iterator[Missing]:
    """No child is listed without the signed decision, nor the youngest without the second approval (B8)."""
    listed, ages = facts.listed, facts.policy.ages
    if listed.minors and not ages.minors:
        what = f"{_entries(listed.minors)} under {ages.adult} or of unknown age: the policy lists none"
        yield Missing("B8", what, _OWNER)
    elif listed.minors_undecided:
        yield Missing("B8", f"{_entries(listed.minors_undecided)} under {ages.adult} without a signed decision", _AO)
    elif listed.children_unapproved:
        what = f"{_entries(listed.children_unapproved)} under {ages.young_child} without the second approval"
        yield Missing("B8", what, _AO)


def welfare(facts: Facts) -> Iterator[Missing]:
    """Vulnerable people are listed for their welfare only (B9)."""
    if facts.listed.unsafe:
        yield Missing(
            "B9", f"{_entries(facts.listed.unsafe)} vulnerable, under an action that is no welfare action", _OWNER
        )


def within_budget(facts: Facts) -> Iterator[Missing]:
    """The list is no longer than the budget allows, and within the band it was approved for (B10)."""
    listed, cap = facts.listed, facts.policy.watchlist.cap
    if listed.over_budget:
        most = cap if listed.n_max is None else min(cap, listed.n_max)
        yield Missing("B10", f"{listed.entries} people are listed, at most {most} may be", _OWNER)
        return
    band = facts.approved.band if facts.approved is not None else facts.policy.band_for(listed.entries)
    if band is None or facts.bundle.threshold_for(band) is None:
        what = f"no threshold is fixed for a list of {band or listed.entries} people"
        yield Missing("B10", what, "engineer")
    elif listed.entries > band:
        yield Missing("B10", f"{listed.entries} people are listed, the list was approved for at most {band}", _OWNER)


def expected_here(facts: Facts) -> Iterator[Missing]:
    """It is written for every entry why the person is expected here, unless the use case names the place (A5)."""
    use_case = use_case_of(facts)
    if facts.listed.unplaced and not (use_case is not None and use_case.covers_place):
        what = f"{_entries(facts.listed.unplaced)} without a reason to expect the person at this place"
        yield Missing("A5", what, _OWNER)


def list_approved(facts: Facts) -> Iterator[Missing]:
    """The Authorising Officer has approved the list, by its digest (A1)."""
    if facts.approved is None:
        yield Missing("A1", "the list is not approved", _AO)


def waiting(facts: Facts) -> Iterator[Missing]:
    """Entries added since are not compared with anybody until the Authorising Officer signs for them (A1)."""
    if facts.approved is not None and facts.listed.pending:
        what = f"{_entries(facts.listed.pending)} not signed for: nobody is compared with them yet"
        yield Missing("A1", what, _AO, blocks=False)


def list_unchanged(facts: Facts) -> Iterator[Missing]:
    """The list is the one that was approved, amendments included (A1)."""
    if facts.approved is not None and facts.approved.list_digest != facts.listed.digest:
        yield Missing("A1", "the list has changed since it was approved", _AO)


def _entries(count: int) -> str:
    return "1 entry is" if count == 1 else f"{count} entries are"
