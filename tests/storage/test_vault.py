"""What is sealed opens as what it was sealed as, under its owner's key, and under nothing else."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import VaultError
from lfr.storage.keystore import MemoryKeys, Ring
from lfr.storage.vault import MAGIC, Vault, new_vault

DEPLOYMENT = UUID(int=1)
LIST, HELD = Ring(DEPLOYMENT, "list"), Ring(DEPLOYMENT, "held")
ANN, BOB = UUID(int=10), UUID(int=11)
OBJECT = UUID(int=20)


@pytest.fixture
async def vault():
    made = new_vault()
    await made.make(LIST, [ANN, BOB])
    return made


async def test_what_was_sealed_opens(vault):
    sealed = vault.seal(b"a face", owner=ANN, purpose="picture", object_id=OBJECT)
    assert vault.open(sealed, owner=ANN, purpose="picture", object_id=OBJECT) == b"a face"
    assert b"a face" not in sealed
    assert len(sealed) == len(b"a face") + 32
    assert vault.seal(b"a face", owner=ANN, purpose="picture", object_id=OBJECT) != sealed


@pytest.mark.parametrize(
    "changed",
    [{"owner": BOB}, {"purpose": "template"}, {"object_id": UUID(int=21)}, {"owner": OBJECT, "object_id": ANN}],
)
async def test_it_opens_as_nothing_else(vault, changed):
    given_as = {"owner": ANN, "purpose": "picture", "object_id": OBJECT}
    sealed = vault.seal(b"a face", **given_as)
    with pytest.raises(VaultError) as failed:
        vault.open(sealed, **given_as | changed)
    assert failed.value.hint


@given(data=st.data())
async def test_every_changed_bit_is_noticed(data):
    vault = new_vault()
    await vault.make(LIST, [ANN])
    plain = data.draw(st.binary(max_size=64))
    sealed = vault.seal(plain, owner=ANN, purpose="p", object_id=OBJECT)
    assert vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT) == plain
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    flipped = bytearray(sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    cut = sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    for wrong in (bytes(flipped), cut):
        with pytest.raises(VaultError):
            vault.open(wrong, owner=ANN, purpose="p", object_id=OBJECT)


async def test_a_form_that_is_not_known(vault):
    for wrong in (b"", b"LFR1" + bytes(40), MAGIC + bytes(12)):
        with pytest.raises(VaultError):
            vault.open(wrong, owner=ANN, purpose="p", object_id=OBJECT)


async def test_without_its_key_nothing_is_sealed_or_opened(vault):
    sealed = vault.seal(b"a face", owner=ANN, purpose="p", object_id=OBJECT)
    vault.forget([ANN])
    with pytest.raises(VaultError, match="not in memory"):
        vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT)
    with pytest.raises(VaultError):
        vault.seal(b"x", owner=ANN, purpose="p", object_id=OBJECT)
    await vault.load(LIST, [ANN])
    assert vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT) == b"a face"
    vault.forget()
    assert "0 keys" in repr(vault)


@pytest.mark.rule("G3")
async def test_what_another_process_has_shredded_is_let_go_of_here(vault):
    sealed = vault.seal(b"a face", owner=ANN, purpose="p", object_id=OBJECT)
    another = Vault(vault.keys)
    await another.shred(LIST, [ANN])
    with pytest.raises(VaultError, match="1 sealed objects cannot be opened"):
        await vault.load(LIST, [ANN, BOB])
    with pytest.raises(VaultError, match="not in memory"):
        vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT)
    await another.shred(LIST)
    await vault.load(LIST)
    assert "0 keys" in repr(vault)


@pytest.mark.rule("G3")
async def test_a_shredded_ring_is_gone_from_memory_too(vault):
    sealed = vault.seal(b"a face", owner=ANN, purpose="p", object_id=OBJECT)
    assert await vault.shred(LIST) == 2
    with pytest.raises(VaultError):
        vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT)
    with pytest.raises(VaultError) as failed:
        await vault.load(LIST, [ANN])
    assert "shredded" in failed.value.hint


@pytest.mark.rule("G2")
async def test_what_is_moved_opens_from_its_new_ring_only(vault):
    sealed = vault.seal(b"a face", owner=ANN, purpose="p", object_id=OBJECT)
    assert await vault.move(LIST, HELD, [ANN]) == 1
    await vault.shred(LIST)
    later = Vault(vault.keys)
    await later.load(HELD, [ANN])
    assert later.open(sealed, owner=ANN, purpose="p", object_id=OBJECT) == b"a face"
    assert vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT) == b"a face"
    await vault.shred(HELD)
    with pytest.raises(VaultError):
        vault.open(sealed, owner=ANN, purpose="p", object_id=OBJECT)


@pytest.mark.rule("B12")
async def test_a_deployments_own_keys_are_its_own_and_die_with_it():
    vault = new_vault()
    one = await vault.own_key(DEPLOYMENT, "transform")
    assert await Vault(vault.keys).own_key(DEPLOYMENT, "transform") == one
    others = [await vault.own_key(uuid4(), "transform"), await vault.own_key(DEPLOYMENT, "digest")]
    assert len({one, *others}) == 3
    assert await vault.digest(b"x", deployment_id=DEPLOYMENT, purpose="p") == await vault.digest(
        b"x", deployment_id=DEPLOYMENT, purpose="p"
    )
    assert await vault.digest(b"x", deployment_id=DEPLOYMENT, purpose="p") != await vault.digest(
        b"x", deployment_id=DEPLOYMENT, purpose="q"
    )
    await vault.shred(Ring(DEPLOYMENT, "deployment"))
    assert await vault.own_key(DEPLOYMENT, "transform") != one


async def test_two_vaults_of_different_stores_share_nothing():
    one, two = Vault(MemoryKeys()), Vault(MemoryKeys())
    for vault in (one, two):
        await vault.make(LIST, [ANN])
    sealed = one.seal(b"a face", owner=ANN, purpose="p", object_id=OBJECT)
    with pytest.raises(VaultError):
        two.open(sealed, owner=ANN, purpose="p", object_id=OBJECT)
