"""The node key: from a file, the environment or behind a program; what is wrong with it is said and nothing opens."""

import base64
import secrets
import shlex
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import VaultError
from lfr.storage.node_key import KEY_BYTES, LocalWrapper, key_id_of, open_node_key, open_wrapper, prove

KEY = bytes(range(32))


def double(path):
    return f"exec:{shlex.join([sys.executable, '-m', 'lfr.storage.key_command', str(path)])}"


def program(tmp_path, body):
    """A program of the force's that answers with this shell script."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return f"exec:{path}"


@pytest.fixture(params=["file", "environment", "program"])
def source(request, tmp_path, monkeypatch):
    path = tmp_path / "node.key"
    open_node_key(path, create=True)
    if request.param == "environment":
        monkeypatch.setenv("LFR_NODE_KEY", path.read_text())
        return "env:LFR_NODE_KEY"
    return double(path) if request.param == "program" else path


def test_each_kind_opens_what_it_wrapped_and_nothing_else(source):
    wrapper = open_wrapper(source, create=False)
    prove(wrapper)
    wrapped = wrapper.wrap(KEY, b"a")
    assert KEY not in wrapped
    assert open_wrapper(source, create=False).unwrap(wrapped, b"a") == KEY
    for changed, context in ((wrapped, b"b"), (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), b"a"), (wrapped[:20], b"a")):
        with pytest.raises(VaultError) as failed:
            wrapper.unwrap(changed, context)
        assert failed.value.hint
    assert KEY.hex() not in repr(wrapper)


def test_all_kinds_hold_the_same_key(tmp_path, monkeypatch):
    path = tmp_path / "node.key"
    wrapped = open_node_key(path, create=True).wrap(KEY, b"c")
    monkeypatch.setenv("LFR_NODE_KEY", path.read_text().split()[-1])
    for given_source in (path, str(path), "env:", "env:LFR_NODE_KEY", double(path)):
        assert open_wrapper(given_source, create=False).unwrap(wrapped, b"c") == KEY


def test_a_new_file_is_private_and_made_once(tmp_path):
    path = tmp_path / "a" / "b" / "node.key"
    first = open_node_key(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert open_node_key(path, create=True).key_id == first.key_id
    assert [one.name for one in path.parent.iterdir()] == ["node.key"]


def test_a_missing_file_is_not_made_unasked(tmp_path):
    with pytest.raises(VaultError, match="there is no node key file") as failed:
        open_node_key(tmp_path / "node.key", create=False)
    assert "backup" in failed.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "node.key"
    open_node_key(path, create=True)
    path.chmod(mode)
    with pytest.raises(VaultError, match="read by others") as failed:
        open_node_key(path, create=False)
    assert f"chmod 600 {path}" in failed.value.hint


@given(st.integers(0, 200), st.binary(max_size=40))
def test_a_damaged_file_is_noticed(at, put):
    """Whatever bytes are put anywhere: the key is the old one, or the file is damaged."""
    key = secrets.token_bytes(KEY_BYTES)
    line = f"lfr-node-key-1 {key_id_of(key)} {base64.b64encode(key).decode()}\n".encode()
    changed = line[:at] + put + line[at + len(put) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "node.key"
        path.write_bytes(changed)
        path.chmod(0o600)
        if changed.split() == line.split():
            assert open_node_key(path, create=False).key_id == key_id_of(key)
            return
        with pytest.raises(VaultError, match="damaged") as failed:
            open_node_key(path, create=False)
        assert base64.b64encode(key).decode() not in failed.value.message + failed.value.hint


def test_what_is_no_plain_file_is_refused(tmp_path):
    open_node_key(tmp_path / "real.key", create=True)
    (tmp_path / "link.key").symlink_to(tmp_path / "real.key")
    for path in (tmp_path, tmp_path / "link.key"):
        with pytest.raises(VaultError):
            open_node_key(path, create=False)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VaultError):
        open_node_key(tmp_path / "file" / "node.key", create=True)


@pytest.mark.parametrize("value", [None, "", "not base64!", base64.b64encode(b"too short").decode()])
def test_an_environment_without_a_key(monkeypatch, value):
    if value is None:
        monkeypatch.delenv("LFR_NODE_KEY", raising=False)
    else:
        monkeypatch.setenv("LFR_NODE_KEY", value)
    with pytest.raises(VaultError, match="LFR_NODE_KEY") as failed:
        open_wrapper("env:LFR_NODE_KEY", create=True)
    assert failed.value.hint
    assert not value or value not in failed.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 3", "refused to wrap"),
        ("true", "answered with 0 bytes"),
        ("head -c 5000 /dev/zero", "answered with 5000 bytes"),
        ("cat", "gave the key back"),
        ("echo a secret of the module >&2; exit 1", "refused to wrap"),
    ],
)
def test_a_program_that_does_not_do_its_part(tmp_path, body, said):
    with pytest.raises(VaultError, match=said) as failed:
        prove(open_wrapper(program(tmp_path, body), create=False))
    assert failed.value.hint
    assert "secret" not in failed.value.message + failed.value.hint


def test_a_program_that_does_not_bind_the_context(tmp_path):
    with pytest.raises(VaultError, match="another context"):
        prove(open_wrapper(program(tmp_path, "LC_ALL=C exec tr '\\000-\\377' '\\200-\\377\\000-\\177'"), create=False))


def test_a_program_that_is_not_there_or_does_not_answer(tmp_path, monkeypatch):
    with pytest.raises(VaultError, match="cannot be started"):
        open_wrapper(f"exec:{tmp_path / 'nothing'}", create=False).wrap(KEY, b"c")
    with pytest.raises(VaultError, match="names no program"):
        open_wrapper("exec:", create=False)
    monkeypatch.setattr("lfr.storage.key_command.ANSWER_S", 0.1)
    with pytest.raises(VaultError, match="did not answer"):
        open_wrapper(program(tmp_path, "exec sleep 5"), create=False).wrap(KEY, b"c")


def test_a_key_of_another_length():
    with pytest.raises(VaultError, match="32 bytes"):
        LocalWrapper(b"short")
