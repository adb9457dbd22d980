"""A seeded pair on a real list raises the flag on both entries (B7)."""

import pytest
from sqlmodel import select

from lfr.services import alike, events, list_state, watchlist
from lfr.storage.columns import now
from lfr.storage.models import WatchlistEntry
from tests.support.listing import deployment_under, loose, put

POLICY = loose()


@pytest.mark.rule("B7")
async def test_a_seeded_pair_is_flagged(store):
    deployment_id = await deployment_under(store, POLICY)
    ids = {}
    # Ada and her sister show the same marker in two pictures: as alike as two entries can be.
    for label, identity, shift in (("Ada", 3, 0), ("Bea", 7, 0), ("Sister", 3, 9)):
        ids[label] = (await put(store, deployment_id, POLICY, label, identity, shift=shift)).entry_id
    look = {"metric": "cosine", "by": "ann"}
    found = await alike.flag(store.db, store.vault, deployment_id, threshold=0.95, margin=0.05, **look)
    assert {one: other for one, (other, _) in found.items()} == {ids["Ada"]: ids["Sister"], ids["Sister"]: ids["Ada"]}
    listed = {one.label: one.alike for one in await watchlist.list_entries(store.db, store.vault, deployment_id)}
    assert listed == {"Ada": ids["Sister"], "Bea": None, "Sister": ids["Ada"]}
    assert (await list_state.governance(store.db, deployment_id, POLICY, now())).alike == 2
    told = (await events.events_after(store.db, 1))[-1]
    assert (told.kind, told.payload["flagged"], told.payload["level"]) == ("watchlist.alike", 2, 0.9)
    # Once the sister is gone, the flag goes with the next look.
    await watchlist.revoke(store.db, deployment_id, ids["Sister"], by="ann")
    assert await alike.flag(store.db, store.vault, deployment_id, threshold=0.95, margin=0.05, **look) == {}
    async with store.db.session() as session:
        living = (await session.exec(select(WatchlistEntry).where(WatchlistEntry.revoked_at.is_(None)))).all()
    assert all(entry.alike is None for entry in living)


async def test_an_empty_list_has_no_look_alikes(store):
    deployment_id = await deployment_under(store, POLICY)
    look = {"metric": "cosine", "by": "ann", "threshold": 0.5, "margin": 0.0}
    assert await alike.flag(store.db, store.vault, deployment_id, **look) == {}
