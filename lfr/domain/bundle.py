"""The bundle: pack, preprocessing and one threshold for each size band, as one thing with one digest (D1).

The test certificate that vouches for it is part of the digest; research and demo bundles have none and say so.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from lfr.domain.canonical import canonical
from lfr.domain.policy import Strict

PREPROCESSING = 1
"""Raised by whoever changes letterboxing, alignment, quality floors, fusion or shot rules: scores then differ."""


class BandThreshold(Strict, frozen=True):
    """One threshold that holds for every list of at most `band` entries. supported: within what was measured."""

    band: int
    threshold: float
    basis: str
    supported: bool


class Bundle(Strict, frozen=True):
    """What recognises. pack_digest, certificate: SHA-256 in hex; certificate None = not certified."""

    pack: str
    pack_digest: str
    use: Literal["operational", "research"]
    thresholds: tuple[BandThreshold, ...]
    confirm_shots: int
    preprocessing: int = PREPROCESSING
    certificate: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, 64 hex digits: what a mandate binds."""
        return hashlib.sha256(canonical(msgspec.to_builtins(self))).hexdigest()

    def threshold_for(self, band: int) -> BandThreshold | None:
        """The threshold of a band; None where the bundle has none."""
        return next((one for one in self.thresholds if one.band == band), None)
