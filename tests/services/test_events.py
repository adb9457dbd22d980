"""The stream of events is the numbered log, from wherever a reader stopped."""

from lfr.services import audit, events


async def signed_in(db, name):
    async with db.transaction() as session:
        audit.record(session, kind="user.signed-in", actor=name, subject=name, payload={})


async def test_only_what_is_numbered_is_told(store):
    await signed_in(store.db, "ann")
    assert [event.kind for event in await events.events_after(store.db, 0)] == ["deployment.made"]
    assert await events.last_seq(store.db) == 1
    await audit.sequence(store.db)
    assert [event.subject for event in await events.events_after(store.db, 1)] == ["ann"]
    assert await events.last_seq(store.db) == 2


async def test_a_reader_goes_on_where_it_stopped(store):
    for name in ("ann", "bob", "cat", "dan"):
        await signed_in(store.db, name)
        await audit.sequence(store.db)
    read, seq = [], 1
    while found := await events.events_after(store.db, seq, limit=3):
        read += [event.subject for event in found]
        seq = found[-1].seq
    assert read == ["ann", "bob", "cat", "dan"]
    assert seq == 5
