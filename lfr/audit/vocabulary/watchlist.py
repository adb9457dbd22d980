"""The watchlist: who was put on it, checked, taken off; never whom it shows."""

from __future__ import annotations

from uuid import UUID

from lfr.audit.vocabulary.base import Code, Count, Digest, Kinds, Nothing, Payload
from lfr.domain.watchlist import Refusal


class Enrolled(Payload, frozen=True):
    """People were put on the list (labels stay sealed in their own table): what one transaction added.

    entries: new ones; images: of those or of entries that were there; objects: the stored objects that hold them, each
    of which a receipt will name when it is destroyed (G6).
    """

    deployment: UUID
    entries: tuple[UUID, ...]
    images: tuple[UUID, ...]
    objects: tuple[UUID, ...]


class EntryRevoked(Payload, frozen=True):
    """An entry was taken off the list and its templates destroyed."""

    deployment: UUID
    templates: Count
    reason: Code = "asked"


class WatchlistImported(Payload, frozen=True):
    """The sum of one import."""

    enrolled: Count
    refused: dict[Refusal, Count]
    already: Count = 0


class Confirmed(Payload, frozen=True):
    """A second person confirmed that the pictures of these entries show whom they name (B7)."""

    deployment: UUID
    entries: tuple[UUID, ...]


class Rechecked(Payload, frozen=True):
    """A status feed was taken in. feed: its SHA-256; unknown: references that are not on this list (B4)."""

    deployment: UUID
    feed: Digest
    confirmed: Count
    withdrawn: Count
    unknown: Count


class Alike(Payload, frozen=True):
    """Everybody on the list was compared with everybody else. level: the score from which a pair is flagged (B7)."""

    deployment: UUID
    flagged: Count
    level: float


class SpecialDecided(Payload, frozen=True):
    """A child, or a case below the seriousness floor, may be listed (B3, B8). part: decision or approval."""

    deployment: UUID
    part: Code
    age_band: Code


KINDS: Kinds = {
    "watchlist.confirmed": Confirmed,
    "watchlist.rechecked": Rechecked,
    "watchlist.alike": Alike,
    "watchlist.special": SpecialDecided,
    "watchlist.enrolled": Enrolled,
    "watchlist.entry-revoked": EntryRevoked,
    "watchlist.imported": WatchlistImported,
    "watchlist.import-refused": Nothing,
}
