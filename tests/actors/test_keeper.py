"""The keeper: another node gets at keys with the node key, and nobody without it."""

import secrets
from uuid import uuid4

import pytest

from lfr.actors.keeper import Keeper, KeptKeys, StrangerAsked
from lfr.domain.errors import VaultError
from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import Ring
from lfr.storage.node_key import LocalWrapper

NODE_KEY = secrets.token_bytes(32)


class Wire:
    """The line between two nodes, in this process; it keeps what passes."""

    def __init__(self, keeper):
        self.keeper = keeper
        self.passed = []

    async def greet(self):
        self.passed.append(self.keeper.greeting)
        return self.keeper.greeting

    async def ask(self, sealed):
        answer = await self.keeper.ask(sealed)
        self.passed += [sealed, answer]
        return answer


@pytest.fixture
def here(tmp_path):
    return FileKeys(tmp_path / "keys", LocalWrapper(NODE_KEY))


@pytest.fixture
def wire(here):
    return Wire(Keeper(here, LocalWrapper(NODE_KEY)))


@pytest.fixture
def there(wire):
    return KeptKeys(LocalWrapper(NODE_KEY), wire)


async def test_another_node_makes_fetches_moves_and_shreds_as_if_the_keys_were_its_own(here, there):
    ring, held = Ring(uuid4(), "list"), Ring(uuid4(), "held")
    a, b, c = (uuid4() for _ in range(3))
    made = await there.make(ring, [a, b, c])
    assert made == await here.fetch(ring, None)
    assert await there.fetch(ring, [a, uuid4()]) == {a: made[a]}
    assert await there.move(ring, held, [b]) == 1
    assert await here.fetch(held, None) == {b: made[b]}
    assert await there.shred(ring, [a]) == 1
    assert set(await there.fetch(ring, None)) == {c}
    assert await there.shred(ring, None) == 1
    with pytest.raises(VaultError):
        await there.move(ring, held, [a])


async def test_nothing_that_passes_shows_a_key_or_whose_it_is(there, wire):
    ring, owner = Ring(uuid4(), "list"), uuid4()
    key = (await there.make(ring, [owner]))[owner]
    assert await there.fetch(ring, [owner]) == {owner: key}
    assert len(wire.passed) == 5
    for secret in (key, owner.bytes, str(owner).encode(), ring.deployment_id.bytes):
        assert not any(secret in passed for passed in wire.passed)


async def test_a_stranger_learns_and_destroys_nothing(here, wire):
    ring, owner = Ring(uuid4(), "list"), uuid4()
    await here.make(ring, [owner])
    stranger = KeptKeys(LocalWrapper(secrets.token_bytes(32)), wire)
    with pytest.raises(VaultError):
        await stranger.fetch(ring, None)
    with pytest.raises(StrangerAsked):
        await wire.keeper.ask(secrets.token_bytes(100))
    with pytest.raises(StrangerAsked):
        await wire.keeper.ask(b"")
    assert set(await here.fetch(ring, None)) == {owner}


async def test_an_old_answer_is_not_taken_for_a_new_one(there, wire):
    ring, owner = Ring(uuid4(), "list"), uuid4()
    await there.make(ring, [owner])
    before = wire.passed[-1]
    honest, wire.ask = wire.ask, None

    async def replay(sealed):
        await honest(sealed)
        return before

    wire.ask = replay
    with pytest.raises(VaultError, match="changed on its way"):
        await there.fetch(ring, [owner])


async def test_after_the_keepers_death_another_transit_key_is_fetched_by_itself(here, there, wire):
    ring, owner = Ring(uuid4(), "list"), uuid4()
    made = await there.make(ring, [owner])
    wire.keeper = Keeper(here, LocalWrapper(NODE_KEY))
    assert await there.fetch(ring, None) == made
