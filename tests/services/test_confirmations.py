"""The correct-person check by a second person (B7)."""

from uuid import uuid4

import pytest

from lfr.domain.errors import Conflict, NotAllowed, NotFound
from lfr.services import confirmations, entries, events, list_state, watchlist
from lfr.storage.columns import now
from tests.support.listing import deployment_under, loose, put

POLICY = loose()


@pytest.fixture
async def two(store):
    """A deployment with two entries, enrolled by ann."""
    deployment_id = await deployment_under(store, POLICY)
    rows = [await put(store, deployment_id, POLICY, label, number) for number, label in enumerate(("Ada", "Bea"))]
    return deployment_id, {row.entry_id: [row.image_id] for row in rows}


async def unchecked(store, deployment_id):
    return (await list_state.governance(store.db, deployment_id, POLICY, now())).unchecked


@pytest.mark.rule("B7")
async def test_a_second_person_confirms_and_the_same_one_cannot(store, two):
    deployment_id, seen = two
    with pytest.raises(NotAllowed, match="ann enrolled"):
        await confirmations.confirm(store.db, deployment_id, seen, by="ann")
    assert await unchecked(store, deployment_id) == 2
    assert await confirmations.confirm(store.db, deployment_id, seen, by="bea") == 2
    assert await unchecked(store, deployment_id) == 0
    assert await confirmations.confirm(store.db, deployment_id, dict.fromkeys(seen), by="cy") == 0
    listed = await watchlist.list_entries(store.db, store.vault, deployment_id)
    assert {one.checked_by for one in listed} == {"bea"}
    told = (await events.events_after(store.db, 1))[-2]
    assert told.kind == "watchlist.confirmed"
    assert set(told.payload["entries"]) == {str(one) for one in seen}


@pytest.mark.rule("B7")
async def test_only_pictures_that_were_looked_at_are_confirmed(store, two):
    deployment_id, seen = two
    entry_id = next(iter(seen))
    assert (await put(store, deployment_id, POLICY, "Ada", 40)).enrolled
    with pytest.raises(Conflict, match="other pictures"):
        await confirmations.confirm(store.db, deployment_id, seen, by="bea")
    assert await unchecked(store, deployment_id) == 2, "all of them or none"
    assert entry_id


async def test_what_cannot_be_confirmed(store, two):
    deployment_id, seen = two
    with pytest.raises(NotFound):
        await confirmations.confirm(store.db, deployment_id, {uuid4(): None}, by="bea")
    entry_id = next(iter(seen))
    await entries.revoke(store.db, deployment_id, entry_id, by="ann")
    with pytest.raises(Conflict, match="taken off"):
        await confirmations.confirm(store.db, deployment_id, {entry_id: None}, by="bea")
