"""The key store on a disk: one file for each ring, wrapped under an epoch key, which is wrapped under the node key.

A shredding writes the survivors under a fresh ring key and a fresh epoch, then overwrites and removes what was before.
So a copy of the database of any age opens nothing that was shredded, and neither does a copy of one ring's file alone.
What it cannot promise is a copy of the whole folder together with the node key: neither belongs in a backup. On flash
memory an overwritten block may linger; the disk's own encryption is for that.

A crash between any two steps leaves either what was before or what was to be; the next writer ends a rotation that was
cut short. Readers share a lock with each other, a writer is alone.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast, get_args
from uuid import UUID

import msgspec

from lfr import log
from lfr.domain.errors import VaultError
from lfr.storage import ringfile
from lfr.storage.keystore import KEY_BYTES, Ring, RingName
from lfr.storage.node_key import KeyWrapper, sync_folder
from lfr.storage.ringfile import COUNT, HINT, LINE_MOST, RECORD, Damaged, EpochGone, RingFile

_log = log.get(__name__)
_RING_MOST = 1 << 30
_DISK = "check its folder and disk"


class _Epochs(msgspec.Struct, forbid_unknown_fields=True):
    """Epoch -> its key, wrapped. Two while a rotation is under way."""

    v: int
    epochs: dict[int, bytes]


class FileKeys:
    """Keys in a folder (0700). Any number of processes of one machine may use it; writers take turns."""

    def __init__(self, folder: Path, wrapper: KeyWrapper) -> None:
        self._folder = folder
        self._wrapper = wrapper
        self._known: dict[Ring, RingFile] = {}
        self._opened: dict[bytes, bytes] = {}  # wrapped epoch -> its key
        self._mutex = threading.Lock()
        with _told():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = folder.stat().st_mode
        if mode & 0o077:
            raise VaultError(f"the key store {folder} may be entered by others", hint=f"chmod 700 {folder}")

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        """As `KeyStore.make`."""
        return await asyncio.to_thread(self._make, ring, owners)

    async def fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        """As `KeyStore.fetch`."""
        return await asyncio.to_thread(self._fetch, ring, owners)

    async def shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        """As `KeyStore.shred`."""
        return await asyncio.to_thread(self._shred, ring, owners)

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """As `KeyStore.move`. A crash in between may leave the keys in both rings: doing it again ends it."""
        return await asyncio.to_thread(self._move, source, target, owners)

    def _make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        with self._turn(fcntl.LOCK_EX):
            held = self._read(ring)
            if held is None:
                held = self._write(ringfile.empty(ring), self._epoch())
            made = {owner: secrets.token_bytes(KEY_BYTES) for owner in owners if owner not in held.records}
            there = held.unwrap({owner: None for owner in owners if owner not in made})
            self._append(held, held.wrap(made))
        return there | made

    def _fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        with self._turn(fcntl.LOCK_SH):
            held = self._read(ring)
            if held is None:
                return {}
            wanted = held.records if owners is None else [owner for owner in owners if owner in held.records]
            return held.unwrap(dict.fromkeys(wanted))

    def _shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        with self._turn(fcntl.LOCK_EX):
            held = self._read(ring)
            if held is None:
                return 0
            gone = dict.fromkeys(held.records if owners is None else (one for one in owners if one in held.records))
            if gone or not held.records:
                self._rotate(ringfile.empty(ring) if owners is None else held.without(gone))
            return len(gone)

    def _move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        with self._turn(fcntl.LOCK_EX):
            before = self._read(source) or ringfile.empty(source)
            after = self._read(target) or ringfile.empty(target)
            going = dict.fromkeys(owner for owner in owners if owner in before.records)
            missing = sum(owner not in going and owner not in after.records for owner in set(owners))
            if missing:
                raise VaultError(f"{missing} keys to be moved are not there", hint="they were shredded already")
            if going:
                grown = RingFile(target, after.key, after.records | after.wrap(before.unwrap(going)))
                # First where they go to: a crash must not lose what is held as evidence.
                self._rotate(grown, before.without(going))
            return len(set(owners))

    # Everything below runs while this process has its turn.

    def _rotate(self, *changed: RingFile) -> None:
        """A fresh epoch for every ring; the old one, and what `changed` leaves out, are destroyed."""
        before = self._wrapped_epochs()
        number = max(before, default=0) + 1
        self._write_epochs({**before, number: self._wrap_epoch(number, secrets.token_bytes(KEY_BYTES))})
        self._finish_rotation(*changed)

    def _finish_rotation(self, *changed: RingFile) -> None:
        wrapped = self._wrapped_epochs()
        newest = max(wrapped)
        epoch = newest, self._epochs()[newest]
        for held in (*changed, *self._others({one.ring for one in changed})):
            if held.records:
                self._write(held, epoch)
            else:
                self._destroy(self._path(held.ring))
                self._known.pop(held.ring, None)
        self._write_epochs({newest: wrapped[newest]})

    def _others(self, changed: set[Ring]) -> Iterator[RingFile]:
        for ring in sorted(self._rings() - changed):
            try:
                held = self._read(ring)
            except Damaged:
                # Its keys are lost already; waiting for it would keep everybody else's from being shredded.
                _log.error("keystore.ring-damaged", deployment=str(ring.deployment_id), ring=ring.name)
                continue
            if held is not None:
                yield held

    def _epoch(self) -> tuple[int, bytes]:
        if not self._wrapped_epochs():
            if self._rings():
                raise Damaged("the key store has rings but no epoch", hint=HINT)
            self._write_epochs({1: self._wrap_epoch(1, secrets.token_bytes(KEY_BYTES))})
        epochs = self._epochs()
        newest = max(epochs)
        return newest, epochs[newest]

    def _epochs(self) -> dict[int, bytes]:
        wrapped = self._wrapped_epochs()
        found = {n: self._opened.get(w) or self._wrapper.unwrap(w, _epoch_context(n)) for n, w in wrapped.items()}
        self._opened = {wrapped[number]: key for number, key in found.items()}
        return found

    def _wrapped_epochs(self) -> dict[int, bytes]:
        try:
            raw = (self._folder / "epoch").read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise VaultError(f"the key store cannot be read: {error.strerror}", hint=HINT) from None
        try:
            return msgspec.json.decode(raw, type=_Epochs).epochs
        except msgspec.MsgspecError:
            raise Damaged("the key store's epoch is damaged", hint=HINT) from None

    def _wrap_epoch(self, number: int, key: bytes) -> bytes:
        return self._wrapper.wrap(key, _epoch_context(number))

    def _write_epochs(self, wrapped: dict[int, bytes]) -> None:
        self._replace(self._folder / "epoch", msgspec.json.encode(_Epochs(1, wrapped)))

    def _path(self, ring: Ring) -> Path:
        return self._folder / f"{ring.deployment_id}.{ring.name}"

    def _rings(self) -> set[Ring]:
        found = set()
        for path in self._folder.glob("*.*"):
            deployment, _, name = path.name.partition(".")
            if len(deployment) == 36 and name in get_args(RingName):
                found.add(Ring(UUID(deployment), cast(RingName, name)))
        return found

    def _read(self, ring: Ring) -> RingFile | None:
        """The ring as it stands; only what was added since the last look is parsed. Raises VaultError."""
        try:
            with self._path(ring).open("rb") as file:
                line = file.readline(LINE_MOST)
                count = int.from_bytes(file.read(COUNT), "big")
                known = self._known.get(ring)
                if known is None or known.line != line or len(known.records) > count:
                    known = ringfile.decode(ring, line, self._epochs())
                new = count - len(known.records)
                file.seek(known.end)
                known.records.update(ringfile.parse(file.read(min(new * RECORD, _RING_MOST)), new))
        except FileNotFoundError:
            self._known.pop(ring, None)
            return None
        except EpochGone:
            raise Damaged("a ring of the key store is damaged", hint=HINT) from None
        except OSError as error:
            raise VaultError(f"the key store cannot be read: {error.strerror}", hint=HINT) from None
        self._known[ring] = known
        return known

    def _write(self, held: RingFile, epoch: tuple[int, bytes]) -> RingFile:
        line, body = held.encode(*epoch)
        self._replace(self._path(held.ring), line + body)
        self._known[held.ring] = written = RingFile(held.ring, held.key, held.records, line)
        return written

    def _append(self, held: RingFile, records: dict[UUID, bytes]) -> None:
        if not records:
            return
        with _told(), self._path(held.ring).open("r+b") as file:
            file.seek(held.end)
            file.truncate()  # what a crash has torn
            file.write(b"".join(records.values()))
            file.flush()
            os.fsync(file.fileno())
            os.pwrite(file.fileno(), ringfile.count(len(held.records) + len(records)), len(held.line))
            os.fsync(file.fileno())
        held.records.update(records)

    def _replace(self, path: Path, data: bytes) -> None:
        """Durable, whole or not at all; what the file held before is overwritten."""
        part = path.with_name(path.name + "~")
        with _told():
            old = os.open(path, os.O_RDWR | os.O_CLOEXEC) if path.exists() else None
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(handle)
                part.replace(path)
                sync_folder(self._folder)
                if old is not None:
                    _overwrite(old)
            finally:
                if old is not None:
                    os.close(old)

    def _destroy(self, path: Path) -> None:
        """Gone, then overwritten; what a crash leaves of it is overwritten by the next writer."""
        part = path.with_name(path.name.removesuffix("~") + "~")
        with _told():
            if path.exists():
                path.replace(part)
                sync_folder(self._folder)
                old = os.open(part, os.O_RDWR | os.O_CLOEXEC)
                try:
                    _overwrite(old)
                finally:
                    os.close(old)
                part.unlink()
                sync_folder(self._folder)

    @contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        """Be the only writer, or one of many readers. A writer first ends what a crash cut short."""
        with self._mutex:
            with _told():
                handle = os.open(self._folder / "lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                with _told():
                    fcntl.flock(handle, kind)
                if kind == fcntl.LOCK_EX:
                    for part in self._folder.glob("*~"):
                        self._destroy(part)
                    if len(self._wrapped_epochs()) > 1:
                        self._finish_rotation()
                yield
            except BaseException:
                self._known.clear()  # what is in memory may be ahead of what is on the disk
                raise
            finally:
                os.close(handle)


def _epoch_context(number: int) -> bytes:
    return b"epoch %d" % number


def _overwrite(handle: int) -> None:
    os.pwrite(handle, bytes(os.fstat(handle).st_size), 0)
    os.fsync(handle)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise VaultError(f"the key store cannot be written: {error.strerror}", hint=_DISK) from None
