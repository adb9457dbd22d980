"""The vault: what lies at rest lies sealed (AES-256-GCM), each listed person's and each alert's under a key of its own.

A sealed object is `LFR2` | nonce (12) | ciphertext and tag. Owner, purpose and object id are bound as associated data:
a sealed template put in another row, or passed off as a picture, does not open. Keys come from the key store and are
held in memory for as long as somebody works with them; the database never sees one.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lfr.domain.errors import VaultError
from lfr.storage.keystore import KeyStore, MemoryKeys, Ring

__all__ = ["Ring", "Vault", "new_vault"]

NONCE_BYTES = 12
MAGIC = b"LFR2"
_LOST = "its key was shredded, or the key store is not the one that belongs to this database"


class Vault:
    """Seals and opens with the keys of one key store. Not for several event loops at once."""

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys
        self._ciphers: dict[UUID, AESGCM] = {}
        self._rings: dict[Ring, set[UUID]] = {}
        self._own: dict[UUID, bytes] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._ciphers)} keys in memory)"

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> None:
        """Keys for new owners, durable when this returns, and in memory. Raises VaultError."""
        self._hold(ring, await self.keys.make(ring, owners))

    async def load(self, ring: Ring, owners: Collection[UUID] | None = None) -> None:
        """Have these keys in memory, or those of the whole ring. Raises VaultError when one of `owners` has none.

        The store is asked each time: a key that another process has shredded is let go of here as well.
        """
        found = await self.keys.fetch(ring, owners)
        wanted = set(owners) if owners is not None else self._rings.get(ring, set())
        missing = wanted - found.keys()
        self.forget(missing)
        self._hold(ring, found)
        if missing and owners is not None:
            raise VaultError(f"{len(missing)} sealed objects cannot be opened", hint=_LOST)

    def seal(self, plain: bytes, *, owner: UUID, purpose: str, object_id: UUID) -> bytes:
        """Encrypt under the owner's key and a fresh nonce; 32 bytes longer than what is sealed.

        Raises VaultError when the key is not in memory.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return MAGIC + nonce + self._cipher(owner).encrypt(nonce, plain, _bound(owner, purpose, object_id))

    def open(self, sealed: bytes, *, owner: UUID, purpose: str, object_id: UUID) -> bytes:
        """Decrypt. Raises VaultError for another key, owner, purpose or object, or a changed bit."""
        head = len(MAGIC) + NONCE_BYTES
        if len(sealed) < head or sealed[: len(MAGIC)] != MAGIC:
            raise VaultError("a sealed object is cut short or of an unknown form", hint="restore it from a backup")
        nonce, body = sealed[len(MAGIC) : head], sealed[head:]
        try:
            return self._cipher(owner).decrypt(nonce, body, _bound(owner, purpose, object_id))
        except InvalidTag:
            raise VaultError(
                f"a sealed object does not open as {purpose}: it was changed or moved", hint="restore it from a backup"
            ) from None

    async def own_key(self, deployment_id: UUID, purpose: str) -> bytes:
        """32 bytes that belong to one deployment and one purpose (its transform, its digests); made at first use.

        Raises VaultError.
        """
        if deployment_id not in self._own:
            ring = Ring(deployment_id, "deployment")
            made = await self.keys.make(ring, [deployment_id])
            self._own[deployment_id] = made[deployment_id]
            self._hold(ring, made)
        return _derive(self._own[deployment_id], purpose.encode())

    async def digest(self, data: bytes, *, deployment_id: UUID, purpose: str) -> bytes:
        """A keyed digest (HMAC-SHA256, 32 bytes): equal for equal data in one deployment, worth nothing elsewhere."""
        return hmac.digest(await self.own_key(deployment_id, f"digest {purpose}"), data, "sha256")

    async def shred(self, ring: Ring, owners: Collection[UUID] | None = None) -> int:
        """Destroy keys, here and in the store. Returns how many the store had. Raises VaultError."""
        gone = await self.keys.shred(ring, owners)
        self.forget(self._rings.pop(ring, set()) if owners is None else owners)
        return gone

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """Keys to another ring, for an evidential hold and back. Returns how many. Raises VaultError."""
        moved = await self.keys.move(source, target, owners)
        self._rings.get(source, set()).difference_update(owners)
        self._rings.setdefault(target, set()).update(owner for owner in owners if owner in self._ciphers)
        return moved

    def forget(self, owners: Collection[UUID] | None = None) -> None:
        """Let go of keys in memory; the store keeps them."""
        for owner in list(self._ciphers) if owners is None else list(owners):
            self._ciphers.pop(owner, None)
            self._own.pop(owner, None)

    def _hold(self, ring: Ring, keys: dict[UUID, bytes]) -> None:
        self._ciphers.update({owner: AESGCM(key) for owner, key in keys.items()})
        self._rings.setdefault(ring, set()).update(keys)

    def _cipher(self, owner: UUID) -> AESGCM:
        try:
            return self._ciphers[owner]
        except KeyError:
            raise VaultError("a sealed object's key is not in memory", hint=_LOST) from None


def _bound(owner: UUID, purpose: str, object_id: UUID) -> bytes:
    return MAGIC + owner.bytes + object_id.bytes + purpose.encode()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"lfr vault 2 " + purpose).derive(key)


def new_vault() -> Vault:
    """A vault whose keys are written nowhere (tests, and runs that end with their data)."""
    return Vault(MemoryKeys())
