"""The key store on a disk: one file for each ring, wrapped under an epoch key, which is wrapped under the node key.

A shredding writes the survivors under a fresh ring key and a fresh epoch, then overwrites and removes what was before.
So a copy of the database of any age opens nothing that was shredded, and neither does a copy of one ring's file alone.
What it cannot promise is a copy of the whole folder together with the node key: neither belongs in a backup. On flash
memory an overwritten block may linger; the disk's own encryption is for that.

A ring file is a line of JSON (ring, epoch, wrapped ring key) and records of 76 bytes: owner (16), nonce (12), wrapped
key and tag (48). New keys are appended; a record torn by a crash was never answered for and is passed over.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lfr.domain.errors import VaultError
from lfr.storage.keystore import KEY_BYTES, Ring
from lfr.storage.node_key import NONCE_BYTES, KeyWrapper, sync_folder

_RECORD = 16 + NONCE_BYTES + KEY_BYTES + 16
_HINT = "restore the key store's folder as it was; what was shredded cannot come back"


class _Epochs(msgspec.Struct):
    """Epoch -> its key, wrapped. Two while a rotation is under way."""

    v: int
    epochs: dict[int, bytes]


class _Head(msgspec.Struct):
    """The first line of a ring file."""

    v: int
    ring: str
    epoch: int
    wrapped: bytes


class _RingFile(NamedTuple):
    """A ring file, read: the key its records are wrapped under, and the records as they stand."""

    key: bytes
    records: dict[UUID, bytes]


class FileKeys:
    """Keys in a folder (0700). Any number of processes of one machine may use it; writers take turns."""

    def __init__(self, folder: Path, wrapper: KeyWrapper) -> None:
        self._folder = folder
        self._wrapper = wrapper
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise VaultError(
                f"cannot make the key store {folder}: {error.strerror}", hint="check folder and disk"
            ) from None

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        """As `KeyStore.make`."""
        return await asyncio.to_thread(self._make, ring, owners, {})

    async def fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        """As `KeyStore.fetch`."""
        return await asyncio.to_thread(self._fetch, ring, owners)

    async def shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        """As `KeyStore.shred`."""
        return await asyncio.to_thread(self._shred, ring, owners)

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """As `KeyStore.move`. A crash in between leaves the keys in both rings: doing it again ends it."""
        return await asyncio.to_thread(self._move, source, target, owners)

    def _make(self, ring: Ring, owners: Sequence[UUID], given: dict[UUID, bytes]) -> dict[UUID, bytes]:
        with self._turn():
            held = self._read(ring)
            if held is None:
                held = _RingFile(secrets.token_bytes(KEY_BYTES), {})
                self._write(ring, held, self._epoch())
            missing = [owner for owner in dict.fromkeys(owners) if owner not in held.records]
            made = {owner: given.get(owner) or secrets.token_bytes(KEY_BYTES) for owner in missing}
            self._append(ring, b"".join(_wrapped(held.key, ring, owner, key) for owner, key in made.items()))
        there = {owner: held.records[owner] for owner in owners if owner in held.records}
        return made | {owner: _unwrapped(held.key, ring, owner, record) for owner, record in there.items()}

    def _fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        held = self._read(ring)
        if held is None:
            return {}
        wanted = held.records if owners is None else [owner for owner in owners if owner in held.records]
        return {owner: _unwrapped(held.key, ring, owner, held.records[owner]) for owner in wanted}

    def _shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        with self._turn():
            held = self._read(ring)
            if held is None:
                return 0
            gone = set(held.records) if owners is None else held.records.keys() & set(owners)
            if gone:
                key = secrets.token_bytes(KEY_BYTES)
                kept = {
                    owner: _wrapped(key, ring, owner, _unwrapped(held.key, ring, owner, record))
                    for owner, record in held.records.items()
                    if owner not in gone
                }
                self._rotate({ring: _RingFile(key, kept)})
            return len(gone)

    def _move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        keys = self._fetch(source, owners)
        there = self._fetch(target, owners)
        if len(keys.keys() | there.keys()) < len(set(owners)):
            raise VaultError("keys to be moved are not there", hint="they were shredded already")
        self._make(target, list(keys), keys)
        self._shred(source, list(keys))
        return len(set(owners))

    # Epochs and files. Everything below runs while this process has its turn.

    def _rotate(self, changed: dict[Ring, _RingFile]) -> None:
        """A fresh epoch for every ring; the old one, and what `changed` leaves out, are destroyed."""
        before = self._epochs()
        number = max(before, default=0) + 1
        self._write_epochs({**before, number: secrets.token_bytes(KEY_BYTES)})
        self._finish_rotation(changed)

    def _finish_rotation(self, changed: dict[Ring, _RingFile]) -> None:
        epochs = self._epochs()
        newest = max(epochs)
        for ring in self._rings() | changed.keys():
            held = changed.get(ring) or self._read(ring)
            if held is not None and held.records:
                self._write(ring, held, (newest, epochs[newest]))
            else:
                self._destroy(self._path(ring))
        self._write_epochs({newest: epochs[newest]})

    def _epoch(self) -> tuple[int, bytes]:
        epochs = self._epochs()
        if not epochs:
            epochs = {1: secrets.token_bytes(KEY_BYTES)}
            self._write_epochs(epochs)
        newest = max(epochs)
        return newest, epochs[newest]

    def _epochs(self) -> dict[int, bytes]:
        try:
            raw = (self._folder / "epoch").read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise VaultError(f"the key store cannot be read: {error.strerror}", hint=_HINT) from None
        try:
            found = msgspec.json.decode(raw, type=_Epochs)
        except msgspec.MsgspecError:
            raise VaultError("the key store's epoch is damaged", hint=_HINT) from None
        return {number: self._wrapper.unwrap(key, b"epoch %d" % number) for number, key in found.epochs.items()}

    def _write_epochs(self, epochs: dict[int, bytes]) -> None:
        wrapped = {number: self._wrapper.wrap(key, b"epoch %d" % number) for number, key in epochs.items()}
        self._replace(self._folder / "epoch", msgspec.json.encode(_Epochs(1, wrapped)))

    def _path(self, ring: Ring) -> Path:
        return self._folder / f"{ring.deployment_id}.{ring.name}"

    def _rings(self) -> set[Ring]:
        found = set()
        for path in self._folder.glob("*.*"):
            deployment, _, name = path.name.partition(".")
            if len(deployment) == 36 and not name.endswith("~"):
                found.add(Ring(UUID(deployment), name))  # type: ignore[arg-type]  # a file's name, made by _path
        return found

    def _read(self, ring: Ring) -> _RingFile | None:
        for attempt in range(3):
            try:
                return self._read_once(ring)
            except KeyError:  # a rotation came between our look at the ring and our look at the epochs
                if attempt == 2:
                    raise VaultError("a ring of the key store is damaged", hint=_HINT) from None
        return None

    def _read_once(self, ring: Ring) -> _RingFile | None:
        try:
            raw = self._path(ring).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VaultError(f"the key store cannot be read: {error.strerror}", hint=_HINT) from None
        line, _, body = raw.partition(b"\n")
        try:
            head = msgspec.json.decode(line, type=_Head)
            epoch = self._epochs()[head.epoch]
            nonce, body_key = head.wrapped[:NONCE_BYTES], head.wrapped[NONCE_BYTES:]
            key = AESGCM(epoch).decrypt(nonce, body_key, _context(ring, b"ring"))
        except (msgspec.MsgspecError, InvalidTag, ValueError):
            raise VaultError("a ring of the key store is damaged", hint=_HINT) from None
        whole = len(body) // _RECORD
        records = (body[i * _RECORD : (i + 1) * _RECORD] for i in range(whole))
        return _RingFile(key, {UUID(bytes=record[:16]): record for record in records})

    def _write(self, ring: Ring, held: _RingFile, epoch: tuple[int, bytes]) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + AESGCM(epoch[1]).encrypt(nonce, held.key, _context(ring, b"ring"))
        line = msgspec.json.encode(_Head(1, ring.name, epoch[0], wrapped))
        self._replace(self._path(ring), line + b"\n" + b"".join(held.records.values()))

    def _append(self, ring: Ring, records: bytes) -> None:
        if not records:
            return
        path = self._path(ring)
        with _told(), path.open("r+b") as file:
            head = len(file.readline())
            end = file.seek(0, os.SEEK_END)
            file.seek(end - (end - head) % _RECORD)  # over a record that a crash has torn
            file.write(records)
            file.flush()
            os.fsync(file.fileno())

    def _replace(self, path: Path, data: bytes) -> None:
        """Durable, whole or not at all; what the file held before is overwritten."""
        part = path.with_name(path.name + "~")
        with _told():
            old = os.open(path, os.O_RDWR | os.O_CLOEXEC) if path.exists() else None
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            part.replace(path)
            sync_folder(self._folder)
            if old is not None:
                _overwrite(old)

    def _destroy(self, path: Path) -> None:
        with _told():
            if path.exists():
                old = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                path.unlink()
                sync_folder(self._folder)
                _overwrite(old)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Be the only writer; a rotation that a crash cut short is ended first."""
        with _told():
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if len(self._epochs()) > 1:
                self._finish_rotation({})
            yield
        finally:
            os.close(handle)


def _context(ring: Ring, what: bytes) -> bytes:
    return ring.deployment_id.bytes + ring.name.encode() + b"\x00" + what


def _wrapped(key: bytes, ring: Ring, owner: UUID, own: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return owner.bytes + nonce + AESGCM(key).encrypt(nonce, own, _context(ring, owner.bytes))


def _unwrapped(key: bytes, ring: Ring, owner: UUID, record: bytes) -> bytes:
    nonce, body = record[16 : 16 + NONCE_BYTES], record[16 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, _context(ring, owner.bytes))
    except InvalidTag:
        raise VaultError("a key of the key store is damaged", hint=_HINT) from None


def _overwrite(handle: int) -> None:
    try:
        os.pwrite(handle, bytes(os.fstat(handle).st_size), 0)
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VaultError(
            f"the key store cannot be written: {error.strerror}", hint="check its folder and disk"
        ) from None
