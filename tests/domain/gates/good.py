"""Facts of which nothing is missing, under a policy that asks for everything, and a way to bend them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec

from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.gates import (
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
from lfr.domain.list_facts import ListFacts
from lfr.domain.plan import CameraZone, Place, Plan, Reasons
from lfr.domain.policy import Policy, SensitivePlace
from lfr.services import policies

AT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
START, END = AT - timedelta(hours=1), AT + timedelta(hours=5)
HERE = ((-1.5000, 53.8000), (-1.4990, 53.8000), (-1.4990, 53.8006), (-1.5000, 53.8006))
CHURCH = SensitivePlace("church", "St Mary's church", ((-1.49, 53.81), (-1.48, 53.81), (-1.48, 53.82), (-1.49, 53.82)))
ZONE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.9), (0.2, 0.9))
WORDS = (
    "People wanted on warrant meet here before the afternoon market opens, as reports of three named officers show, "
    "and nothing else has found them since the spring."
)
BUNDLE = Bundle(
    "pack", "1" * 64, "operational", tuple(BandThreshold(n, 0.5, "test", True) for n in (10_000, 16_000, 20_000)), 2,
    certificate="2" * 64,
)  # fmt: skip


def policy(**changed: Any) -> Policy:
    """The template of a British force, with one sensitive place."""
    base = policies.load("uk-default")
    places = msgspec.structs.replace(base.sensitive, places=(CHURCH,))
    return msgspec.structs.replace(base, **({"sensitive": places} | changed))


PEOPLE = {
    "authorising-officer": ("anna",),
    "watchlist-owner": ("walt",),
    "operator": ("olga",),
    "engagement-officer": ("eric",),
    "engineer": ("enid",),
    "data-protection-officer": ("dora",),
}
RANKS = {"anna": "superintendent"}


def plan(**changed: Any) -> Plan:
    """A plan with nothing left out."""
    given = {
        "title": "Station square", "force": "mercia", "use_case": "wanted-persons", "categories": ("wanted-by-court",),
        "reasons": Reasons(WORDS, WORDS, WORDS, WORDS, WORDS, WORDS), "place": Place("Station square", HERE),
        "starts_at": START, "ends_at": END, "cameras": (CameraZone("north", ZONE),), "people": PEOPLE,
    }  # fmt: skip
    return Plan(**(given | changed))


def good() -> Facts:
    """One hour into a deployment that is in order."""
    rules, planned = policy(), plan()
    documents = tuple(
        DocumentFact(uuid4(), one.code, one.title, True, AT - timedelta(days=10), AT + timedelta(days=50))
        for one in rules.documents
    )
    looks = tuple(Look("photo", item, START - timedelta(minutes=20), 30.0) for item in rules.signs.items)
    return Facts(
        at=AT,
        mode="operational",
        policy=rules,
        policy_digest=rules.digest,
        plan=planned,
        system=SystemFacts(
            "mercia", "3" * 64, "operational", ("north",), clock_ok=True, writer_ok=True, storage_ok=True,
            suspended=False, ledger_ok=True, certificate=CertificateFact("2" * 64, AT + timedelta(days=90), 5e-10),
        ),
        bundle=BUNDLE,
        listed=ListFacts(
            AT, entries=9_000, images=9_500, n_max=20_000, cap=rules.watchlist.cap, band=10_000, digest="4" * 64,
            by_category={"wanted-by-court": 9_000},
        ),
        people={
            name: Person(name, RANKS.get(name), frozenset({role})) for role, names in PEOPLE.items() for name in names
        },
        authority=Granted("anna", "superintendent", False, planned.digest, rules.digest, START, END),
        approved=ListApproved("anna", "4" * 64, 9_000, 10_000, START - timedelta(hours=2), BUNDLE.digest),
        documents=documents,
        looks=(*looks, Look("confirmation", "all", AT - timedelta(minutes=30), 20.0)),
        approvals=(),
        earlier=(Earlier("Last week", AT - timedelta(days=40), closed=True, reviewed=True, recorded=True),),
        notice_at=START - timedelta(hours=30),
        live_at=None,
    )  # fmt: skip


def bent(facts: Facts, **changed: Any) -> Facts:
    """The same with some facts changed."""
    return dataclasses.replace(facts, **changed)


def inside(facts: Facts, name: str, **changed: Any) -> Facts:
    """The same with some fields of one fact changed, be it a dataclass or a struct."""
    held = getattr(facts, name)
    change = dataclasses.replace if dataclasses.is_dataclass(held) else msgspec.structs.replace
    return bent(facts, **{name: change(held, **changed)})


def planned(facts: Facts, **changed: Any) -> Facts:
    """The same with another plan that was authorised and approved as it is."""
    new = msgspec.structs.replace(facts.plan, **changed)
    approvals = tuple(dataclasses.replace(one, plan_digest=new.digest) for one in facts.approvals)
    authority = facts.authority and dataclasses.replace(facts.authority, plan_digest=new.digest)
    return bent(facts, plan=new, approvals=approvals, authority=authority)


def ruled(facts: Facts, **changed: Any) -> Facts:
    """The same under another policy, under which everything was decided."""
    new = msgspec.structs.replace(facts.policy, **changed)
    authority = facts.authority and dataclasses.replace(facts.authority, policy_digest=new.digest)
    return bent(facts, policy=new, policy_digest=new.digest, authority=authority)


def in_church(facts: Facts) -> Facts:
    """The same at a sensitive place, with the authority and the approvals that it needs."""
    facts = planned(facts, place=Place("Church lane", CHURCH.polygon))
    facts = inside(facts, "authority", officer="anna", rank="assistant-chief-constable")
    given = [
        ApprovalFact(code, "approve", facts.plan.digest, AT - timedelta(days=1), AT + timedelta(days=1), "", who, rank)
        for code, who, rank in [("legal-advice", None, None), ("second-officer", "sue", "superintendent")]
    ]
    return bent(facts, approvals=tuple(given))
