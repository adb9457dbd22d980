"""The digest of a list: what the Authorising Officer signs, and what the matcher checks before it matches anybody.

An entry's leaf is SHA-256 of the canonical JSON of its id, category, action and [image id, SHA-256 of the sealed
template] pairs. A list's digest is SHA-256 of the canonical JSON of its sorted leaves. Leaves of approved entries stay
in their rows when a person is taken off, so the approval can be checked for as long as the deployment lasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from lfr.domain.authority import ListAmendment, ListApproval
from lfr.domain.canonical import canonical
from lfr.domain.errors import Conflict

_HINT = "the stored list was changed by something other than lfr: compare it with a backup, or have it approved anew"


@dataclass(frozen=True, slots=True)
class ListDigest:
    """digest: 64 hex digits over `entries` leaves. images: how many pictures the living ones of them have."""

    digest: str
    entries: int
    images: int


@dataclass(frozen=True, slots=True)
class Approved:
    """What was signed about one list: the approval, and the amendments that follow it, in their order."""

    approval: ListApproval
    amendments: tuple[ListAmendment, ...] = ()


def leaf_of(entry_id: UUID, category: str, action: str, images: Iterable[tuple[UUID, bytes]]) -> str:
    """An entry's part of the digest, 64 hex digits. images: (id, sealed template)."""
    pairs = sorted([str(image_id), hashlib.sha256(sealed).hexdigest()] for image_id, sealed in images)
    stated = {"id": str(entry_id), "category": category, "action": action, "images": pairs}
    return hashlib.sha256(canonical(stated)).hexdigest()


def digest_of(leaves: Iterable[str]) -> str:
    """The digest of a list, 64 hex digits; the order of the leaves does not matter."""
    return hashlib.sha256(canonical(sorted(leaves))).hexdigest()


def approved_leaves(approved: Approved, leaves: Sequence[str]) -> frozenset[str]:
    """Which of a list's leaves were approved. leaves: all that are stored, in the order the entries were added.

    What was added after the approval counts only once an amendment names it. Raises Conflict when the stored leaves are
    not the approved ones, or an amendment does not follow the list before it.
    """
    amended = {leaf for link in approved.amendments for leaf in link.added}
    first = [leaf for leaf in leaves if leaf not in amended][: approved.approval.entries]
    digest = digest_of(first)
    if digest != approved.approval.list_digest:
        raise Conflict("the list is not the one that was approved", hint=_HINT)
    held, stored = set(first), set(leaves)
    for link in approved.amendments:
        if link.previous != digest:
            raise Conflict("an amendment does not follow the list before it", hint=_HINT)
        if not stored.issuperset(link.added) or held.intersection(link.added):
            raise Conflict("an amendment names entries that are not on the list", hint=_HINT)
        held.update(link.added)
        digest = digest_of(held)
        if digest != link.list_digest or link.entries != len(held):
            raise Conflict("an amendment's digest is not that of the list it makes", hint=_HINT)
    return frozenset(held)


def amendment(approved: Approved, leaves: Sequence[str], living: Iterable[str]) -> tuple[tuple[str, ...], ListDigest]:
    """What the next amendment would add, and the digest of the list it would make. leaves: as in `approved_leaves`.

    living: leaves of the entries that were not taken off. Raises Conflict.
    """
    held = approved_leaves(approved, leaves)
    added = tuple(sorted(set(living) - held))
    return added, ListDigest(digest_of([*held, *added]), len(held) + len(added), 0)
