"""How far a calibration carries: claims it supports, and the longest list that its error bound allows (B10).

A threshold can always be computed. Whether anybody may rely on it is another question, and it is answered by counting:
transits without an error, and the upper bound of the false match rate. No tail is used here.
"""

from __future__ import annotations

from dataclasses import dataclass

from lfr.domain.errors import ConfigError, EvidenceTooThin
from lfr.domain.intervals import error_free_needed, one_in
from lfr.domain.list_facts import n_max
from lfr.domain.packs import Calibration


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whether a measurement can show a false alert rate at all. needed, has: transits of unlisted people."""

    target_fpir: float
    entries: int
    needed: int
    has: int

    @property
    def supported(self) -> bool:
        """Whether so many transits, all without an error, would show the claim at 95 %."""
        return self.has >= self.needed

    def __str__(self) -> str:
        claim = f"{one_in(self.target_fpir)} at {self.entries:,} entries and 95 % confidence"
        verb = "has" if self.supported else "has only"
        return f"to show {claim} needs about {self.needed:,} error-free transits; this measurement {verb} {self.has:,}"


def evidence_for(calibration: Calibration, entries: int, target_fpir: float) -> Evidence:
    """What a claim for a list of so many entries needs, and what the calibration rests on.

    A list longer than the one that was searched in the measurement makes errors as much likelier as it is longer, so
    as many times more transits are needed.
    """
    listed = max(1, calibration.comparisons // max(1, calibration.transits))
    needed = error_free_needed(target_fpir * min(1.0, listed / max(1, entries)))
    return Evidence(target_fpir, max(1, entries), needed, calibration.transits)


def require_evidence(calibration: Calibration, entries: int, target_fpir: float) -> Evidence:
    """As evidence_for. Raises EvidenceTooThin, in words, where the claim is not supported."""
    found = evidence_for(calibration, entries, target_fpir)
    if not found.supported:
        raise EvidenceTooThin(str(found), hint="measure more transits, or claim less: a shorter list, a higher rate")
    return found


def fmr_bound(calibration: Calibration, threshold: float) -> float:
    """What the false match rate per comparison is below, at 95 %, at this threshold or a higher one.

    1.0 below the lowest score the calibration speaks of. Raises ConfigError on a calibration without bounds.
    """
    if not calibration.upper:
        raise ConfigError("this calibration states no upper bounds", hint="calibrate again: lfr evaluate calibrate")
    known = [rate for rate, score in calibration.upper if score <= threshold]
    return float(10 ** min(known)) if known else 1.0


def largest_list(calibration: Calibration, threshold: float, target_fpir: float) -> int:
    """N_max (B10): the most entries at which the target holds by the upper bound of the false match rate.

    It falls as the threshold falls, and no threshold, however high, lifts it beyond what was counted. 0: not even one.
    Raises ValueError on a target outside 0..1.
    """
    return n_max(target_fpir, fmr_bound(calibration, threshold))
