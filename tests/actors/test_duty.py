"""The duty over a real database: what heals by itself, what only a person resumes, and what time ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from lfr.actors.duty import Charge, Duty
from lfr.actors.journal import Crashes
from lfr.actors.watchdog import Reading
from lfr.domain.lifecycle import WINDOW_OVER
from lfr.services import deployments
from lfr.storage.database import Database, migrate
from lfr.storage.node import new_node
from tests.support.desk import Desk, add_people, new_desk


@dataclass
class Remembering:
    """Hands that do nothing and remember what they were told."""

    told: list[str] = field(default_factory=list)

    async def begin(self, mandate, zones) -> None:
        self.told.append("begin")

    async def grant(self, mandate, zones) -> None:
        self.told.append("grant")

    async def revoke(self, mandate_id: UUID) -> None:
        self.told.append("revoke")

    async def bar(self, deployment_id: UUID, until: float) -> None:
        self.told.append("bar")

    async def say(self, word, cameras) -> None:
        self.told.append(word)


@dataclass
class Post:
    """A duty with its desk."""

    desk: Desk
    duty: Duty
    hands: Remembering
    steady: float = 1000.0

    async def tend(self, *, ahead: timedelta = timedelta(0), crashes: int = 0) -> str:
        """One look, later than the time between two tries; the state afterwards."""
        self.steady += 10
        wall = time.time() + self.steady - 1000 + ahead.total_seconds()
        seen = Reading(wall, self.steady, {}, self.steady, crashes=crashes)
        await self.duty.tend(seen, {})
        return await self.desk.state()


@pytest.fixture
async def post(tmp_path: Path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    await add_people(db)
    now = datetime.now(UTC).replace(microsecond=0)
    desk = await new_desk(
        db,
        new_node(tmp_path / "keys"),
        made_at=now - timedelta(hours=1),
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(hours=3),
    )
    desk.at = now
    await desk.list_people(2)
    await desk.submit()
    await desk.authorise()
    await desk.approve_list()

    async def terms():
        return desk.terms

    async def record(kind, subject, payload) -> None: ...

    hands = Remembering()
    charge = Charge("van", desk.policy, terms)
    duty = Duty(charge, db, desk.node, hands, Crashes(tmp_path / "crashes"), record, begun=False)
    yield Post(desk, duty, hands)
    await db.dispose()


async def test_what_a_person_paused_waits_for_a_person(post: Post) -> None:
    await post.duty.go_live(post.desk.deployment_id, "petra")
    assert await post.tend() == "live"
    await post.duty.pause("rain", "petra")
    assert "revoke" in post.hands.told
    assert [await post.tend() for _ in range(3)] == ["paused"] * 3
    await post.duty.resume("petra")
    assert await post.tend() == "live"


async def test_what_the_system_paused_goes_on_by_itself_once_all_is_well(post: Post) -> None:
    await post.duty.go_live(post.desk.deployment_id, "petra")
    await deployments.pause(post.desk.db, post.desk.deployment_id, by="system", reason="capacity")
    post.desk.system = {"writer_ok": False}
    assert await post.tend() == "paused"
    post.desk.system = {}
    assert await post.tend() == "live"


@pytest.mark.rule("A3")
async def test_when_the_window_is_over_it_is_ended_and_everybody_is_barred_first(post: Post) -> None:
    await post.duty.go_live(post.desk.deployment_id, "petra")
    assert await post.tend(ahead=timedelta(hours=3)) == "ended"
    assert (await post.desk.row()).state_reason == WINDOW_OVER
    assert "bar" in post.hands.told
