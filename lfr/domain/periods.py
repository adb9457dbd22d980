"""The policy's periods in words: the one table that notices, pages and documents show (G5)."""

from __future__ import annotations

from dataclasses import dataclass

from lfr.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Period:
    """How long one kind of thing is kept. rule: the id of the requirement."""

    rule: str
    what: str
    how_long: str


def periods(policy: Policy) -> tuple[Period, ...]:
    """Everything that is kept, and for how long, in the policy's own numbers."""
    kept = policy.retention
    held = (
        Period("G2", f"Pictures held as evidence: {one.title}", f"at most {_count(one.max_days, 'day')}, then reviewed")
        for one in policy.holds
    )
    unmatched = f"in memory only, at most {_long(kept.nonmatch_seconds)}"
    return (
        Period("G1", "Faces and templates that match nobody", unmatched),
        Period("G2", "Pictures of an alert that nobody acts on", _after(kept.alert_unactioned_seconds, "the decision")),
        Period("G2", "Pictures of any other alert", f"at most {_hours(kept.alert_hours)}"),
        *held,
        Period("G3", "Pictures, templates and details of the watchlist", _watchlist(kept.watchlist_hours)),
        Period("G4", "Video", _count(kept.footage_days, "day") if kept.footage_days else "not recorded"),
        Period("B13", "Ledger of who was listed, without pictures", _count(kept.ledger_months, "month")),
        Period("G7", "Log of what was done, without faces or names of the public", _count(kept.log_years, "year")),
    )


def _watchlist(hours: float) -> str:
    return f"destroyed at most {_hours(hours)} after the end" if hours else "destroyed when the deployment is closed"


def _after(seconds: float, event: str) -> str:
    return f"destroyed at most {_long(seconds)} after {event}" if seconds else f"destroyed at once after {event}"


def _hours(hours: float) -> str:
    return _long(hours * 3600)


def _long(seconds: float) -> str:
    for unit, size in (("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size and seconds % size == 0:
            return _count(seconds / size, unit)
    return _count(seconds, "second")


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
