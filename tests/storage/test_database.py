"""Durable settings, private files, clear failures, and many writers at once."""

import asyncio
import os
import pwd
import socket
import stat
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from lfr.domain.errors import StorageError
from lfr.storage import engine as engines
from lfr.storage.database import Database, check_migrated, migrate
from lfr.storage.models import Deployment, WatchlistEntry
from tests.support.stores import blank_deployment, run, scalar


@pytest.fixture
async def sqlite(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}"
    await migrate(url)
    db = Database(url)
    yield db
    await db.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1), ("recursive_triggers", 1)],
)
async def test_sqlite_is_set_to_last(sqlite, pragma, value):
    async with sqlite.session() as session:
        assert await scalar(session, f"PRAGMA {pragma}") == value


async def test_folder_and_files_are_private(sqlite, tmp_path):
    async with sqlite.transaction() as session:
        session.add(blank_deployment())
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert files.keys() == {"lfr.db", "lfr.db-wal", "lfr.db-shm"}
    assert set(files.values()) == {0o600}


async def test_a_block_that_raises_writes_nothing(store):
    async def fail():
        async with store.db.transaction() as session:
            session.add(blank_deployment(system="other"))
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with store.db.session() as session:
        assert await scalar(session, "SELECT count(*) FROM deployment") == 1


async def test_a_constraint_is_the_callers_matter(store):
    with pytest.raises(IntegrityError):
        async with store.db.transaction() as session:
            session.add(blank_deployment().model_copy(update={"mode": "covert"}))


async def test_references_are_held_at_commit(store):
    entry = WatchlistEntry(
        deployment_id=uuid4(), label_sealed=b"", label_mac=b"", category="c", action="a", added_by="test"
    )
    with pytest.raises(IntegrityError):
        async with store.db.transaction() as session:
            session.add(entry)


async def test_readers_who_turn_writers_never_meet_a_locked_database(store):
    """Read, then write, in many tasks of two connections' worth of processes: nobody is turned away."""

    async def count_up(db):
        for _ in range(10):
            async with db.transaction() as session:
                found = await session.get(Deployment, store.deployment_id, with_for_update=True)
                found.pack = str(int(found.pack if found.pack.isdigit() else 0) + 1)

    another = Database(store.url)
    await asyncio.gather(*(count_up(db) for db in (store.db, another) * 3))
    await another.dispose()
    async with store.db.session() as session:
        assert (await session.get(Deployment, store.deployment_id)).pack == "60"


async def test_a_writer_that_is_kept_waiting_too_long_says_so(sqlite, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_S", 0.1)
    impatient = Database(f"sqlite+aiosqlite:///{sqlite.where}")
    async with sqlite.transaction() as session:
        await run(session, "SELECT 1")
        with pytest.raises(StorageError, match="busy") as failed:
            async with impatient.transaction() as another:
                await run(another, "SELECT 1")
    assert failed.value.hint
    await impatient.dispose()


async def test_a_full_disk_is_one_clear_line_and_changes_nothing(sqlite):
    big = WatchlistEntry(
        deployment_id=uuid4(),
        label_sealed=os.urandom(1 << 20),
        label_mac=b"",
        category="c",
        action="a",
        added_by="test",
    )

    async def fill():
        async with sqlite.transaction() as session:
            pages = await scalar(session, "PRAGMA page_count")
            await run(session, f"PRAGMA max_page_count = {pages + 4}")
            session.add(blank_deployment())
            session.add(big)

    with pytest.raises(StorageError, match="the disk is full") as failed:
        await fill()
    assert "free some space" in failed.value.hint
    await sqlite.dispose()
    async with sqlite.transaction() as session:
        assert await scalar(session, "SELECT count(*) FROM deployment") == 0
        session.add(blank_deployment())


def test_a_really_full_disk(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:  # not root, or an unprivileged container: the page limit above stands for it
        return
    try:
        with pytest.raises(StorageError, match="the disk is full"):
            asyncio.run(_fill(f"sqlite+aiosqlite:///{small / 'lfr.db'}"))
    finally:
        subprocess.run(["umount", small], check=True)


async def _fill(url):
    await migrate(url)
    db = Database(url)
    try:
        for number in range(100):
            async with db.transaction() as session:
                made = blank_deployment(system=str(number))
                session.add(made)
                big = {"label_sealed": os.urandom(50_000), "category": "c", "action": "a", "added_by": "t"}
                session.add(WatchlistEntry(deployment_id=made.id, **big))
    finally:
        await db.dispose()


@pytest.fixture
def closed_folder():
    """A folder that this process may read and not write; root, who may write anywhere, steps down for the test."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    yield folder
    if root:
        os.seteuid(0)
    folder.rmdir()


async def test_a_folder_that_may_not_be_written(closed_folder):
    for path in (closed_folder / "lfr.db", closed_folder / "data" / "lfr.db"):
        with pytest.raises(StorageError, match="cannot write"):
            await migrate(f"sqlite+aiosqlite:///{path}")
    assert not list(closed_folder.iterdir())


async def test_a_path_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write") as failed:
        await migrate(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'lfr.db'}")
    assert failed.value.hint


async def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "lfr.db"
    path.write_bytes(b"this is something else entirely" * 100)
    with pytest.raises(StorageError, match="damaged"):
        await migrate(f"sqlite+aiosqlite:///{path}")
    assert path.read_bytes() == b"this is something else entirely" * 100


async def test_an_unmigrated_database_is_named(url):
    with pytest.raises(StorageError) as failed:
        await check_migrated(url)
    assert "lfr" in failed.value.hint
    db = Database(url)
    with pytest.raises(StorageError, match="not set up"):
        async with db.session() as session:
            await session.get(Deployment, uuid4())
    await db.dispose()


async def test_a_server_that_is_not_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql+asyncpg://lfr:hunter2-secret@127.0.0.1:{taken.getsockname()[1]}/lfr"
        db = Database(url)
        with pytest.raises(StorageError, match=r"cannot reach the database 127\.0\.0\.1") as failed:
            async with db.session() as session:
                await run(session, "SELECT 1")
        with pytest.raises(StorageError, match="cannot reach"):
            await migrate(url)
    assert "hunter2" not in str(failed.value) + failed.value.hint + repr(db)
    await db.dispose()


@pytest.mark.postgres
async def test_a_server_that_refuses(postgres_server):
    with pytest.raises(StorageError, match="refuses the user or password") as failed:
        await migrate(postgres_server.url("postgres", password="wrong-secret"))
    assert "wrong-secret" not in str(failed.value) + failed.value.hint
    with pytest.raises(StorageError, match="there is no database"):
        await migrate(postgres_server.url("nowhere"))


@pytest.mark.postgres
async def test_a_server_that_comes_back_is_used_again(postgres_server):
    url = postgres_server.empty()
    await migrate(url)
    db = Database(url)
    async with db.transaction() as session:
        session.add(blank_deployment())
    postgres_server.disconnect()
    async with db.session() as session:
        assert await scalar(session, "SELECT count(*) FROM deployment") == 1
    await db.dispose()


@pytest.mark.parametrize(
    "url",
    ["mysql://u:secret@h/d", "sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://", "nonsense secret", "sqlite:///x"],
)
def test_another_kind_of_url_is_refused_without_repeating_it(url):
    with pytest.raises(StorageError) as failed:
        Database(url)
    assert "secret" not in str(failed.value)
    assert "storage.url" in failed.value.hint
