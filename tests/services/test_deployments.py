"""One deployment for one name, mode and pack, whoever asks first."""

import asyncio
from uuid import uuid4

import pytest

from lfr.domain.errors import NotFound
from lfr.services import events
from lfr.services.deployments import ensure_deployment, get_deployment
from lfr.storage.database import Database
from tests.support.stores import DIGEST

GIVEN = {"name": "south", "mode": "demo", "pack": "embedded", "pack_digest": DIGEST}


async def test_all_get_the_same_one(store):
    another = Database(store.url)
    made = await asyncio.gather(*(ensure_deployment((store.db, another)[i % 2], **GIVEN) for i in range(8)))
    await another.dispose()
    assert len({deployment.id for deployment in made}) == 1
    assert [event.kind for event in await events.events_after(store.db, 1)] == ["deployment.opened"]
    assert (await get_deployment(store.db, made[0].id)).pack == "embedded"


@pytest.mark.parametrize("changed", [{"mode": "research"}, {"pack_digest": "1" * 64}, {"name": "east"}])
async def test_another_mode_or_pack_is_another_deployment(store, changed):
    one = await ensure_deployment(store.db, **GIVEN)
    another = await ensure_deployment(store.db, **GIVEN | changed)
    assert one.id != another.id


async def test_an_unknown_one(store):
    with pytest.raises(NotFound):
        await get_deployment(store.db, uuid4())
