"""Gates about the machine: what recognises, and whether clock, log and storage hold (B13, D1, H1, H3, M1, M2)."""

from __future__ import annotations

from collections.abc import Iterator

from lfr.domain.gates.base import Missing
from lfr.domain.gates.facts import Facts
from lfr.domain.policy import Role

_ENGINEER: Role = "engineer"


def certified(facts: Facts) -> Iterator[Missing]:
    """In operational use an independent test certificate vouches for exactly this bundle (D1, B10)."""
    if facts.mode != "operational" or not facts.policy.watchlist.needs_certificate:
        return
    certificate = facts.system.certificate
    if facts.bundle.use != "operational":
        yield Missing("D1", f"the pack {facts.bundle.pack} may be used for research only", _ENGINEER)
    elif certificate is None:
        yield Missing("D1", "no test certificate vouches for this pack and threshold", _ENGINEER)
    elif certificate.digest != facts.bundle.certificate:
        yield Missing("D1", "the test certificate is not the one for this pack and threshold", _ENGINEER)
    elif certificate.expires_at <= max(facts.at, facts.authority.ends_at if facts.authority else facts.at):
        yield Missing("D1", "the test certificate expires before the end", _ENGINEER)


def same_bundle(facts: Facts) -> Iterator[Missing]:
    """What recognises is what the list was approved for (D1)."""
    approved = facts.approved
    if approved is not None and approved.bundle_digest is not None and approved.bundle_digest != facts.bundle.digest:
        yield Missing("D1", "pack, preprocessing or threshold have changed since the list was approved", _ENGINEER)


def clock(facts: Facts) -> Iterator[Missing]:
    """The time can be relied upon (M2)."""
    if not facts.system.clock_ok:
        yield Missing("M2", "the clock cannot be relied upon: windows and deletion depend on it", _ENGINEER)


def log_written(facts: Facts) -> Iterator[Missing]:
    """The log is written within its limit (H1)."""
    if not facts.system.writer_ok:
        yield Missing("H1", "the log is not being written in time", _ENGINEER)


def storage(facts: Facts) -> Iterator[Missing]:
    """Database, keys and disk answer and have room (M1)."""
    if not facts.system.storage_ok:
        yield Missing("M1", "database, key store or disk do not answer, or have no room", _ENGINEER)


def ledger(facts: Facts) -> Iterator[Missing]:
    """Whoever is listed by a reference can be found again when they ask for their rights (B13)."""
    if not facts.system.ledger_ok and "nominal_ref" in facts.policy.watchlist.required:
        what = "the rights ledger has no key, so nobody who is listed is remembered in it: `lfr ledger init` makes one"
        yield Missing("B13", what, "data-protection-officer", blocks=facts.mode == "operational")


def not_suspended(facts: Facts) -> Iterator[Missing]:
    """The oversight body has not suspended this deployment (H3)."""
    if facts.system.suspended:
        yield Missing("H3", "the oversight body has suspended it", "oversight")
