"""A fresh, migrated database of each kind, and what services need beside it. Import the fixtures into a conftest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.alerts import RaisedAlert
from lfr.domain.plan import Plan
from lfr.services import alerts, deployments, policies
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment, WatchlistEntry
from lfr.storage.vault import Vault, new_vault
from tests.support import postgres

DIGEST = "0" * 64
KEEP = timedelta(hours=24)
raise_alert = partial(alerts.raise_alert, keep=KEEP)
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One PostgreSQL server for all tests of a folder."""
    with postgres.server() as running:
        yield running


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, one of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}"
    return request.getfixturevalue("postgres_server").empty()


async def run(session: AsyncSession, statement: str) -> Any:
    """Plain SQL within a session."""
    return await (await session.connection()).execute(text(statement))


async def scalar(session: AsyncSession, statement: str) -> Any:
    """The one value that plain SQL gives."""
    return (await run(session, statement)).scalar()


@dataclass
class Store:
    """A database with one deployment."""

    url: str
    db: Database
    vault: Vault
    deployment_id: UUID

    async def entry(self) -> UUID:
        """A listed person without a picture."""
        entry_id = uuid4()
        row = WatchlistEntry(
            id=entry_id, deployment_id=self.deployment_id, label_sealed=None, label_mac=entry_id.bytes,
            category="volunteer", action="greet", added_by="test",
        )  # fmt: skip
        async with self.db.transaction() as session:
            session.add(row)
        return entry_id

    def alert(self, entry_id: UUID, **changed: object) -> RaisedAlert:
        """An alert about that entry."""
        given = {
            "deployment_id": self.deployment_id, "camera": "north", "run": "run-1", "transit": 1, "entry_id": entry_id,
            "score": 0.61, "threshold": 0.4, "gap": 0.2, "shots": 3, "frame": 120, "media_s": 4.75,
            "frame_at": 1_795_000_000.25, "first_shot_at": 1_794_999_999.5, "box": (10, 20, 64, 80),
            "probe_jpeg": b"probe picture", "scene_jpeg": b"scene picture",
        }  # fmt: skip
        return RaisedAlert(**(given | changed))


def blank_deployment(**changed: Any) -> Deployment:
    """A row with nothing in it that matters, for tests of the database itself."""
    given = {
        "system": "van", "mode": "demo", "pack": "p", "pack_digest": DIGEST, "policy": "demo", "policy_digest": DIGEST,
        "plan": {}, "plan_digest": DIGEST, "made_by": "test",
    }  # fmt: skip
    return Deployment(**(given | changed))


async def new_deployment(db: Database, **changed: Any) -> Deployment:
    """A draft under the demonstration policy."""
    given = {
        "system": "van", "mode": "research", "pack": "double", "pack_digest": DIGEST, "policy": policies.load("demo"),
        "plan": Plan(title="van", force="no-force", use_case="demonstration"), "by": deployments.SYSTEM,
    }  # fmt: skip
    return await deployments.make(db, **(given | changed))


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A migrated database of each kind."""
    await migrate(url)
    db = Database(url)
    made = await new_deployment(db)
    yield Store(url, db, new_vault(), made.id)
    await db.dispose()
