"""The watchlist: who was put on it, checked, taken off; never whom it shows."""

from __future__ import annotations

from uuid import UUID

from lfr.audit.vocabulary.base import Code, Count, Kinds, Payload
from lfr.domain.watchlist import Refusal


class EntryAdded(Payload, frozen=True):
    """A person was put on the watchlist (the label stays sealed in its own table)."""

    deployment: UUID


class ImageAdded(Payload, frozen=True):
    """One more picture of an entry. face_px: shorter box side in pixels."""

    deployment: UUID
    entry: UUID
    face_px: float
    sharpness: float
    objects: tuple[UUID, ...] = ()


class EntryRevoked(Payload, frozen=True):
    """An entry was taken off the list and its templates destroyed."""

    deployment: UUID
    templates: Count
    reason: Code = "asked"


class WatchlistImported(Payload, frozen=True):
    """The sum of one import."""

    enrolled: Count
    refused: dict[Refusal, Count]


KINDS: Kinds = {
    "watchlist.entry-added": EntryAdded,
    "watchlist.image-added": ImageAdded,
    "watchlist.entry-revoked": EntryRevoked,
    "watchlist.imported": WatchlistImported,
}
