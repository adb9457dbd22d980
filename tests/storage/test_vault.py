"""What is sealed opens only with the right key, for the right purpose and object, and unchanged."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import VaultError
from lfr.storage.vault import KEY_BYTES, Vault, key_id_of, new_vault, open_vault

VAULT = new_vault()
OTHER = new_vault()
OBJECT = UUID(int=7)


@given(st.binary(max_size=500), st.text(max_size=20), st.uuids())
def test_opens_what_it_sealed(plain, purpose, object_id):
    sealed = VAULT.seal(plain, purpose=purpose, object_id=object_id)
    assert VAULT.open(sealed, purpose=purpose, object_id=object_id) == plain
    assert len(sealed) == len(plain) + 40


@given(st.binary(max_size=60), st.data())
def test_a_flipped_bit_is_noticed(plain, data):
    sealed = bytearray(VAULT.seal(plain, purpose="p", object_id=OBJECT))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(VaultError):
        VAULT.open(bytes(sealed), purpose="p", object_id=OBJECT)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 99))
def test_a_piece_does_not_open(plain, length):
    sealed = VAULT.seal(plain, purpose="p", object_id=OBJECT)
    with pytest.raises(VaultError):
        VAULT.open(sealed[: min(length, len(sealed) - 1)], purpose="p", object_id=OBJECT)


@given(st.binary(max_size=60), st.uuids(), st.uuids())
def test_another_object_purpose_or_key_does_not_open(plain, one, another):
    sealed = VAULT.seal(plain, purpose="template", object_id=one)
    if one != another:
        with pytest.raises(VaultError, match="changed or moved"):
            VAULT.open(sealed, purpose="template", object_id=another)
    with pytest.raises(VaultError, match="changed or moved"):
        VAULT.open(sealed, purpose="picture", object_id=one)
    with pytest.raises(VaultError, match=f"this vault has {OTHER.key_id}"):
        OTHER.open(sealed, purpose="template", object_id=one)


def test_no_two_seals_are_alike():
    seals = {VAULT.seal(b"same", purpose="p", object_id=OBJECT) for _ in range(200)}
    assert len(seals) == 200


def test_the_plain_bytes_are_not_in_the_seal():
    plain = os.urandom(64)
    assert plain not in VAULT.seal(plain, purpose="p", object_id=OBJECT)


def test_digests_depend_on_key_and_purpose():
    assert VAULT.digest(b"x", purpose="a") == VAULT.digest(b"x", purpose="a")
    found = {VAULT.digest(b"x", purpose="a"), VAULT.digest(b"x", purpose="b"), OTHER.digest(b"x", purpose="a")}
    assert len(found) == 3


def test_a_key_that_is_not_one_is_refused():
    with pytest.raises(VaultError, match="32 bytes"):
        Vault(b"short", "00" * 8)
    with pytest.raises(VaultError, match="not the one"):
        Vault(bytes(KEY_BYTES), key_id_of(b"\1" * KEY_BYTES))


def test_a_vault_does_not_show_its_key():
    key = os.urandom(KEY_BYTES)
    shown = repr(Vault(key, key_id_of(key)))
    assert key.hex() not in shown
    assert repr(key) not in shown


def test_the_key_file_is_private_and_lasting(tmp_path):
    path = tmp_path / "new" / "node.key"
    sealed = open_vault(path, create=True).seal(b"x", purpose="p", object_id=OBJECT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    assert open_vault(path, create=False).open(sealed, purpose="p", object_id=OBJECT) == b"x"
    assert open_vault(path, create=True).open(sealed, purpose="p", object_id=OBJECT) == b"x"


def test_many_at_once_make_one_key(tmp_path):
    path = tmp_path / "node.key"
    with ThreadPoolExecutor(8) as pool:
        ids = {vault.key_id for vault in pool.map(lambda _: open_vault(path, create=True), range(32))}
    assert len(ids) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_key_is_not_made_by_accident(tmp_path):
    with pytest.raises(VaultError, match="no node key file") as failed:
        open_vault(tmp_path / "node.key", create=False)
    assert failed.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "node.key"
    open_vault(path, create=True)
    path.chmod(mode)
    with pytest.raises(VaultError, match="read by others") as failed:
        open_vault(path, create=True)
    assert "chmod 600" in failed.value.hint


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"lfr-node-key-1 00 AAAA\n", b"a b c", b"one two", b"x" * 5000])
def test_a_damaged_key_file_is_left_alone(tmp_path, content):
    path = tmp_path / "node.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultError):
        open_vault(path, create=True)
    assert path.read_bytes() == content


def test_a_link_or_folder_is_no_key_file(tmp_path):
    open_vault(tmp_path / "real.key", create=True)
    (tmp_path / "link.key").symlink_to(tmp_path / "real.key")
    (tmp_path / "folder.key").mkdir(mode=0o700)
    for name in ("link.key", "folder.key"):
        with pytest.raises(VaultError):
            open_vault(tmp_path / name, create=True)


def test_objects_do_not_share_a_seal():
    one, another = uuid4(), uuid4()
    swapped = VAULT.seal(b"template of one", purpose="watchlist template", object_id=one)
    with pytest.raises(VaultError):
        VAULT.open(swapped, purpose="watchlist template", object_id=another)
