"""The node key: the one secret that a machine must be given. It wraps other keys and seals nothing itself.

It comes from a file (0600), from the environment (`env:NAME`), or stays in a hardware module or key service that a
program of the force speaks to (`exec:/path`, see lfr.storage.key_command). `KeyWrapper` is the seam, `LocalWrapper` its
shipped double.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lfr.domain.errors import VaultError
from lfr.storage.key_command import CommandWrapper

KEY_BYTES = 32
NONCE_BYTES = 12
ENVIRONMENT = "LFR_NODE_KEY"
_FILE_HEAD = "lfr-node-key-1"
_FILE_MOST = 1024
_RESTORE = "restore the key file from its backup"


class KeyWrapper(Protocol):
    """Wraps keys under a key that never leaves it. context: bound to the wrapped key; it opens with the same only."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Raises VaultError."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises VaultError for another key, another context or a changed bit."""
        ...


class LocalWrapper:
    """Wraps under a key held in this process's memory (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError("a node key has 32 bytes", hint=_RESTORE)
        self.key_id = key_id_of(key)
        self._cipher = AESGCM(_derive(key, b"wrap"))

    def __repr__(self) -> str:
        return f"LocalWrapper(key_id={self.key_id})"

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """As `KeyWrapper.wrap`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """As `KeyWrapper.unwrap`."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise VaultError(
                f"a wrapped key does not open with node key {self.key_id}",
                hint="put the node key back that this key store was written with",
            ) from None


def key_id_of(key: bytes) -> str:
    """The id that goes with a key: 16 hex digits derived from it, telling nothing about it."""
    return _derive(key, b"id", 8).hex()


def _derive(key: bytes, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"lfr node 1 " + purpose).derive(key)


def open_wrapper(source: str | Path, *, create: bool) -> KeyWrapper:
    """The wrapper that `storage.node_key` names: a file, `env:NAME` or `exec:PROGRAM ARGUMENTS`. Raises VaultError."""
    given = str(source)
    if given.startswith("exec:"):
        return CommandWrapper(given.removeprefix("exec:"))
    if given.startswith("env:"):
        return _from_environment(given.removeprefix("env:") or ENVIRONMENT)
    return open_node_key(Path(source), create=create)


def prove(wrapper: KeyWrapper) -> None:
    """Raises VaultError for a wrapper that does not open what it wrapped, or opens it in another context."""
    key = secrets.token_bytes(KEY_BYTES)
    wrapped = wrapper.wrap(key, b"proof")
    if wrapper.unwrap(wrapped, b"proof") != key:
        raise VaultError("the node key does not open what it wrapped", hint="see what storage.node_key names")
    try:
        wrapper.unwrap(wrapped, b"another")
    except VaultError:
        return
    raise VaultError("the node key opens in another context", hint="the program must bind CONTEXT to what it wraps")


def _from_environment(name: str) -> LocalWrapper:
    value = os.environ.get(name)
    if value is None:
        raise VaultError(f"the node key should be in {name}, which is not set", hint="set it, or name a key file")
    # A whole key file's line will do, or its last word alone: 32 bytes in base64.
    words = value.split() or [""]
    try:
        key = base64.b64decode(words[-1], validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultError(f"{name} holds no node key", hint="32 bytes in base64, or the line of a node key file")
    return LocalWrapper(key)


def open_node_key(path: Path, *, create: bool) -> LocalWrapper:
    """The wrapper of a node key file; with `create`, a missing file is made (0600, complete or not at all).

    Raises VaultError when the file is missing, damaged, or readable by group or others.
    """
    try:
        return LocalWrapper(_read(path))
    except FileNotFoundError:
        if not create:
            raise VaultError(
                f"there is no node key file {path}", hint="restore it from its backup: without it nothing sealed opens"
            ) from None
    try:
        _create(path)
        return LocalWrapper(_read(path))
    except OSError as error:
        raise VaultError(
            f"cannot write the node key file {path}: {error.strerror}", hint="check folder and disk"
        ) from None


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise VaultError(
            f"cannot read the node key file {path}: {error.strerror}", hint="give this user the file"
        ) from None
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise VaultError(f"the node key {path} is not a plain file", hint="restore it from its backup")
        if mode & 0o077:
            raise VaultError(f"the node key file {path} may be read by others", hint=f"chmod 600 {path}")
        raw = os.read(handle, _FILE_MOST)
    finally:
        os.close(handle)
    try:
        head, key_id, encoded = raw.decode("ascii").split()
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        head, key_id, key = "", "", b""
    if head != _FILE_HEAD or len(key) != KEY_BYTES or not hmac.compare_digest(key_id_of(key), key_id):
        raise VaultError(f"the node key file {path} is damaged", hint="restore it from its backup")
    return key


def _create(path: Path) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    create_once(path, f"{_FILE_HEAD} {key_id_of(key)} {base64.b64encode(key).decode()}\n".encode())


def create_once(path: Path, data: bytes) -> None:
    """A file (0600) that is there whole or not at all; one that is there already stays. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        # A link, unlike a rename, never replaces what another process has just made.
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename, a link or a removal in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
