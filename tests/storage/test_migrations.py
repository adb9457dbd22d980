"""Migrations make the models' tables, anywhere, at any time, and the log they make cannot be rewritten."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from lfr.domain.errors import StorageError
from lfr.services import audit
from lfr.storage.database import check_migrated, migrate
from lfr.storage.migrations import check
from tests.support.processes import worker
from tests.support.stores import run, scalar


async def test_models_and_migrations_agree(url):
    await migrate(url)
    assert await check.differences(url) == []


async def test_a_difference_is_found(store):
    async with store.db.transaction() as session:
        await run(session, "ALTER TABLE deployment ADD COLUMN extra INTEGER")
    assert any("extra" in line for line in await check.differences(store.url))


async def test_the_check_is_a_command():
    assert await check.main([]) == 0


async def test_again_changes_nothing(store):
    await migrate(store.url)
    await check_migrated(store.url)
    async with store.db.session() as session:
        assert await scalar(session, "SELECT count(*) FROM deployment") == 1


async def test_several_processes_migrate_at_once(url):
    await asyncio.gather(migrate(url), migrate(url), worker("migrate", url))
    await check_migrated(url)


def test_from_any_folder(tmp_path):
    code = "import asyncio, sys; from lfr.storage.database import migrate; asyncio.run(migrate(sys.argv[1]))"
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"
    done = subprocess.run(
        [sys.executable, "-c", code, url], cwd="/", check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asyncio.run(check_migrated(url))


async def test_a_newer_database_is_left_alone(store):
    async with store.db.transaction() as session:
        await run(session, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (migrate, check_migrated):
        with pytest.raises(StorageError, match=r"newer version \(revision 9999\)") as failed:
            await attempt(store.url)
        assert "nothing was changed" in failed.value.hint


async def test_an_old_database_is_named(store):
    async with store.db.transaction() as session:
        await run(session, "DELETE FROM alembic_version")
    with pytest.raises(StorageError, match="not set up for this version"):
        await check_migrated(store.url)


REWRITES = [
    "UPDATE audit_entry SET actor = 'somebody else'",
    "DELETE FROM audit_entry",
    "UPDATE audit_sequence SET seq = seq + 100",
    "DELETE FROM audit_sequence",
    "UPDATE audit_outbox SET entry_id = entry_id",
]


@pytest.mark.parametrize("statement", [*REWRITES, "DELETE FROM audit_outbox"])
async def test_the_log_is_append_only(store, statement):
    async with store.db.transaction() as session:
        audit.record(session, kind="user.signed-in", actor="a", subject="a", payload={})
    with pytest.raises(IntegrityError, match=r"append-only|only with its number|not updated"):
        async with store.db.transaction() as session:
            await run(session, statement)


@pytest.mark.parametrize("table", ["audit_entry", "audit_sequence", "audit_outbox"])
async def test_no_other_way_round_the_log_either(store, table):
    statement = f"TRUNCATE {table} CASCADE"
    if store.db.dialect == "sqlite":
        statement = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        if table == "audit_outbox":
            return  # the same row again is no change

    async def rewrite():
        async with store.db.transaction() as session:
            if store.db.dialect == "sqlite":
                await run(session, "PRAGMA recursive_triggers = OFF")
            await run(session, statement)

    with pytest.raises(IntegrityError, match="append-only"):
        await rewrite()
