"""One machine's keys: the same after a restart, none without its node key, nothing made unasked."""

import secrets
import stat
from uuid import uuid4

import pytest

from lfr.domain.errors import VaultError
from lfr.storage.keystore import Ring
from lfr.storage.node import new_node, open_node

RING = Ring(uuid4(), "list")


def test_a_node_is_the_same_after_a_restart(tmp_path):
    first = open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    again = open_node(tmp_path / "node.key", tmp_path / "keys", create=False)
    assert (again.minter_key, again.registrar_key) == (first.minter_key, first.registrar_key)
    assert first.minter_key != first.registrar_key
    assert {len(key) for key in (first.minter_key, first.registrar_key)} == {64}


async def test_its_vaults_share_its_key_store(tmp_path):
    node = open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    owner = uuid4()
    one, two = node.vault(), open_node(tmp_path / "node.key", tmp_path / "keys", create=False).vault()
    await one.make(RING, [owner])
    sealed = one.seal(b"plain", owner=owner, purpose="p", object_id=owner)
    await two.load(RING, [owner])
    assert two.open(sealed, owner=owner, purpose="p", object_id=owner) == b"plain"


def test_the_signing_keys_lie_wrapped_and_private(tmp_path):
    node = open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    for path, key in (
        (tmp_path / "keys" / "minter.key", node.minter),
        (tmp_path / "keys" / "registrar.key", node.registrar),
    ):
        assert key.private_bytes_raw() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert node.minter.private_bytes_raw().hex() not in repr(node)


@pytest.mark.parametrize("lost", ["node.key", "keys", "keys/minter.key", "keys/registrar.key"])
def test_what_is_lost_is_not_made_anew_unasked(tmp_path, lost):
    open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    (tmp_path / lost).rename(tmp_path / "elsewhere")
    with pytest.raises(VaultError) as failed:
        open_node(tmp_path / "node.key", tmp_path / "keys", create=False)
    assert failed.value.hint
    assert not (tmp_path / lost).exists()


def test_another_node_key_does_not_open_the_signing_keys(tmp_path):
    open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    with pytest.raises(VaultError, match="does not open with node key"):
        open_node(tmp_path / "other.key", tmp_path / "keys", create=True)


def test_a_signing_key_cannot_be_passed_off_as_the_other(tmp_path):
    open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    (tmp_path / "keys" / "registrar.key").replace(tmp_path / "keys" / "minter.key")
    with pytest.raises(VaultError):
        open_node(tmp_path / "node.key", tmp_path / "keys", create=False)


def test_a_damaged_signing_key(tmp_path):
    open_node(tmp_path / "node.key", tmp_path / "keys", create=True)
    (tmp_path / "keys" / "minter.key").write_bytes(secrets.token_bytes(60))
    with pytest.raises(VaultError):
        open_node(tmp_path / "node.key", tmp_path / "keys", create=False)


def test_a_node_for_one_run_leaves_no_key_behind(tmp_path):
    node = new_node(tmp_path / "keys")
    assert node.minter_key != new_node(tmp_path / "keys").minter_key
    assert [path.name for path in (tmp_path / "keys").iterdir()] == []
