"""Entries go with what they tell of, and are numbered 1, 2, 3 ... whoever numbers them."""

import asyncio

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from lfr.domain.errors import StorageError
from lfr.services import audit
from lfr.storage.database import Database
from lfr.storage.models import AuditEntry, AuditOutbox, AuditSequence
from tests.support.processes import worker


async def write(db, subject="x"):
    async with db.transaction() as session:
        return audit.record(session, kind="user.signed-in", actor="a", subject=subject, payload={})


async def numbers(db):
    async with db.session() as session:
        rows = (await session.exec(select(AuditSequence).order_by(col(AuditSequence.seq)))).all()
        waiting = (await session.exec(select(AuditOutbox))).all()
        entries = (await session.exec(select(AuditEntry))).all()
    return [row.seq for row in rows], {row.entry_id for row in rows}, len(waiting), {entry.id for entry in entries}


async def test_an_entry_goes_with_its_transaction(store):
    async def fail():
        async with store.db.transaction() as session:
            audit.record(session, kind="user.signed-in", actor="a", subject="a", payload={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await audit.sequence(store.db) == 0


async def test_numbering_again_finds_nothing(store):
    await write(store.db)
    assert await audit.sequence(store.db) == 1
    assert await audit.sequence(store.db) == 0


async def test_what_does_not_fit_the_vocabulary_is_refused(store):
    for given_ in ({"kind": "user.smiled"}, {"payload": {"face": "x"}}, {"subject": "two\nlines"}):
        with pytest.raises(StorageError, match="audit entry") as failed:
            async with store.db.transaction() as session:
                audit.record(
                    session, **({"kind": "user.signed-in", "actor": "a", "subject": "a", "payload": {}} | given_)
                )
        assert failed.value.hint
    assert (await numbers(store.db))[2] == 0


async def test_leaves_can_be_computed_again(store):
    await write(store.db)
    await audit.sequence(store.db)
    async with store.db.session() as session:
        rows = (
            await session.exec(
                select(AuditSequence, AuditEntry).join(AuditEntry, col(AuditEntry.id) == col(AuditSequence.entry_id))
            )
        ).all()
    assert len(rows) == 2
    for row, entry in rows:
        assert row.leaf == audit.leaf_of(entry)
        assert len(row.leaf) == 32


async def test_more_than_a_batch(store, monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 4)
    for _ in range(9):
        await write(store.db)
    assert await audit.sequence(store.db) == 9
    seqs, *_ = await numbers(store.db)
    assert seqs == list(range(1, 11))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(plan=st.lists(st.sampled_from(["write", "number", "both"]), min_size=4, max_size=24))
async def test_no_gap_however_writers_and_numberers_meet(store, plan):
    async def step(verb, db):
        if verb == "write":
            await write(db)
        elif verb == "number":
            await audit.sequence(db)
        else:
            async with db.transaction() as session:
                audit.record(session, kind="user.signed-in", actor="a", subject="a", payload={})
                await audit.sequence_within(db, session)

    another = Database(store.url)
    try:
        await asyncio.gather(*(step(verb, (store.db, another)[i % 2]) for i, verb in enumerate(plan)))
        await asyncio.gather(audit.sequence(store.db), audit.sequence(another))
        seqs, numbered, waiting, entries = await numbers(store.db)
    finally:
        await another.dispose()
    assert seqs == list(range(1, len(seqs) + 1))
    assert numbered == entries
    assert waiting == 0


async def test_no_gap_between_processes(store):
    await asyncio.gather(*(worker("record", store.url, 12) for _ in range(2)))
    await audit.sequence(store.db)
    seqs, numbered, waiting, entries = await numbers(store.db)
    assert seqs == list(range(1, 26))
    assert numbered == entries
    assert waiting == 0


@pytest.mark.postgres
async def test_postgresql_tells_its_listeners(store):
    if store.db.dialect != "postgresql":
        return
    heard = asyncio.Queue()
    connection = await asyncpg.connect(store.url.replace("+asyncpg", ""))
    await connection.add_listener(audit.CHANNEL, lambda *told: heard.put_nowait(told[-1]))
    await write(store.db)
    assert heard.empty()
    await audit.sequence(store.db)
    assert await asyncio.wait_for(heard.get(), 5) == "2"
    await connection.close()
