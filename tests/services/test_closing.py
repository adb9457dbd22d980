"""After the end: destroyed, counted, closed, and what is owed to the public filed before the next authority."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from lfr.cli.made_list import alert
from lfr.domain.errors import Conflict, GateClosed, NotAllowed, NotFound
from lfr.domain.lifecycle import URGENT_LAPSED
from lfr.services import alerts, closing, deployments, mandates, retention
from lfr.storage.database import Database, migrate
from lfr.storage.models import AuditEntry, StoredObject
from lfr.storage.node import new_node
from lfr.storage.vault import Ring
from tests.support.desk import FORCE_POLICY, Desk, add_people, new_desk
from tests.support.enrolled import enrol, still_opening
from tests.support.office import STARTS, changed_policy

HOUR = timedelta(hours=1)
POLICY = changed_policy(FORCE_POLICY, review={"review_days": 31.0, "record_days": 7.0})


@pytest.fixture
async def desk(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    desk = await new_desk(db, new_node(tmp_path / "keys"), POLICY)
    desk.url, desk.vault = url, desk.node.vault()
    yield desk
    await db.dispose()


async def ended(desk: Desk, people: int = 2):
    """A deployment that was live and has ended; its entries."""
    made = await enrol(desk.db, desk.vault, desk.deployment_id, people)
    await desk.ready(0)
    await desk.mint()
    await deployments.end(desk.db, desk.deployment_id, by="petra", at=desk.at)
    return made


async def close(desk: Desk, by: str = "wim"):
    return await closing.close(desk.db, desk.vault, desk.deployment_id, by=by, at=desk.at)


async def logged(desk: Desk, kind: str) -> list[dict]:
    async with desk.db.session() as session:
        query = select(AuditEntry).where(col(AuditEntry.kind) == kind).order_by(col(AuditEntry.at))
        return [entry.payload for entry in (await session.exec(query)).all()]


@pytest.mark.rule("G3")
class TestClose:
    async def test_everything_is_destroyed_with_its_receipt_and_then_it_is_closed(self, desk: Desk) -> None:
        made = await ended(desk)
        assert await still_opening(desk.url, desk.node.vault(), [desk.deployment_id]) == set(made)
        row = await close(desk)
        assert (row.state, row.closed_at) == ("closed", desk.at)
        assert await still_opening(desk.url, desk.node.vault(), [desk.deployment_id]) == set()
        for name in ("list", "alerts", "deployment"):
            assert await desk.node.keys.fetch(Ring(desk.deployment_id, name), None) == {}
        receipts = [one for entry in await logged(desk, "objects.deleted") for one in entry["objects"]]
        assert len(receipts) == len(set(receipts)) == 2 * len(made)
        assert (await close(desk)).version == row.version  # once more changes nothing

    async def test_not_before_the_end_and_not_by_anybody(self, desk: Desk) -> None:
        made = await enrol(desk.db, desk.vault, desk.deployment_id, 1)
        await desk.ready(0)
        await desk.mint()
        with pytest.raises(Conflict):
            await close(desk)
        await deployments.end(desk.db, desk.deployment_id, by="petra", at=desk.at)
        for by in ("petra", "audrey", "stranger", "nobody"):
            with pytest.raises(NotAllowed):
                await close(desk, by)
        assert await still_opening(desk.url, desk.node.vault(), [desk.deployment_id]) == set(made)

    async def test_while_the_count_is_off_it_is_not_closed(self, desk: Desk) -> None:
        await ended(desk)
        async with desk.db.transaction() as session:
            one = (await session.exec(select(StoredObject.id))).first()
            await session.exec(delete(StoredObject).where(col(StoredObject.id) == one))
        with pytest.raises(Conflict, match="not accounted for"):
            await close(desk)
        assert await desk.state() == "ended"


@pytest.mark.rule("A4")
async def test_when_an_urgent_authority_lapses_its_list_and_its_alerts_are_gone(desk: Desk) -> None:
    [entry] = await enrol(desk.db, desk.vault, desk.deployment_id, 1)
    await desk.submit()
    await desk.authorise(urgent=True)
    await desk.approve_list(desk.ian)
    desk.at = STARTS
    await desk.mint()
    raised = await alert(desk.db, desk.vault, desk.deployment_id, entry, 1)
    assert await alerts.alert_picture(desk.db, desk.vault, raised, "probe")
    desk.at = STARTS + 3 * HOUR
    [due] = await mandates.due(desk.db, desk.policy, desk.at)
    assert (await mandates.settle(desk.db, due, at=desk.at)).state_reason == URGENT_LAPSED
    await retention.due(desk.db, desk.vault, desk.policy, desk.at)
    assert await desk.state() == "closed"
    assert await still_opening(desk.url, desk.node.vault(), [desk.deployment_id]) == set()
    with pytest.raises(NotFound):
        await alerts.alert_picture(desk.db, desk.node.vault(), raised, "probe")
    assert {entry["reason"] for entry in await logged(desk, "objects.deleted")} == {URGENT_LAPSED}


@pytest.mark.rule("A11")
@pytest.mark.rule("J2")
class TestFiling:
    async def next_one(self, desk: Desk) -> Desk:
        later = desk.at
        other = await new_desk(
            desk.db, desk.node, POLICY, made_at=later, starts_at=later + HOUR, ends_at=later + 4 * HOUR
        )
        other.at = later
        other.olga = other.office.officer("olga", "lead", valid=(later - HOUR, later + HOUR))
        await other.submit()
        return other

    async def missing(self, desk: Desk) -> set[str]:
        other = await self.next_one(desk)
        with pytest.raises(GateClosed) as closed:
            await other.authorise()
        return {rule for rule, _, _ in closed.value.missing}

    async def file(self, desk: Desk, what: str, by: str = "petra", document: bytes = b"what was found"):
        return await closing.file(desk.db, desk.deployment_id, what, document, by=by, at=desk.at)

    async def test_what_is_owed_blocks_the_next_authority_until_it_is_filed(self, desk: Desk) -> None:
        await ended(desk, 1)
        desk.at = STARTS + timedelta(days=7, hours=1)
        assert await self.missing(desk) == {"J2"}
        await self.file(desk, "record")
        await (await self.next_one(desk)).authorise()
        desk.at = STARTS + timedelta(days=31, hours=1)
        assert await self.missing(desk) == {"A11"}
        await self.file(desk, "review")
        assert await self.missing(desk) == {"A11"}  # it is not closed either
        await close(desk)
        await (await self.next_one(desk)).authorise()

    async def test_the_log_keeps_the_digest_of_each_version_and_the_first_date_counts(self, desk: Desk) -> None:
        await ended(desk, 1)
        await self.file(desk, "review")
        first = desk.at
        desk.at += HOUR
        row = await self.file(desk, "review", document=b"corrected")
        assert row.review_at == first
        filed = await logged(desk, "deployment.filed")
        assert len({one["digest"] for one in filed}) == len(filed) == 2

    async def test_not_before_the_end_not_by_anybody_and_not_nothing(self, desk: Desk) -> None:
        with pytest.raises(Conflict):
            await self.file(desk, "review")
        await ended(desk, 1)
        with pytest.raises(NotAllowed):
            await self.file(desk, "review", by="audrey")
        with pytest.raises(Conflict, match="empty"):
            await self.file(desk, "record", document=b"")
