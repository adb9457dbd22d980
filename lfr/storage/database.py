"""The database: SQLite by default, PostgreSQL by URL, one class for both.

SQLite runs in WAL mode with synchronous FULL (a commit is on the disk before anybody is told) and secure_delete (what
is deleted is overwritten). A transaction that writes begins with BEGIN IMMEDIATE: it waits for its turn at the start,
so that two processes never meet in the upgrade from reading to writing, where SQLite could only fail one of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import StorageError
from lfr.storage.failures import failures, parsed, place

BUSY_S = 15.0
"""How long a SQLite writer waits for its turn."""

LOG_LOCK = 0x1F2_A0D17
"""The PostgreSQL advisory lock that orders everything which writes numbered entries."""

_WRITES = "lfr_writes"


class Database:
    """One database, many sessions. Belongs to one event loop.

    url: `sqlite+aiosqlite:///FILE` or `postgresql+asyncpg://USER:PASSWORD@HOST:PORT/NAME`. Nothing is opened before the
    first session. Raises StorageError for a URL of another kind.
    """

    def __init__(self, url: str) -> None:
        self.where = place(parsed(url))
        self._engine = make_engine(url)
        self.dialect = self._engine.dialect.name
        self._read = async_sessionmaker(self._engine, class_=AsyncSession, expire_on_commit=False)
        writes = self._engine.execution_options(**{_WRITES: True})
        self._write = async_sessionmaker(writes, class_=AsyncSession, expire_on_commit=False)
        # Tasks of one process queue here in order, rather than poll SQLite's file lock against one another.
        self._turn = asyncio.Lock() if self.dialect == "sqlite" else None

    def __repr__(self) -> str:
        return f"Database({self.where})"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session for reading. Raises StorageError."""
        with failures(self.where):
            async with self._read() as session:
                yield session

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session for writing: committed when the block ends, rolled back when it raises. Do not nest.

        Raises StorageError when nothing was written, IntegrityError when a constraint refuses the change.
        """
        async with self._my_turn():
            with failures(self.where):
                async with self._write() as session, session.begin():
                    yield session

    @asynccontextmanager
    async def _my_turn(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        try:
            await asyncio.wait_for(self._turn.acquire(), 2 * BUSY_S)
        except TimeoutError:
            raise StorageError(
                f"the database {self.where} is busy", hint="another task of this process holds it"
            ) from None
        try:
            yield
        finally:
            self._turn.release()

    async def lock_log(self, session: AsyncSession) -> None:
        """Be the only one that writes numbered entries until this transaction ends.

        SQLite's IMMEDIATE transaction is that already.
        """
        if self.dialect == "postgresql":
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOG_LOCK})

    async def dispose(self) -> None:
        """Close every connection. The object may be used again."""
        await self._engine.dispose()


def make_engine(url: str) -> AsyncEngine:
    """An engine with our settings. Raises StorageError for a URL of another kind."""
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        path = Path(str(address.database))
        engine = create_async_engine(address, connect_args={"timeout": BUSY_S}, hide_parameters=True)
        event.listen(engine.sync_engine, "do_connect", lambda *_: _make_private(path))
        event.listen(engine.sync_engine, "connect", _sqlite_settings)
        event.listen(engine.sync_engine, "begin", _sqlite_begin)
        return engine
    return create_async_engine(
        address,
        connect_args={"timeout": 10.0, "server_settings": {"application_name": "lfr"}},
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _make_private(path: Path) -> None:
    """The folder 0700 and the file 0600, before SQLite makes them by the umask. WAL and shm follow the file."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _sqlite_settings(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins is switched off; _sqlite_begin says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "recursive_triggers=ON",  # or INSERT OR REPLACE would delete past the triggers
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose transactions begin as writers."""
    return engine.execution_options(**{_WRITES: True})
