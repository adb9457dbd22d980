"""Figures in words, the same everywhere in a report."""

from __future__ import annotations

from lfr.domain.intervals import one_in, percent, span
from lfr.evaluation.equity import Finding, Share
from lfr.evaluation.operating import Gain, Point

THIN = "insufficient evidence"


def tpir(point: Point) -> str:
    """TPIR with what it was counted from."""
    return f"{percent(point.tpir)} ({point.found:,} of {point.mated:,}; 95 % {span(*point.tpir_interval)})"


def fpir(point: Point) -> str:
    """FPIR as counted at the threshold."""
    return f"{percent(point.fpir)} ({point.errors:,} of {point.nonmated:,}; 95 % {span(*point.fpir_interval)})"


def target(point: Point) -> str:
    """The rate that was asked for."""
    return f"{one_in(point.target)} ({100 * point.target:g} %)"


def evidence(point: Point) -> str:
    """Whether the set can carry the claim."""
    return "enough" if point.supported else THIN


def gain(found: Gain) -> str:
    """A difference in points, with its interval and what may be concluded."""
    points, low, high = 100 * found.difference, 100 * found.low, 100 * found.high
    verdict = "better" if low > 0 else "worse" if high < 0 else "no difference shown"
    return f"{points:+.2f} points (95 % {low:+.2f} to {high:+.2f}): {verdict}"


def share(found: Share) -> str:
    """A group's rate with its evidence."""
    if found.value is None:
        return "nobody"
    return f"{percent(found.value)} ({found.events:,} of {found.trials:,}; 95 % {span(found.low, found.high)})"


def finding(found: Finding) -> str:
    """The state, and what it would have needed."""
    if found.state.value != THIN or found.needed is None:
        return found.state.value
    return f"{THIN} (needs {found.needed:,} people)"


def p_value(p: float | None) -> str:
    """An adjusted p-value."""
    return "not tested" if p is None else "under 0.001" if p < 0.001 else f"{p:.3f}"
