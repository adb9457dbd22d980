"""The event stream: the sequenced audit log, watched by one task and told to every client that listens.

Replay and live are the same thing: a position in the log. A client names the last number it saw and reads on from
there; the watcher only says that the log has grown. So nothing is queued per client beyond one page, and a client that
was away, or too slow and let go, comes back with its last number and misses nothing.
On PostgreSQL the watcher sleeps until `NOTIFY lfr_events`; on SQLite it looks every `poll_s`, while anybody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any

import asyncpg

from lfr import log
from lfr.services import events
from lfr.services.audit import CHANNEL
from lfr.services.events import Event
from lfr.storage.database import Database

logger = log.get(__name__)

PAGE = 200
SAFETY_NET_S = 2.0
"""How often the log is looked at all the same while notifications are on."""


class Feed:
    """One watcher for all clients of this process."""

    def __init__(self, db: Database, url: str, *, poll_s: float = 0.1) -> None:
        self._db = db
        self._url = url
        self._poll_s = poll_s
        self._head = 0
        self._moved = asyncio.Event()
        self._notified = asyncio.Event()
        self._wanted = asyncio.Event()
        self._listener: Any = None
        self._closed = False
        self.clients = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Feed]:
        """Watch for as long as the context is open."""
        watcher = asyncio.create_task(self._watch(), name="lfr-feed")
        try:
            yield self
        finally:
            self.close()
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    def close(self) -> None:
        """Let every client go; each comes back to whoever serves next."""
        self._closed = True
        self._announce()

    async def follow(self, after: int | None, *, heartbeat_s: float) -> AsyncIterator[Event | None]:
        """Every event after number `after` (None: from now on), in order, for ever. None is a heartbeat.

        Ends when the feed closes. Raises StorageError.
        """
        newest = await events.last_seq(self._db)
        # A number from the future comes from another log: there is nothing of ours to replay.
        position = newest if after is None else min(after, newest)
        self.clients += 1
        self._wanted.set()
        try:
            while not self._closed:
                page = await events.events_after(self._db, position, PAGE)
                for event in page:
                    yield event
                    position = event.seq
                if not page and not await self._beyond(position, heartbeat_s):
                    yield None
        finally:
            self.clients -= 1

    async def _beyond(self, position: int, timeout_s: float) -> bool:
        """Wait until the log is longer than `position`; False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._head <= position and not self._closed:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _announce(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _watch(self) -> None:
        """The one task. It outlives a database that is away for a while."""
        while True:
            try:
                async with self._notifications() as rest_s:
                    while True:
                        await self._look(rest_s)
            except Exception as error:
                logger.warning("feed.failed", kind=type(error).__name__)
                await asyncio.sleep(1.0)

    async def _look(self, rest_s: float) -> None:
        if not self.clients:
            self._wanted.clear()
            await self._wanted.wait()
        self._notified.clear()
        head = await events.last_seq(self._db)
        if head > self._head:
            self._head = head
            self._announce()
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._notified.wait()
        if self._listener is not None and self._listener.is_closed():
            raise ConnectionResetError("the connection that listened is gone")

    def _notifications(self) -> AbstractAsyncContextManager[float]:
        """How long to rest between looks; on PostgreSQL with a connection that wakes us earlier."""
        return self._listening() if self._db.dialect == "postgresql" else nullcontext(self._poll_s)

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[float]:
        connection = await asyncpg.connect(self._url.replace("postgresql+asyncpg://", "postgresql://"))
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._notified.set())
            connection.add_termination_listener(lambda _: self._notified.set())
            self._listener = connection
            yield SAFETY_NET_S
        finally:
            self._listener = None
            await connection.close(timeout=1.0)
