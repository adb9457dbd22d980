"""The status feed: what it renews, whom it takes off, and that a feed which cannot be read changes nothing (B4)."""

import hashlib
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from lfr.domain.errors import WatchlistError
from lfr.services import events, list_state, status_feed, watchlist
from lfr.storage.columns import now
from lfr.storage.models import WatchlistEntry
from tests.support.listing import deployment_under, loose, put

POLICY = loose()
CSV = b"nominal_ref,status\nN/Ada,current\n n/bea ,withdrawn\nN/Zoe,current\n"


@pytest.fixture
async def three(store):
    """A deployment with three entries, whose statuses are two days old."""
    deployment_id = await deployment_under(store, POLICY)
    ids = {}
    for number, label in enumerate(("Ada", "Bea", "Cy")):
        ids[label] = (await put(store, deployment_id, POLICY, label, number)).entry_id
    async with store.db.transaction() as session:
        for entry in (await session.exec(select(WatchlistEntry))).all():
            entry.status_at = now() - timedelta(days=2)
    return deployment_id, ids


async def stale(store, deployment_id):
    return (await list_state.governance(store.db, deployment_id, POLICY, now())).stale


@pytest.mark.rule("B4")
@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_morning_look(store, three, form):
    deployment_id, ids = three
    data = CSV
    if form == "json":
        lines = [{"nominal_ref": ref, "status": status} for ref, status in
                 (("N/Ada", "current"), ("n/bea", "withdrawn"), ("N/Zoe", "current"))]  # fmt: skip
        data = msgspec.json.encode({"statuses": lines, "as_of": now() - timedelta(hours=1)})
    assert await stale(store, deployment_id) == 3
    found = await status_feed.apply(store.db, store.vault, deployment_id, data, by="feed")
    assert (found.confirmed, found.withdrawn, found.unknown, found.unnamed) == (1, (ids["Bea"],), 1, 1)
    assert await stale(store, deployment_id) == 1, "Cy is not named, so Cy stays stale"
    assert {item.entry_id for item in await watchlist.load_gallery(store.db, store.vault, deployment_id)} == {
        ids["Ada"], ids["Cy"],
    }  # fmt: skip
    told = await events.events_after(store.db, 1)
    assert told[-1].kind == "watchlist.rechecked"
    assert told[-1].payload["feed"] == found.digest == hashlib.sha256(data).hexdigest()
    assert (told[-2].kind, told[-2].payload["reason"]) == ("watchlist.entry-revoked", "withdrawn")


@pytest.mark.rule("B4")
async def test_an_older_feed_makes_nothing_younger(store, three):
    deployment_id, ids = three
    fresh = {"statuses": [{"nominal_ref": "N/Ada", "status": "current"}]}
    await status_feed.apply(store.db, store.vault, deployment_id, msgspec.json.encode(fresh), by="feed")
    old = msgspec.json.encode(fresh | {"as_of": now() - timedelta(days=3)})
    await status_feed.apply(store.db, store.vault, deployment_id, old, by="feed")
    async with store.db.session() as session:
        ada = await session.get(WatchlistEntry, ids["Ada"])
    assert now() - ada.status_at < timedelta(minutes=5)


BROKEN = [
    b"",
    b"nominal_ref,state\nN/Ada,current\n",
    b"nominal_ref,status\nN/Ada,gone\n",
    b"nominal_ref,status\nN/Ada\n",
    b"nominal_ref,status\n,current\n",
    b"nominal_ref,status\nN/Bea,withdrawn\nN/bea,current\n",
    b"nominal_ref,status\nN/Ada,current\n\xff,current\n",
    b'[{"nominal_ref": "N/Bea", "status": "withdrawn"}',
    b'[{"nominal_ref": "N/Bea", "status": "withdrawn", "name": "x"}]',
    b'{"statuses": [], "as_of": "2999-01-01T00:00:00Z"}',
    b'{"statuses": [], "as_of": "2026-01-01T00:00:00"}',
]


async def test_a_feed_that_cannot_be_read_changes_nothing(store, three):
    deployment_id, _ = three
    for data in BROKEN:
        with pytest.raises(WatchlistError):
            await status_feed.apply(store.db, store.vault, deployment_id, data, by="feed")
    assert await stale(store, deployment_id) == 3


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))))
def test_nothing_else_is_raised(data):
    for given_ in (data, b"nominal_ref,status\n" + data, b"[" + data):
        try:
            feed = status_feed.read_feed(given_)
        except WatchlistError:
            continue
        assert all(line.status in {"current", "withdrawn"} for line in feed.statuses)
