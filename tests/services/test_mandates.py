"""Minting is the only way into `live`, and it looks at everything anew; time ends what nobody ends."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlmodel import col, select

from lfr.domain.errors import Conflict, GateClosed, LfrError, NotAllowed
from lfr.domain.lifecycle import URGENT_LAPSED, WINDOW_OVER
from lfr.services import deployments, mandates
from lfr.storage.database import Database, migrate
from lfr.storage.models import AuditEntry, WatchlistEntry
from lfr.storage.node import new_node
from tests.support.desk import BEFORE, FORCE_POLICY, Desk, add_people, new_desk
from tests.support.office import CAMERA, ENDS, STARTS, changed_policy

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def desk(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    yield await new_desk(db, new_node(tmp_path / "keys"))
    await db.dispose()


async def rules(desk: Desk, by: str = "petra") -> set[str]:
    """The rules of all that is missing."""
    with pytest.raises(GateClosed) as closed:
        await desk.mint(by)
    return {rule for rule, _, _ in closed.value.missing}


async def logged(desk: Desk, kind: str) -> list[dict[str, object]]:
    async with desk.db.session() as session:
        query = select(AuditEntry).where(col(AuditEntry.kind) == kind).order_by(col(AuditEntry.at))
        return [entry.payload for entry in (await session.exec(query)).all()]


@pytest.mark.rule("A1")
class TestGoLive:
    async def test_it_is_live_with_a_mandate_that_every_verifier_accepts(self, desk: Desk) -> None:
        await desk.ready()
        signed = await desk.mint()
        row = await desk.row()
        assert (row.state, row.live_at) == ("live", STARTS)
        mandate = desk.guard().check(signed, "north", CAMERA.digest)
        assert (mandate.band, mandate.threshold) == (5, desk.office.bundle.threshold_for(5).threshold)
        assert [one["mandate"] for one in await logged(desk, "mandate.minted")] == [str(mandate.id)]

    @pytest.mark.parametrize("steps", [0, 1, 2])
    async def test_before_it_is_ready_there_is_none(self, desk: Desk, steps: int) -> None:
        await desk.list_people()
        for step in (desk.submit, desk.authorise)[:steps]:
            await step()
        desk.at = STARTS
        with pytest.raises(Conflict):
            await desk.mint()
        assert await logged(desk, "mandate.minted") == []

    @pytest.mark.rule("A9")
    @pytest.mark.parametrize("by", ["olga", "wim", "evan", "audrey", "dora", "stranger", "nobody", "local:root"])
    async def test_only_whom_the_plan_names_to_operate_goes_live(self, desk: Desk, by: str) -> None:
        await desk.ready()
        with pytest.raises(NotAllowed):
            await desk.mint(by)
        assert await desk.state() == "ready"
        await desk.mint("edward")

    @pytest.mark.rule("A3")
    async def test_not_before_the_window_and_not_after_it(self, desk: Desk) -> None:
        await desk.ready()
        desk.at = STARTS - 2 * SECOND
        assert await rules(desk) == {"A3"}
        desk.at = ENDS
        assert await rules(desk) == {"A3"}
        desk.at = ENDS - SECOND
        await desk.mint()

    async def test_a_closed_gate_changes_nothing_and_is_logged_with_its_rules(self, desk: Desk) -> None:
        await desk.ready()
        desk.system = {"writer_ok": False, "clock_ok": False}
        before = await desk.row()
        assert await rules(desk) == {"H1", "M2"}
        after = await desk.row()
        assert (after.state, after.version) == ("ready", before.version)
        [payload] = await logged(desk, "deployment.gates-closed")
        assert payload["wanted"] == "go-live"
        assert set(payload["rules"]) == {"h1", "m2"}

    @pytest.mark.parametrize(
        ("rule", "system"),
        [
            ("H1", {"writer_ok": False}),
            ("M1", {"storage_ok": False}),
            ("M2", {"clock_ok": False}),
            ("H3", {"suspended": True}),
            ("C1", {"cameras": ("south",)}),
            ("A8", {"mode": "demo"}),
        ],
    )
    async def test_what_is_not_well_with_the_system_is_a_closed_gate_also_later(
        self, desk: Desk, rule: str, system: dict[str, object]
    ) -> None:
        await desk.live()
        await deployments.pause(desk.db, desk.deployment_id, by="system", reason="envelope", at=desk.at)
        desk.system = system
        assert rule in await rules(desk)
        assert await desk.state() == "paused"
        desk.system = {}
        await desk.mint("system")
        assert await desk.state() == "live"

    @pytest.mark.rule("D1")
    async def test_another_threshold_than_the_list_was_approved_for_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        terms = desk.terms
        lower = tuple(msgspec.structs.replace(one, threshold=one.threshold - 0.01) for one in terms.bundle.thresholds)
        changed = dataclasses.replace(terms, bundle=msgspec.structs.replace(terms.bundle, thresholds=lower))
        with pytest.raises(GateClosed, match="threshold"):
            await desk.mint(terms=changed)

    async def test_another_policy_than_it_was_planned_under_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        terms = dataclasses.replace(desk.terms, policy=changed_policy(FORCE_POLICY, watchlist={"cap": 100}))
        with pytest.raises(GateClosed, match="policy has changed"):
            await desk.mint(terms=terms)

    async def test_another_force_or_registrar_is_refused(self, desk: Desk) -> None:
        await desk.ready()
        for changed in ({"force": "south-force"}, {"registrar": "f" * 64}):
            desk.system = changed
            with pytest.raises(LfrError):
                await desk.mint()
        assert await desk.state() == "ready"

    @pytest.mark.rule("B4")
    async def test_a_list_approved_too_long_before_is_refused(self, desk: Desk) -> None:
        desk = await new_desk(desk.db, desk.node, starts_at=BEFORE + 24 * HOUR, ends_at=BEFORE + 30 * HOUR)
        await desk.list_people()
        await desk.submit()
        await desk.authorise()
        await desk.approve_list()
        desk.at = BEFORE + 24 * HOUR + SECOND
        assert "B4" in await rules(desk)

    async def test_an_entry_that_leaves_the_list_needs_no_approval_and_a_stored_leaf_that_changed_is_refused(
        self, desk: Desk
    ) -> None:
        await desk.ready(3)
        async with desk.db.transaction() as session:
            one, other, _ = (await session.exec(select(WatchlistEntry))).all()
            one.revoked_at, one.revoked_by = desk.at, "wim"
        await desk.mint()
        async with desk.db.transaction() as session:
            session.add(other)
            other.leaf = "f" * 64
        with pytest.raises(LfrError):
            await desk.mint()

    async def test_paused_it_goes_on_only_with_a_fresh_mandate(self, desk: Desk) -> None:
        first = mandates.opened(await desk.live())
        await deployments.pause(desk.db, desk.deployment_id, by="system", reason="capacity", at=desk.at)
        assert await desk.state() == "paused"
        desk.at += HOUR
        second = mandates.opened(await desk.mint("system"))
        assert (await desk.row()).live_at == STARTS
        assert second.id != first.id
        assert await logged(desk, "deployment.gates-closed") == []


@pytest.mark.rule("A3")
class TestDue:
    async def due(self, desk: Desk, system: str | None = "van") -> list[tuple[str, object]]:
        return [(one.what, one.reason) for one in await mandates.due(desk.db, desk.policy, desk.at, system=system)]

    async def test_nothing_is_due_while_all_is_in_time(self, desk: Desk) -> None:
        assert await self.due(desk) == []
        await desk.live()
        assert await self.due(desk) == []
        desk.at = ENDS - SECOND
        assert await self.due(desk) == []

    async def test_the_window_ends_and_so_does_the_deployment(self, desk: Desk) -> None:
        await desk.live()
        desk.at = ENDS
        assert await self.due(desk, "another") == []
        assert await self.due(desk) == [("over", WINDOW_OVER)]
        [one] = await mandates.due(desk.db, desk.policy, desk.at)
        row = await mandates.settle(desk.db, one, at=desk.at)
        assert (row.state, row.state_reason, row.ended_at) == ("ended", WINDOW_OVER, ENDS)
        assert await self.due(desk) == []
        with pytest.raises(Conflict):
            await desk.mint()

    async def test_an_extension_moves_it(self, desk: Desk) -> None:
        await desk.live()
        await desk.extend(ENDS + HOUR)
        desk.at = ENDS
        assert await self.due(desk) == []

    @pytest.mark.rule("A4")
    @pytest.mark.parametrize("confirmed", [False, True])
    async def test_an_urgent_authority_lapses_unless_it_is_confirmed(self, desk: Desk, confirmed: bool) -> None:
        await desk.list_people()
        await desk.submit()
        await desk.authorise(urgent=True)
        await desk.approve_list(desk.ian)
        desk.at = STARTS
        await desk.mint()
        if confirmed:
            await desk.authorise()
        desk.at = BEFORE + 4 * HOUR
        assert await self.due(desk) == ([] if confirmed else [("lapsed", URGENT_LAPSED)])

    @pytest.mark.rule("B4")
    async def test_a_list_that_waits_too_long_is_no_longer_ready(self, desk: Desk) -> None:
        desk = await new_desk(desk.db, desk.node, starts_at=BEFORE + 25 * HOUR, ends_at=BEFORE + 30 * HOUR)
        await desk.list_people()
        await desk.submit()
        await desk.authorise()
        await desk.approve_list()
        desk.at = BEFORE + 24 * HOUR
        [one] = await mandates.due(desk.db, desk.policy, desk.at)
        assert (one.what, (await mandates.settle(desk.db, one, at=desk.at)).state) == ("aged", "authorised")
        assert (await desk.approve_list()).state == "ready"
