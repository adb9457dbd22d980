"""The vault: what lies at rest lies sealed (AES-256-GCM) under keys derived from one node key.

A sealed object is `LFR1` | key id (8 bytes) | nonce (12) | ciphertext and tag. Purpose and object id are bound as
associated data: a sealed template put in another row, or passed off as a picture, does not open.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lfr.domain.errors import VaultError

KEY_BYTES = 32
NONCE_BYTES = 12
MAGIC = b"LFR1"
_HEADER = len(MAGIC) + 8
_FILE_HEAD = "lfr-node-key-1"
_FILE_MOST = 1024


class Vault:
    """Seals and opens. key: 32 bytes; key_id: 16 hex digits, see `key_id_of`. Safe to use from several threads.

    Raises VaultError for a key of another length or an id that is not the key's.
    """

    def __init__(self, key: bytes, key_id: str) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError("a node key has 32 bytes", hint="restore the key file from its backup")
        if not hmac.compare_digest(key_id_of(key), key_id):
            raise VaultError("the node key is not the one its id names", hint="restore the key file from its backup")
        self.key_id = key_id
        self._root = key
        self._head = MAGIC + bytes.fromhex(key_id)
        self._cipher = AESGCM(_derive(key, b"seal"))
        self._digests: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"Vault(key_id={self.key_id})"

    def seal(self, plain: bytes, *, purpose: str, object_id: UUID) -> bytes:
        """Encrypt under a fresh random nonce; 40 bytes longer than what is sealed."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, self._bound(purpose, object_id))

    def open(self, sealed: bytes, *, purpose: str, object_id: UUID) -> bytes:
        """Decrypt. Raises VaultError for another key, another purpose or object, or a changed bit."""
        if len(sealed) < _HEADER + NONCE_BYTES or sealed[: len(MAGIC)] != MAGIC:
            raise VaultError("a sealed object is cut short or of an unknown form", hint="restore it from a backup")
        if sealed[:_HEADER] != self._head:
            raise VaultError(
                f"a sealed object needs key {sealed[len(MAGIC) : _HEADER].hex()}, this vault has {self.key_id}",
                hint="put the node key file back that this database was written with",
            )
        nonce, body = sealed[_HEADER : _HEADER + NONCE_BYTES], sealed[_HEADER + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, self._bound(purpose, object_id))
        except InvalidTag:
            raise VaultError(
                f"a sealed object does not open as {purpose}: it was changed or moved", hint="restore it from a backup"
            ) from None

    def digest(self, data: bytes, *, purpose: str) -> bytes:
        """A keyed digest (HMAC-SHA256, 32 bytes): equal for equal data here, worth nothing without the key."""
        key = self._digests.get(purpose)
        if key is None:
            key = self._digests[purpose] = _derive(self._root, b"digest " + purpose.encode())
        return hmac.digest(key, data, "sha256")

    def _bound(self, purpose: str, object_id: UUID) -> bytes:
        return self._head + purpose.encode() + b"\x00" + object_id.bytes


def _derive(key: bytes, purpose: bytes, length: int = KEY_BYTES) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"lfr vault 1 " + purpose).derive(key)


def key_id_of(key: bytes) -> str:
    """The id that goes with a key: 16 hex digits derived from it, telling nothing about it."""
    return _derive(key, b"id", 8).hex()


def new_vault() -> Vault:
    """A vault under a fresh key that is written nowhere (tests, and runs that end with their data)."""
    key = secrets.token_bytes(KEY_BYTES)
    return Vault(key, key_id_of(key))


def open_vault(path: Path, *, create: bool) -> Vault:
    """The vault of a node key file; with `create`, a missing file is made (0600, complete or not at all).

    Raises VaultError when the file is missing, damaged, or readable by group or others.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        if not create:
            raise VaultError(
                f"there is no node key file {path}", hint="restore it from its backup: without it nothing sealed opens"
            ) from None
    try:
        _create(path)
        return _read(path)
    except OSError as error:
        raise VaultError(
            f"cannot write the node key file {path}: {error.strerror}", hint="check folder and disk"
        ) from None


def _read(path: Path) -> Vault:
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
    if head != _FILE_HEAD:
        raise VaultError(f"the node key file {path} is damaged", hint="restore it from its backup")
    return Vault(key, key_id)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    line = f"{_FILE_HEAD} {key_id_of(key)} {base64.b64encode(key).decode()}\n"
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(handle)
        # A link, unlike a rename, never replaces a key that another process has just made.
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
