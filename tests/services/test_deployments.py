"""Who may take which step, and what a step leaves behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from lfr.domain.duties import ACCOUNTS, CONSOLE, UNNAMED, require_duty
from lfr.domain.errors import ConfigError, Conflict, NotAllowed, NotFound
from lfr.domain.lifecycle import PAUSED_BY_PERSON
from lfr.domain.policy import ROLES
from lfr.services import deployments, policies
from lfr.storage.database import Database, migrate
from lfr.storage.models import AuditEntry
from lfr.storage.node import new_node
from tests.support.desk import MADE, PEOPLE, ROLE_OF, Desk, add_people, new_desk
from tests.support.office import STARTS, Office

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    yield await new_desk(db, new_node(tmp_path / "keys"))
    await db.dispose()


PLAN = Office().plan(people=PEOPLE)


@pytest.mark.rule("A9")
class TestDuties:
    @given(step=st.sampled_from(sorted(ACCOUNTS)), name=st.sampled_from(sorted(ROLE_OF)))
    def test_a_step_needs_the_role_in_the_account_and_in_the_plan(self, step, name: str) -> None:
        role = ROLE_OF[name]
        if role in ACCOUNTS[step]:
            require_duty(step, name, (role,), PLAN)
            return
        with pytest.raises(NotAllowed):
            require_duty(step, name, (role,), PLAN)
        # Every role in the account is not enough where the plan names the person for another part.
        if step not in UNNAMED:
            with pytest.raises(NotAllowed):
                require_duty(step, name, ROLES, Office().plan(people={role: (name,)}))

    @given(step=st.sampled_from(sorted(set(ACCOUNTS) - UNNAMED)))
    def test_whom_no_plan_names_acts_in_none(self, step) -> None:
        with pytest.raises(NotAllowed, match="does not name"):
            require_duty(step, "stranger", ROLES, PLAN)

    def test_the_authorising_officer_does_not_operate(self) -> None:
        assert "authorising-officer" not in ACCOUNTS["go-live"]
        assert "go-live" not in CONSOLE

    @pytest.mark.rule("A13")
    def test_everybody_may_stop(self) -> None:
        assert ACCOUNTS["stop"] == set(ROLES)

    async def test_nobody_without_an_account_does_anything(self, desk: Desk) -> None:
        for by in ("nobody", "", "System", "local"):
            with pytest.raises(NotAllowed):
                await deployments.submit(desk.db, desk.deployment_id, by=by, **desk.judged)

    @pytest.mark.parametrize("by", ["evan", "audrey", "dora"])
    async def test_whose_part_it_is_not_neither_plans_nor_cancels(self, desk: Desk, by: str) -> None:
        args = (desk.db, desk.deployment_id)
        with pytest.raises(NotAllowed):
            await deployments.change_plan(*args, PLAN, version=None, policy=desk.policy, by=by)
        with pytest.raises(NotAllowed):
            await deployments.end(*args, by=by, at=desk.at)
        await desk.live()
        for step in (deployments.pause, deployments.end):
            with pytest.raises(NotAllowed):
                await step(*args, by=by, reason="asked", at=desk.at)

    async def test_whoever_sits_at_the_machine_stops_and_ends_and_does_not_go_live(self, desk: Desk) -> None:
        await desk.ready()
        with pytest.raises(NotAllowed, match="needs an account"):
            await desk.mint("local:root")
        await desk.mint()
        await deployments.stop(desk.db, desk.deployment_id, by="local:root", at=desk.at)
        assert (await deployments.end(desk.db, desk.deployment_id, by="local:root", at=desk.at)).state == "ended"


class TestPause:
    async def test_what_a_person_paused_only_a_person_resumes(self, desk: Desk) -> None:
        await desk.live()
        row = await deployments.pause(desk.db, desk.deployment_id, by="petra", reason="rain", at=desk.at)
        assert row.state_reason == PAUSED_BY_PERSON
        with pytest.raises(Conflict, match="a person paused it"):
            await desk.mint("system")
        await desk.mint("petra")
        row = await deployments.pause(desk.db, desk.deployment_id, by="system", reason="capacity", at=desk.at)
        assert row.state_reason == "capacity"
        await desk.mint("system")
        assert await desk.state() == "live"

    @pytest.mark.parametrize("reason", ["", "Too dark, sorry", "x" * 81, "a\nb"])
    async def test_a_reason_is_a_code_word_or_refused_in_plain_words(self, desk: Desk, reason: str) -> None:
        await desk.live()
        for step in (deployments.pause, deployments.stop, deployments.end):
            with pytest.raises(ConfigError, match="code word"):
                await step(desk.db, desk.deployment_id, by="petra", reason=reason, at=desk.at)
        assert await desk.state() == "live"


class TestPlan:
    @pytest.mark.rule("A6")
    @pytest.mark.parametrize("changed", [{"use_case": "whatever"}, {"categories": ("persons-of-interest",)}])
    async def test_what_the_policy_does_not_have_cannot_be_planned(self, desk: Desk, changed) -> None:
        plan = desk.office.plan(people=PEOPLE, **changed)
        with pytest.raises(ConfigError, match="no such"):
            await deployments.change_plan(
                desk.db, desk.deployment_id, plan, version=None, policy=desk.policy, by="petra"
            )
        with pytest.raises(ConfigError, match="no such"):
            await new_desk(desk.db, desk.node, **changed)
        assert (await desk.row()).version == 1

    @pytest.mark.rule("B1")
    async def test_a_disabled_category_cannot_be_planned_nor_a_policy_for_other_modes(self, desk: Desk) -> None:
        policy = policies.load("uk-default")
        given = {"system": "van", "pack": "double", "pack_digest": "2" * 64, "policy": policy, "by": "petra"}
        office = Office(policy)
        with pytest.raises(ConfigError, match="no such category"):
            await deployments.make(
                desk.db, mode="research", plan=office.plan(categories=("victim-or-witness",)), **given
            )
        with pytest.raises(ConfigError, match="not for demo"):
            await deployments.make(desk.db, mode="demo", plan=office.plan(), **given)

    async def test_a_window_without_a_zone_is_refused(self, desk: Desk) -> None:
        plan = desk.office.plan(starts_at=datetime(2026, 12, 1, 10), people=PEOPLE)  # noqa: DTZ001
        with pytest.raises(ConfigError, match="no zone"):
            await deployments.change_plan(desk.db, desk.deployment_id, plan, version=1, policy=desk.policy, by="petra")

    async def test_only_a_draft_is_changed_and_each_change_is_logged(self, desk: Desk) -> None:
        plan = desk.office.plan(title="Another market", people=PEOPLE)
        row = await deployments.change_plan(
            desk.db, desk.deployment_id, plan, version=1, policy=desk.policy, by="petra"
        )
        assert (row.version, row.plan_digest, row.policy_digest) == (2, plan.digest, desk.policy.digest)
        async with desk.db.session() as session:
            query = select(AuditEntry).where(col(AuditEntry.kind) == "deployment.plan-changed")
            [entry] = (await session.exec(query)).all()
        assert (entry.actor, entry.payload) == ("petra", {"plan_digest": plan.digest})
        await desk.submit()
        with pytest.raises(Conflict):
            await deployments.change_plan(
                desk.db, desk.deployment_id, plan, version=None, policy=desk.policy, by="petra"
            )


class TestFinding:
    async def test_the_current_one_is_the_one_that_runs_else_the_newest(self, desk: Desk) -> None:
        assert (await deployments.current(desk.db, "another")) is None
        newer = await new_desk(desk.db, desk.node, made_at=MADE + HOUR)
        assert (await deployments.current(desk.db, "van")).id == newer.deployment_id
        await desk.ready()
        assert (await deployments.current(desk.db, "van")).id == desk.deployment_id
        newer.at = STARTS - HOUR
        await newer.ready()
        await desk.mint()
        assert (await deployments.current(desk.db, "van")).id == desk.deployment_id
        await deployments.end(desk.db, desk.deployment_id, by="petra", at=desk.at)
        assert (await deployments.current(desk.db, "van")).id == newer.deployment_id

    async def test_one_is_found_by_the_first_digits_of_its_id(self, desk: Desk) -> None:
        assert (await deployments.find(desk.db, "van", str(desk.deployment_id)[:6].upper())).id == desk.deployment_id
        assert (await deployments.find(desk.db, "van")).id == desk.deployment_id
        with pytest.raises(NotFound):
            await deployments.find(desk.db, "another")
        with pytest.raises(NotFound):
            await deployments.find(desk.db, "van", "zz")
        with pytest.raises(NotFound):
            await deployments.get_deployment(desk.db, uuid4())
        with pytest.raises(NotFound):
            await deployments.stop(desk.db, uuid4(), by="petra")
