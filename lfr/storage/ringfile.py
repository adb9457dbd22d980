"""The form of a key ring's file: a line of JSON (ring, epoch, wrapped ring key), a count (8), records of 76 bytes.

A record is owner (16), nonce (12), wrapped key and tag (48). New records are appended and made durable, then the count
is raised and made durable: what lies behind it was torn by a crash and never answered for. What lies before it must be
sound.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lfr.domain.errors import VaultError
from lfr.storage.keystore import KEY_BYTES, Ring
from lfr.storage.node_key import NONCE_BYTES

RECORD = 16 + NONCE_BYTES + KEY_BYTES + 16
LINE_MOST = 1024
COUNT = 8
HINT = "restore the key store's folder as it was; what was shredded cannot come back"


class EpochGone(Exception):
    """A ring stands under an epoch that is no longer there: it was rotated meanwhile, or it is damaged."""


class Damaged(VaultError):
    """A file of the key store does not say what it must."""


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of a ring file."""

    v: int
    ring: str
    epoch: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class RingFile:
    """A ring, read. key: what its records are wrapped under. line: its first line, which no other version shares."""

    ring: Ring
    key: bytes
    records: dict[UUID, bytes]
    line: bytes = b""

    def __repr__(self) -> str:
        return f"RingFile({self.ring.name}, {len(self.records)} keys)"

    def wrap(self, keys: Mapping[UUID, bytes]) -> dict[UUID, bytes]:
        """New records for these keys."""
        cipher, made = AESGCM(self.key), {}
        for owner, key in keys.items():
            nonce = secrets.token_bytes(NONCE_BYTES)
            made[owner] = owner.bytes + nonce + cipher.encrypt(nonce, key, _context(self.ring, owner.bytes))
        return made

    def unwrap(self, owners: Mapping[UUID, object]) -> dict[UUID, bytes]:
        """The keys of these owners, each of whom has a record here. Raises VaultError for a changed bit."""
        cipher, found = AESGCM(self.key), {}
        for owner in owners:
            record = self.records[owner]
            nonce, body = record[16 : 16 + NONCE_BYTES], record[16 + NONCE_BYTES :]
            try:
                found[owner] = cipher.decrypt(nonce, body, _context(self.ring, owner.bytes))
            except InvalidTag:
                raise Damaged("a key of the key store is damaged", hint=HINT) from None
        return found

    def without(self, owners: Mapping[UUID, object]) -> RingFile:
        """The survivors, wrapped anew under a fresh ring key."""
        kept = self.unwrap({owner: None for owner in self.records if owner not in owners})
        fresh = empty(self.ring)
        fresh.records.update(fresh.wrap(kept))
        return fresh

    def encode(self, number: int, epoch: bytes) -> tuple[bytes, bytes]:
        """First line, and all that follows it, under an epoch's key."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + AESGCM(epoch).encrypt(nonce, self.key, _context(self.ring, b"ring"))
        line = msgspec.json.encode(_Head(1, self.ring.name, number, wrapped)) + b"\n"
        return line, count(len(self.records)) + b"".join(self.records.values())

    @property
    def end(self) -> int:
        """Where in the file the next record goes."""
        return len(self.line) + COUNT + len(self.records) * RECORD


def empty(ring: Ring) -> RingFile:
    """A ring without keys, under a fresh ring key."""
    return RingFile(ring, secrets.token_bytes(KEY_BYTES), {})


def decode(ring: Ring, line: bytes, epochs: Mapping[int, bytes]) -> RingFile:
    """A ring by its first line, its records not yet read. Raises EpochGone, Damaged."""
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.MsgspecError:
        raise Damaged("a ring of the key store is damaged", hint=HINT) from None
    if head.epoch not in epochs:
        raise EpochGone
    nonce, body = head.wrapped[:NONCE_BYTES], head.wrapped[NONCE_BYTES:]
    try:
        key = AESGCM(epochs[head.epoch]).decrypt(nonce, body, _context(ring, b"ring"))
    except (InvalidTag, ValueError):
        raise Damaged("a ring of the key store is damaged", hint=HINT) from None
    return RingFile(ring, key, {}, line)


def count(records: int) -> bytes:
    """As it stands in a file."""
    return records.to_bytes(COUNT, "big")


def parse(body: bytes, expected: int) -> dict[UUID, bytes]:
    """So many records. Raises Damaged when they are not there, or an owner has two."""
    whole = range(0, min(expected * RECORD, len(body) - RECORD + 1), RECORD)
    found = {UUID(bytes=body[at : at + 16]): body[at : at + RECORD] for at in whole}
    if len(found) != expected:
        raise Damaged("a ring of the key store is damaged", hint=HINT)
    return found


def _context(ring: Ring, what: bytes) -> bytes:
    return ring.deployment_id.bytes + ring.name.encode() + b"\x00" + what
