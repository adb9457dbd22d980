"""The one watcher behind all event streams, on both databases."""

import asyncio
import contextlib
import itertools

import pytest
from sqlalchemy import text

from lfr.api import feed as feed_module
from lfr.api.feed import Feed
from lfr.services import events
from tests.support.stores import postgres_server, raise_alert, store, url

__all__ = ["postgres_server", "store", "url"]


@pytest.fixture
async def raise_one(store):
    entry, transits = await store.entry(), itertools.count(1)

    async def raise_one():
        alert = store.alert(entry, transit=next(transits), run=f"run-{next(transits)}", frame_at=next(transits) * 1e4)
        return str((await raise_alert(store.db, store.vault, alert, cooldown_s=1.0)).alert_id)

    return raise_one


@contextlib.asynccontextmanager
async def following(feed, after=None):
    """The subjects of events as they come."""
    subjects = asyncio.Queue()

    async def read():
        async for event in feed.follow(after, heartbeat_s=60):
            subjects.put_nowait(event.subject)

    reader = asyncio.create_task(read())
    try:
        yield subjects
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


async def settled(feed, clients=1):
    async with asyncio.timeout(5):
        while feed.clients != clients:  # noqa: ASYNC110 - a counter has no event to wait for
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)


async def test_replay_and_live_are_one_sequence(store, raise_one):
    ids = [await raise_one() for _ in range(3)]
    start = await events.last_seq(store.db) - 3
    feed = Feed(store.db, store.url)
    async with feed.running(), following(feed, start) as subjects:
        ids.append(await raise_one())
        async with asyncio.timeout(10):
            assert [await subjects.get() for _ in ids] == ids


async def test_a_heartbeat_comes_while_nothing_happens_and_closing_ends_the_stream(store):
    feed = Feed(store.db, store.url)
    async with feed.running():
        stream = feed.follow(None, heartbeat_s=0.05)
        assert await anext(stream) is None
        feed.close()
        assert [event async for event in stream if event is not None] == []


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_on_postgresql_a_notification_wakes_it_and_a_broken_connection_is_mended(store, raise_one, monkeypatch):
    # So long between looks that only a notification can be what woke it.
    monkeypatch.setattr(feed_module, "SAFETY_NET_S", 600.0)
    feed = Feed(store.db, store.url)
    async with feed.running(), following(feed) as subjects:
        await settled(feed)
        first = await raise_one()
        async with asyncio.timeout(5):
            assert await subjects.get() == first
        async with store.db.session() as session:
            listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            cut = (await (await session.connection()).execute(text(listening))).all()
        assert cut == [(True,)]
        second = await raise_one()
        async with asyncio.timeout(10):
            assert await subjects.get() == second


async def test_one_task_looks_however_many_listen_and_none_when_nobody_does(store, monkeypatch):
    looks = 0
    real = events.last_seq

    async def counting(db):
        nonlocal looks
        looks += asyncio.current_task().get_name() == "lfr-feed"
        return await real(db)

    monkeypatch.setattr(events, "last_seq", counting)
    feed = Feed(store.db, store.url, poll_s=0.05)
    async with feed.running(), contextlib.AsyncExitStack() as listeners:
        await asyncio.sleep(0.2)
        assert looks == 0
        for _ in range(20):
            await listeners.enter_async_context(following(feed))
        await settled(feed, 20)
        before = looks
        await asyncio.sleep(1.0)
        assert looks - before <= 22
    assert feed.clients == 0


async def test_it_outlives_a_database_that_is_away(store, raise_one, monkeypatch):
    away, real = True, events.last_seq

    async def sometimes(db):
        if away and asyncio.current_task().get_name() == "lfr-feed":
            raise OSError("away")
        return await real(db)

    monkeypatch.setattr(events, "last_seq", sometimes)
    feed = Feed(store.db, store.url, poll_s=0.02)
    async with feed.running(), following(feed) as subjects:
        await settled(feed)
        alert = await raise_one()
        assert subjects.empty()
        away = False
        async with asyncio.timeout(10):
            assert await subjects.get() == alert
