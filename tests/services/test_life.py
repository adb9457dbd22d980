"""Any sequence of steps, by anybody, with clocks that jump: nothing reaches `live` past a closed gate, and nothing that
was closed can be opened again, not even with an earlier copy of the database.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing as closed_after
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from lfr.domain import gates
from lfr.domain.authority import Endorsed, Oversight
from lfr.domain.errors import LfrError, MandateRefused
from lfr.domain.lifecycle import PAUSED_BY_PERSON
from lfr.domain.mandate import Guard
from lfr.domain.signing import Signed, public_key_of, sign
from lfr.services import (
    authorities,
    closing,
    deployments,
    drafts,
    entries,
    facts,
    mandates,
    oversight,
    retention,
)
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment
from lfr.storage.node import new_node
from lfr.storage.vault import Vault
from tests.support.desk import BEFORE, FORCE_POLICY, PEOPLE, ROLE_OF, add_people, new_desk
from tests.support.enrolled import enrol, still_opening
from tests.support.office import CAMERA, STARTS

BODY = Ed25519PrivateKey.generate()
POLICY = msgspec.structs.replace(FORCE_POLICY, oversight=(public_key_of(BODY),))
NAMES = [*ROLE_OF, "stranger", "nobody", "local:root", "system"]
HAPPENED: Counter[str] = Counter()
"""What the machine really did, over all runs: a machine that never goes live proves nothing."""


class Life(RuleBasedStateMachine):
    """One system, its people, its clock, and one deployment after another."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="lfr-life-"))
        self.signed: list[tuple[str, Endorsed]] = []
        self.mandates: list[Signed] = []
        self.copies: list[Path] = []
        self.entries: list[UUID] = []
        self.latest = BEFORE
        self.minting = False
        self.was_live = False

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.run(self.db.dispose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def run(self, step: Awaitable):
        return self.runner.run(step)

    def tried(self, what: str, step: Awaitable) -> object:
        """What a step gave, or None when it was refused. Anything but an error of ours is a bug."""
        try:
            given = self.run(step)
        except LfrError:
            return None
        HAPPENED[what] += 1
        return given

    @initialize(steps=st.sampled_from([0, 3, 4, 5, 6]))
    def begin(self, steps: int) -> None:
        url = f"sqlite+aiosqlite:///{self.folder / 'lfr.db'}"
        self.node = new_node(self.folder / "keys")

        async def made() -> None:
            await migrate(url)
            self.db = Database(url)
            await add_people(self.db)
            self.desk = await new_desk(self.db, self.node, POLICY)

        self.run(made())
        self.vault: Vault = self.node.vault()
        if steps:
            self.people_are_listed(2)
            self.all_goes_as_it_should_for_a_while(steps, "stop")

    @property
    def where(self) -> tuple[Database, UUID]:
        return self.db, self.desk.deployment_id

    def row(self) -> Deployment:
        return self.run(self.desk.row())

    # Time and the state of things.

    @rule(minutes=st.sampled_from([1, 30, 61, 120, 240, 400, 1500, -5, -90]))
    def time_passes_or_the_clock_is_set(self, minutes: int) -> None:
        self.desk.at += timedelta(minutes=minutes)
        self.latest = max(self.latest, self.desk.at)
        self.desk.system |= {"clock_ok": self.desk.at >= self.latest - timedelta(seconds=5)}

    @rule(name=st.sampled_from(["writer_ok", "storage_ok"]), well=st.booleans())
    def something_breaks_or_is_mended(self, name: str, well: bool) -> None:
        self.desk.system |= {name: well}

    @rule(count=st.integers(1, 3))
    def people_are_listed(self, count: int) -> None:
        if self.row().state not in deployments.OVER:
            self.entries += self.run(enrol(self.db, self.vault, self.desk.deployment_id, count))

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def somebody_is_taken_off(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(self.entries))
        self.tried("revoke", entries.revoke(*self.where, chosen, by="wim"))

    @rule()
    def the_database_is_copied(self) -> None:
        copy = self.folder / f"copy-{len(self.copies)}.db"
        with closed_after(sqlite3.connect(self.folder / "lfr.db")) as source, closed_after(sqlite3.connect(copy)) as to:
            source.backup(to)
        self.copies.append(copy)

    # What people do.

    @rule(by=st.sampled_from(NAMES), whole=st.booleans())
    def the_plan_is_changed(self, by: str, whole: bool) -> None:
        people = PEOPLE if whole else PEOPLE | {"operator": ("olga",)}
        plan = self.desk.office.plan(people=people, title=f"Plan {len(self.signed)}")
        self.tried("change", deployments.change_plan(*self.where, plan, version=None, policy=POLICY, by=by))

    @rule(by=st.sampled_from(NAMES))
    def it_is_submitted_or_taken_back(self, by: str) -> None:
        step = deployments.withdraw if by == "edward" else deployments.submit
        given = {} if by == "edward" else {"terms": self.desk.terms}
        self.tried("submit", step(*self.where, by=by, at=self.desk.at, **given))

    def decided(self, kind: str, name: str, draw: Callable[[], Awaitable]) -> None:
        """Somebody signs a decision and gives it; it is kept, to be given again some other time."""
        officer = {"olga": self.desk.olga, "ian": self.desk.ian}.get(name) or self.desk.office.officer(name, "lead")
        said = self.tried("drawn", draw())
        if said is not None:
            self.signed.append((kind, officer.endorse(said)))
            self.given(*self.signed[-1])

    def given(self, kind: str, signed: Endorsed) -> None:
        step = getattr(authorities, kind)
        self.tried(kind, step(*self.where, signed, **self.desk.judged))

    SIGNERS = st.sampled_from(["olga", "olga", "ian", "petra", "stranger"])

    @rule(name=SIGNERS, urgent=st.booleans())
    def it_is_authorised(self, name: str, urgent: bool) -> None:
        async def draw():
            return drafts.authorisation(await self.desk.row(), POLICY, name, urgent=urgent, at=self.desk.at)

        self.decided("authorise", name, draw)

    @rule(name=SIGNERS)
    def it_is_refused(self, name: str) -> None:
        async def draw():
            return drafts.refusal(await self.desk.row(), name, "No.", at=self.desk.at)

        self.decided("refuse", name, draw)

    @rule(name=SIGNERS)
    def the_list_is_approved(self, name: str) -> None:
        where, at = self.where, self.desk.at
        self.decided("approve_list", name, lambda: drafts.list_approval(*where, name, POLICY, room=2, at=at))

    @rule(name=SIGNERS)
    def the_list_is_amended(self, name: str) -> None:
        self.decided("amend_list", name, lambda: drafts.list_amendment(*self.where, name, at=self.desk.at))

    @rule(name=SIGNERS, hours=st.sampled_from([1, 5, 11, 13]))
    def it_is_extended(self, name: str, hours: int) -> None:
        until, at = STARTS + timedelta(hours=hours), self.desk.at
        self.decided("extend", name, lambda: drafts.extension(*self.where, name, until, "More.", at=at))

    @rule(name=SIGNERS)
    def it_is_restarted(self, name: str) -> None:
        async def draw():
            return drafts.restart(await self.desk.row(), name, "Well again.", at=self.desk.at)

        self.decided("restart", name, draw)

    @precondition(lambda self: self.signed)
    @rule(data=st.data())
    def an_earlier_decision_is_given_again(self, data: st.DataObject) -> None:
        self.given(*data.draw(st.sampled_from(self.signed)))

    @rule(decision=st.sampled_from(["suspend", "reinstate"]), real=st.booleans())
    def oversight_speaks(self, decision: str, real: bool) -> None:
        said = Oversight(self.desk.deployment_id, decision, self.desk.at, "A complaint.")
        signed = sign(said, BODY if real else self.desk.olga.key)
        self.tried(decision, oversight.apply(*self.where, signed, policy=POLICY, at=self.desk.at))

    # Running.

    @rule(by=st.sampled_from(NAMES))
    def somebody_goes_live(self, by: str) -> None:
        before, missing = self.row(), self.missing()
        self.minting = True
        signed = self.tried("live", self.desk.mint(by))
        if signed is None:
            assert self.row().state == before.state
            waits = by == "system" and before.state == "paused" and before.state_reason == PAUSED_BY_PERSON
            if by in {"petra", "edward", "system"} and before.state in {"ready", "paused", "live"} and not waits:
                assert missing, "every gate was open, and yet there was no mandate"
            return
        assert not missing, f"minted although {missing} was missing"
        assert before.state in {"ready", "paused", "live"}
        assert by in {"petra", "edward", "system"} or before.state == "live"
        mandate = self.desk.guard().check(signed, "north", CAMERA.digest)
        assert mandate.list_digest == before.list_digest
        self.mandates.append(signed)

    def missing(self) -> list[str]:
        """What the gates say by themselves, before anybody asks for a mandate."""
        terms, state = self.desk.terms, self.row().state
        given = {"policy": POLICY, "bundle": terms.bundle, "system": terms.system, "at": self.desk.at}
        found = self.run(facts.gather(*self.where, **given))
        wanted = "go-live" if state == "ready" else "continue"
        return [one.rule for one in gates.missing(found, wanted) if one.blocks]

    @rule(by=st.sampled_from(NAMES), step=st.sampled_from(["pause", "stop", "end"]))
    def it_is_paused_stopped_or_ended(self, by: str, step: str) -> None:
        self.tried(step, getattr(deployments, step)(*self.where, by=by, reason="asked", at=self.desk.at))

    @rule()
    def the_supervisor_looks(self) -> None:
        for one in self.run(mandates.due(self.db, POLICY, self.desk.at)):
            self.tried("settle", mandates.settle(self.db, one, at=self.desk.at))

    @rule()
    def the_timers_are_swept(self) -> None:
        self.run(retention.due(self.db, self.vault, POLICY, self.desk.at))

    @rule(by=st.sampled_from(NAMES))
    def it_is_closed(self, by: str) -> None:
        self.tried("close", closing.close(self.db, self.vault, self.desk.deployment_id, by=by, at=self.desk.at))

    @rule(steps=st.integers(1, 4), then=st.sampled_from(["pause", "stop", "end"]))
    def all_goes_as_it_should_for_a_while(self, steps: int, then: str) -> None:
        self.desk.system = {"clock_ok": self.desk.at >= self.latest - timedelta(seconds=5)}
        for _ in range(steps):
            match self.row().state:
                case "draft":
                    self.it_is_submitted_or_taken_back("petra")
                case "submitted":
                    self.it_is_authorised("olga", urgent=False)
                case "authorised":
                    self.the_list_is_approved("olga")
                case "ready" | "paused":
                    if self.desk.at < STARTS:
                        self.time_passes_or_the_clock_is_set(61)
                    self.somebody_goes_live("petra")
                case "live":
                    self.it_is_paused_stopped_or_ended("petra", then)
                case "stopped":
                    self.it_is_restarted("olga")
                case "ended":
                    self.it_is_closed("wim")

    @rule(then=st.sampled_from(["pause", "stop", "end"]))
    def the_right_step_is_taken(self, then: str) -> None:
        self.all_goes_as_it_should_for_a_while(1, then)

    @rule(then=st.sampled_from(["pause", "stop", "end"]))
    def the_right_steps_are_taken(self, then: str) -> None:
        self.all_goes_as_it_should_for_a_while(2, then)

    @precondition(lambda self: self.row().state == "closed")
    @rule()
    def the_next_one_is_planned(self) -> None:
        at, system = self.desk.at, self.desk.system
        self.desk = self.run(new_desk(self.db, self.node, POLICY, made_at=min(at, STARTS)))
        self.desk.at, self.desk.system = at, system
        self.signed, self.entries, self.was_live = [], [], False

    # What always holds.

    @invariant()
    def nothing_is_live_without_a_mandate(self) -> None:
        if not hasattr(self, "desk"):
            return
        live = self.row().state == "live"
        assert not live or self.was_live or self.minting
        self.was_live, self.minting = live, False

    @invariant()
    def no_mandate_opens_anything_after_its_time(self) -> None:
        for signed in self.mandates[-2:]:
            said = mandates.opened(signed)
            guard = Guard(
                self.desk.office.anchor(deployment_id=said.deployment_id), self.desk.at.timestamp, lambda: 0.0
            )
            try:
                guard.check(signed, "north", CAMERA.digest)
            except MandateRefused:
                continue
            assert said.issued_at <= self.desk.at + timedelta(seconds=2)
            assert said.starts_at - timedelta(seconds=1) <= self.desk.at < said.ends_at
            assert said.ends_at - said.starts_at <= timedelta(hours=12)

    @invariant()
    def nothing_closed_opens_again(self) -> None:
        if not hasattr(self, "desk"):
            return
        closed = [row.id for row in self.run(_all(self.db)) if row.state == "closed"]
        for name in [*self.copies, self.folder / "lfr.db"] if closed else []:
            assert not self.run(still_opening(f"sqlite+aiosqlite:///{name}", self.node.vault(), closed))


async def _all(db: Database) -> list[Deployment]:
    async with db.session() as session:
        return list((await session.exec(select(Deployment))).all())


@pytest.mark.rule("A1")
@pytest.mark.rule("A3")
@pytest.mark.rule("A13")
@pytest.mark.rule("G3")
def test_no_sequence_of_steps_goes_live_past_a_gate_or_leaves_anything_readable_after_the_close() -> None:
    HAPPENED.clear()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
    wanted = {"submit", "authorise", "approve_list", "live"}
    assert wanted <= set(HAPPENED), f"never happened: {sorted(wanted - set(HAPPENED))}"


@pytest.mark.rule("A13")
@pytest.mark.rule("G3")
def test_the_machine_itself_can_walk_from_a_draft_to_the_close_of_two_deployments() -> None:
    """Without this, the test above could prove nothing: its steps might all be refused."""
    HAPPENED.clear()
    life = Life()
    try:
        life.begin(4)
        for _ in range(2):
            life.the_database_is_copied()
            for then, steps in (("stop", 3), ("pause", 2), ("end", 1)):
                life.all_goes_as_it_should_for_a_while(steps, then)
                life.nothing_is_live_without_a_mandate()
                life.no_mandate_opens_anything_after_its_time()
            copy = f"sqlite+aiosqlite:///{life.copies[-1]}"
            copied = life.run(still_opening(copy, life.node.vault(), [life.desk.deployment_id]))
            assert copied == set(life.entries)  # before the close the copy still opens
            assert life.row().state == "ended"
            life.it_is_closed("wim")
            assert life.row().state == "closed"
            life.nothing_closed_opens_again()
            life.the_next_one_is_planned()
            life.people_are_listed(1)
            life.all_goes_as_it_should_for_a_while(4, "end")
    finally:
        life.teardown()
    assert HAPPENED["close"] == 2
    assert {"stop", "restart", "pause", "end", "live"} <= set(HAPPENED)
