"""A deployment in a real database, and the people who decide about it, for tests of its life."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlmodel import col, select

from lfr.domain.authority import Decision, Endorsed
from lfr.domain.gates import SystemFacts
from lfr.domain.mandate import Guard
from lfr.domain.policy import ROLES, Policy
from lfr.domain.signing import Signed
from lfr.services import authorities, deployments, drafts, mandates, policies
from lfr.services.terms import Terms
from lfr.storage.database import Database
from lfr.storage.models import Deployment, SignedDecision, User, WatchlistEntry, WatchlistImage
from lfr.storage.node import Node
from tests.support.office import CAMERA, STARTS, Office, Officer, changed_policy

BEFORE = STARTS - timedelta(hours=1)
MADE = BEFORE - timedelta(hours=3)
_DEMO = policies.load("demo")
FORCE_POLICY: Policy = msgspec.structs.replace(
    changed_policy(_DEMO, authority={"self_signed": False}),
    conflicts=(("authorising-officer", "operator"), ("authorising-officer", "watchlist-owner")),
)
"""Few things are required, but nobody authorises himself and parts are kept apart."""

PEOPLE = {
    "authorising-officer": ("olga", "ian"),
    "operator": ("petra",),
    "engineer": ("edward",),
    "watchlist-owner": ("wim",),
    "engagement-officer": ("evan",),
    "auditor": ("audrey",),
    "data-protection-officer": ("dora",),
}
ROLE_OF = {name: role for role, names in PEOPLE.items() for name in names}


@dataclass
class Desk:
    """One deployment. at: the moment of everything that is done. system: what the system says of itself, if not
    that all is well."""

    db: Database
    node: Node
    deployment_id: UUID
    at: datetime = BEFORE
    policy: Policy = FORCE_POLICY
    system: dict[str, Any] = field(default_factory=dict)
    office: Office = field(init=False)
    olga: Officer = field(init=False)
    ian: Officer = field(init=False)

    def __post_init__(self) -> None:
        self.office = Office(self.policy, registrar=self.node.registrar, minter=self.node.minter)
        self.olga = self.office.officer("olga", "lead")
        self.ian = self.office.officer("ian", "volunteer")

    @property
    def terms(self) -> Terms:
        """What steps are judged by."""
        system = SystemFacts(
            force=self.office.force, registrar=self.node.registrar_key, mode="research", cameras=("north",),
            clock_ok=True, writer_ok=True, storage_ok=True, suspended=False, ledger_ok=True,
        )  # fmt: skip
        return Terms(self.policy, self.office.bundle, dataclasses.replace(system, **self.system))

    @property
    def judged(self) -> dict[str, Any]:
        """The same, and when."""
        return {"terms": self.terms, "at": self.at}

    async def row(self) -> Deployment:
        """As it stands."""
        return await deployments.get_deployment(self.db, self.deployment_id)

    async def state(self) -> str:
        """As it stands."""
        return (await self.row()).state

    async def list_people(self, count: int = 1) -> list[UUID]:
        """Put people on the list."""
        return await list_people(self.db, self.deployment_id, count, self.at)

    async def submit(self) -> Deployment:
        """By its operator."""
        return await deployments.submit(self.db, self.deployment_id, by="petra", **self.judged)

    async def authorise(
        self, officer: Officer | None = None, *, urgent: bool = False, said: Decision | None = None
    ) -> Deployment:
        """By olga, or ian if urgent."""
        officer = officer or (self.ian if urgent else self.olga)
        said = said or drafts.authorisation(await self.row(), self.policy, officer.name, urgent=urgent, at=self.at)
        return await authorities.authorise(self.db, self.deployment_id, officer.endorse(said), **self.judged)

    async def approve_list(self, officer: Officer | None = None, *, band: int | None = None) -> Deployment:
        """The list as it stands."""
        officer = officer or self.olga
        said = await drafts.list_approval(self.db, self.deployment_id, officer.name, self.policy, band=band, at=self.at)
        return await self.give_list(officer.endorse(said))

    async def give_list(self, given: Endorsed) -> Deployment:
        """An approval as it was signed."""
        return await authorities.approve_list(self.db, self.deployment_id, given, **self.judged)

    async def amend(self, officer: Officer | None = None) -> Deployment:
        """What was added since."""
        officer = officer or self.olga
        said = await drafts.list_amendment(self.db, self.deployment_id, officer.name, at=self.at)
        assert said is not None
        return await authorities.amend_list(self.db, self.deployment_id, officer.endorse(said), **self.judged)

    async def extend(self, until: datetime, officer: Officer | None = None) -> Deployment:
        """A later end."""
        officer = officer or self.olga
        said = await drafts.extension(self.db, self.deployment_id, officer.name, until, "Seen nearby.", at=self.at)
        return await authorities.extend(self.db, self.deployment_id, officer.endorse(said), **self.judged)

    async def restart(self, officer: Officer | None = None) -> Deployment:
        """After a stop."""
        officer = officer or self.olga
        said = drafts.restart(await self.row(), officer.name, "All is well again.", at=self.at)
        return await authorities.restart(self.db, self.deployment_id, officer.endorse(said), **self.judged)

    async def mint(self, by: str = "petra", **changed: Any) -> Signed:
        """Go live, or on."""
        return await mandates.mint(self.db, self.node, self.deployment_id, **(self.judged | {"by": by} | changed))

    def guard(self) -> Guard:
        """A verifier whose clocks stand at `at`."""
        anchor = self.office.anchor(deployment_id=self.deployment_id)
        seconds = self.at.timestamp()
        return Guard(anchor, lambda: seconds, lambda: seconds)

    async def ready(self, people: int = 3) -> None:
        """Everything up to the approved list, at the start of the window."""
        await self.list_people(people)
        await self.submit()
        await self.authorise()
        await self.approve_list()
        self.at = STARTS

    async def live(self, people: int = 3) -> Signed:
        """And live."""
        await self.ready(people)
        return await self.mint()

    async def decisions(self) -> list[str]:
        """The kinds of what was decided, in order."""
        async with self.db.session() as session:
            query = (
                select(SignedDecision)
                .where(col(SignedDecision.deployment_id) == self.deployment_id)
                .order_by(col(SignedDecision.ordinal))
            )
            return [one.kind for one in (await session.exec(query)).all()]


async def list_people(db: Database, deployment_id: UUID, count: int, at: datetime) -> list[UUID]:
    """Rows as enrolment makes them, with made-up templates; the entries' ids."""
    owner = {"deployment_id": deployment_id}
    kind = {"category": "volunteer", "action": "greet", "added_by": "wim", "placed": True}
    measured = {"dim": 4, "face_px": 80, "sharpness": 20, "score": 0.9, "source": "volunteer", "lawful_hold": "consent"}
    made = []
    async with db.transaction() as session:
        for _ in range(count):
            entry = WatchlistEntry(**owner, **kind, label_sealed=None, label_mac=uuid4().bytes, added_at=at)
            image = {"template_sealed": uuid4().bytes, "picture_sealed": None, "picture_mac": uuid4().bytes}
            session.add_all([entry, WatchlistImage(**owner, **measured, **image, entry_id=entry.id)])
            made.append(entry.id)
    return made


async def add_people(db: Database) -> None:
    """The accounts of everybody in PEOPLE, and of somebody whom no plan names."""
    ranks = {"olga": "lead", "ian": "volunteer"}
    async with db.transaction() as session:
        for name, role in ROLE_OF.items():
            session.add(User(name=name, roles=[role], rank=ranks.get(name), password_hash="-", must_change=False))
        session.add(User(name="stranger", roles=list(ROLES), rank="lead", password_hash="-", must_change=False))


async def new_desk(
    db: Database, node: Node, policy: Policy = FORCE_POLICY, *, made_at: datetime = MADE, **changed: Any
) -> Desk:
    """A draft with a whole plan, made by its operator."""
    office = Office(policy)
    plan = office.plan(**({"people": PEOPLE} | changed))
    made = await deployments.make(
        db, system="van", mode="research", pack="double", pack_digest="2" * 64, policy=policy, plan=plan,
        by="petra", at=made_at,
    )  # fmt: skip
    assert CAMERA.camera == plan.cameras[0].camera
    return Desk(db, node, made.id, policy=policy)
