"""The database: SQLite by default, PostgreSQL by URL, one class for both.

SQLite runs in WAL mode with synchronous FULL (a commit is on the disk before anybody is told) and secure_delete (what
is deleted is overwritten). A transaction that writes begins with BEGIN IMMEDIATE: it waits for its turn at the start,
so that two processes never meet in the upgrade from reading to writing, where SQLite could only fail one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.errors import StorageError
from lfr.storage.engine import BUSY_S, LOG_LOCK, make_engine, writing
from lfr.storage.failures import failures, parsed, place
from lfr.storage.migrations import check_migrated, migrate

__all__ = ["Database", "check_migrated", "migrate"]


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
        writes = writing(self._engine)
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
            connection = await session.connection()
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOG_LOCK})

    async def dispose(self) -> None:
        """Close every connection. The object may be used again."""
        await self._engine.dispose()
