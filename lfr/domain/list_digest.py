"""The digest of a list: what the Authorising Officer signs, and what the matcher checks before it matches anybody.

An entry's leaf is SHA-256 of the canonical JSON of its id, category, action and [image id, SHA-256 of the sealed
template] pairs. A list's digest is SHA-256 of its sorted leaves in hex, one after the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from lfr.domain.canonical import canonical


@dataclass(frozen=True, slots=True)
class ListDigest:
    """A list as it stands. digest: 64 hex digits over `leaves`. living: entry -> leaf of the people who are listed now;
    images: how many pictures they have.

    leaves: of those who are listed now, and of those who were approved and taken off since, so that a removal needs no
    new approval.
    """

    digest: str
    leaves: frozenset[str]
    living: Mapping[UUID, str]
    images: int

    @property
    def entries(self) -> int:
        """How many people are listed now."""
        return len(self.living)


def image_digest(template_sealed: bytes) -> str:
    """What a leaf names a sealed template by, 64 hex digits."""
    return hashlib.sha256(template_sealed).hexdigest()


def leaf_of(entry_id: UUID, category: str, action: str, images: Iterable[tuple[UUID, str]]) -> str:
    """An entry's part of the digest, 64 hex digits. images: (id, `image_digest` of its template)."""
    pairs = sorted([str(image_id), template] for image_id, template in images)
    stated = {"id": str(entry_id), "category": category, "action": action, "images": pairs}
    return hashlib.sha256(canonical(stated)).hexdigest()


def digest_of(leaves: Iterable[str]) -> str:
    """The digest of a list, 64 hex digits; the order of the leaves does not matter."""
    return hashlib.sha256("".join(sorted(leaves)).encode()).hexdigest()
