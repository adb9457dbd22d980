"""What was destroyed, and what is held (G2, G6)."""

from __future__ import annotations

from uuid import UUID

from lfr.audit.vocabulary.base import Code, Count, Kinds, Payload


class ObjectsDeleted(Payload, frozen=True):
    """A receipt: these stored objects can no longer be opened by anybody. At most 1,000 in one entry."""

    reason: Code
    objects: tuple[UUID, ...]


class HoldPlaced(Payload, frozen=True):
    """An alert's pictures are kept beyond their time. reason: a code of the policy."""

    reason: Code
    objects: tuple[UUID, ...]


class HoldReleased(Payload, frozen=True):
    """The hold is over. shredded: whether the pictures' time was over, too."""

    shredded: bool


class Reconciled(Payload, frozen=True):
    """Created objects against living, held and deleted ones. off: how many do not balance (0 = all do)."""

    created: Count
    living: Count
    held: Count
    deleted: Count
    off: Count


KINDS: Kinds = {
    "objects.deleted": ObjectsDeleted,
    "hold.placed": HoldPlaced,
    "hold.released": HoldReleased,
    "objects.reconciled": Reconciled,
}
