"""Where keys live: one key for each listed entry and each alert, in rings, outside the database and its backups.

A ring is what is shredded together. The seam is `KeyStore`; `MemoryKeys` is its shipped double.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from lfr.domain.errors import VaultError

KEY_BYTES = 32


RingName = Literal["list", "alerts", "deployment", "held"]


class Ring(NamedTuple):
    """The keys of one kind in one deployment. `deployment`: its own keys (transform, digests, evidence of signs)."""

    deployment_id: UUID
    name: RingName


class KeyStore(Protocol):
    """Keys by ring and owner. What is shredded is gone: no copy of the database of any age opens what it sealed."""

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        """The keys of these owners, 32 bytes each, made where there are none; durable when this returns.

        Raises VaultError.
        """
        ...

    async def fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        """The keys there are of these owners, or of the whole ring. Raises VaultError when they cannot be read."""
        ...

    async def shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        """Destroy these keys, or the whole ring; the survivors are wrapped anew. Returns how many there were."""
        ...

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """Wrap these keys under another ring and destroy them in the first (evidential hold). Returns how many.

        Keys that were moved already count as moved. Raises VaultError when one is in neither ring: nothing moves then.
        """
        ...


@dataclass
class MemoryKeys:
    """A store whose keys are written nowhere: tests, and runs that end with their data."""

    _rings: dict[Ring, dict[UUID, bytes]] = field(default_factory=dict, repr=False)

    async def make(self, ring: Ring, owners: Sequence[UUID]) -> dict[UUID, bytes]:
        """As `KeyStore.make`, durable for as long as this object lives."""
        held = self._rings.setdefault(ring, {})
        for owner in owners:
            held.setdefault(owner, secrets.token_bytes(KEY_BYTES))
        return {owner: held[owner] for owner in owners}

    async def fetch(self, ring: Ring, owners: Collection[UUID] | None) -> dict[UUID, bytes]:
        """As `KeyStore.fetch`."""
        held = self._rings.get(ring, {})
        return dict(held) if owners is None else {owner: held[owner] for owner in owners if owner in held}

    async def shred(self, ring: Ring, owners: Collection[UUID] | None) -> int:
        """As `KeyStore.shred`."""
        held = self._rings.get(ring, {})
        gone = [owner for owner in (list(held) if owners is None else owners) if held.pop(owner, None) is not None]
        return len(gone)

    async def move(self, source: Ring, target: Ring, owners: Collection[UUID]) -> int:
        """As `KeyStore.move`."""
        held, there = self._rings.get(source, {}), self._rings.setdefault(target, {})
        missing = [owner for owner in owners if owner not in held and owner not in there]
        if missing:
            raise VaultError(f"{len(missing)} keys to be moved are not there", hint="they were shredded already")
        there.update({owner: held.pop(owner) for owner in set(owners) if owner in held})
        return len(set(owners))
