"""Secrets under a password open with that password, for what they belong to, unchanged, or not at all."""

import pytest

from lfr.domain.errors import VaultError
from lfr.storage.password_key import MAGIC, Cost, unwrap, wrap

CHEAP = Cost(1, 3, 1)
SECRET = b"thirty-two bytes of private key."


def test_there_and_back():
    wrapped = wrap(SECRET, "correct horse", b"key 1", CHEAP)
    assert unwrap(wrapped, "correct horse", b"key 1") == SECRET
    assert SECRET not in wrapped
    assert wrap(SECRET, "correct horse", b"key 1", CHEAP) != wrapped


@pytest.mark.parametrize(("password", "context"), [("Correct horse", b"key 1"), ("correct horse", b"key 2"), ("", b"")])
def test_another_password_or_owner(password, context):
    with pytest.raises(VaultError):
        unwrap(wrap(SECRET, "correct horse", b"key 1", CHEAP), password, context)


def test_a_changed_bit_anywhere():
    wrapped = wrap(SECRET, "correct horse", b"key 1", CHEAP)
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        with pytest.raises(VaultError):
            unwrap(bytes(changed), "correct horse", b"key 1")


@pytest.mark.parametrize("cost", [(0, 3, 1), (11, 3, 1), (1, 21, 1), (1, 0, 1), (1, 3, 17), (1, 3, 0)])
def test_a_row_cannot_make_this_machine_work_without_end(cost):
    with pytest.raises(VaultError, match="does not open"):
        unwrap(MAGIC + bytes(cost) + bytes(80), "x", b"")


@pytest.mark.parametrize("wrapped", [b"", MAGIC, MAGIC + b"\x01\x03\x01", b"LFR2" + bytes(80)])
def test_what_is_no_wrapped_secret(wrapped):
    with pytest.raises(VaultError):
        unwrap(wrapped, "x", b"")
