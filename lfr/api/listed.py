"""A deployment's list as JSON: entries with what they still need, counts, imports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from lfr.api.imports import Import
from lfr.domain.list_facts import ListFacts, stale_before
from lfr.domain.policy import Policy
from lfr.domain.watchlist import EntrySummary, RowResult


class EntryLine(msgspec.Struct, frozen=True):
    """One entry. needs: what must still happen, in plain words. may_confirm: whether the asking person may (B7)."""

    id: UUID
    label: str
    images: int
    category: str
    category_title: str
    action: str
    action_title: str
    age_band: str
    added_at: datetime
    added_by: str
    checked_by: str | None
    status_at: datetime | None
    alike: UUID | None
    revoked_at: datetime | None
    needs: list[str]
    may_confirm: bool

    @classmethod
    def of(cls, entry: EntrySummary, policy: Policy, asking: str, at: datetime) -> EntryLine:
        """From the summary, under a policy."""
        categories = {one.code: one.title for one in policy.categories}
        actions = {one.code: one.title for one in policy.actions}
        return cls(
            id=entry.id,
            label=entry.label,
            images=entry.images,
            category=entry.category,
            category_title=categories.get(entry.category, entry.category),
            action=entry.action,
            action_title=actions.get(entry.action, entry.action),
            age_band=entry.age_band,
            added_at=entry.added_at,
            added_by=entry.added_by,
            checked_by=entry.checked_by,
            status_at=entry.status_at,
            alike=entry.alike,
            revoked_at=entry.revoked_at,
            needs=_needs(entry, policy, at),
            may_confirm=policy.watchlist.second_check and entry.checked_by is None and asking != entry.added_by,
        )


def _needs(entry: EntrySummary, policy: Policy, at: datetime) -> list[str]:
    found = []
    if policy.watchlist.second_check and entry.checked_by is None:
        found.append("a second person must confirm the picture")
    if (entry.status_at or entry.added_at) < stale_before(policy, at):
        found.append("its status must be checked again")
    for day, word in ((entry.review_on, "review"), (entry.expires_on, "expiry")):
        if day is not None and day < at.date():
            found.append(f"its {word} date is over")
    return found


class ListOut(msgspec.Struct, frozen=True):
    """The entries, oldest first."""

    entries: list[EntryLine]


class FactsOut(msgspec.Struct, frozen=True):
    """Counts of living entries. most: how many the list may hold (B10)."""

    entries: int
    images: int
    unchecked: int
    stale: int
    expired: int
    minors: int
    alike: int
    most: int
    digest: str
    by_category: dict[str, int]

    @classmethod
    def of(cls, facts: ListFacts) -> FactsOut:
        """From the facts that the gates ask for."""
        most = facts.cap if facts.n_max is None else min(facts.cap, facts.n_max)
        return cls(
            facts.entries,
            facts.images,
            facts.unchecked,
            facts.stale,
            facts.expired,
            facts.minors,
            facts.alike,
            most,
            facts.digest,
            dict(facts.by_category),
        )


class RowLine(msgspec.Struct, frozen=True):
    """What became of one picture of an import."""

    entry: str
    source: str
    enrolled: bool
    already: bool
    refusal: str | None
    detail: str
    warnings: list[str]

    @classmethod
    def of(cls, row: RowResult) -> RowLine:
        """From the import's row; every reason is told, not only the first."""
        reasons = [fault.detail or fault.reason for fault in row.faults] or ([row.detail] if row.detail else [])
        return cls(
            row.entry, row.source, row.enrolled, row.already, row.refusal, "; ".join(reasons), list(row.warnings)
        )


class ImportOut(msgspec.Struct, frozen=True):
    """An import: running, done or failed; rows once it is done."""

    id: UUID
    state: str
    dry_run: bool
    done: int
    total: int
    rows: list[RowLine]
    problem: str
    hint: str

    @classmethod
    def of(cls, run: Import) -> ImportOut:
        """From the background's own record."""
        rows = [RowLine.of(row) for row in run.rows]
        return cls(run.id, run.state, run.dry_run, run.done, run.total, rows, run.problem, run.hint)


class RecheckOut(msgspec.Struct, frozen=True):
    """A status feed. unknown: named, but not on this list; unnamed: on the list, but not named."""

    current: int
    withdrawn: int
    unknown: int
    unnamed: int
