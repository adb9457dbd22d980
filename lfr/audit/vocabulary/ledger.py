"""The rights ledger (B13): that it was asked and answered, never about whom or with what result."""

from __future__ import annotations

from lfr.audit.vocabulary.base import Count, Digest, Kinds, Nothing, Payload


class LedgerKeyMade(Payload, frozen=True):
    """A data protection officer has a ledger key. key: the public half."""

    key: Digest


class LedgerExpired(Payload, frozen=True):
    """Rows whose time was over were deleted."""

    rows: Count


KINDS: Kinds = {
    "ledger.key-made": LedgerKeyMade,
    "ledger.asked": Nothing,
    "ledger.replied": Nothing,
    "ledger.refused": Nothing,
    "ledger.expired": LedgerExpired,
}
