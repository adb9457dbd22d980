"""Found against false alerts over rising thresholds: what one run would have given at stricter settings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lfr.evaluation.clip_run import ClipRun
from lfr.evaluation.score import Claim, judge
from lfr.evaluation.truth import Truth

_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold and what it gives."""

    threshold: float
    found: int
    false_alerts: int


def curve(truth: Truth, thresholds: Iterable[float], claims: Callable[[float], Iterable[Claim]]) -> tuple[Point, ...]:
    """One point for each threshold; `claims` says what would have been raised at it."""
    verdicts = ((threshold, judge(truth, claims(threshold))) for threshold in thresholds)
    return tuple(Point(threshold, verdict.found, verdict.false_alerts) for threshold, verdict in verdicts)


def thresholds_from(lowest: float, highest: float, step: float = _STEP) -> list[float]:
    """From the lowest, then the round steps above it, up to and with the highest."""
    first = math.floor(lowest / step + 1e-9) + 1
    last = math.floor(highest / step + 1e-9)
    return [round(lowest, 4), *(round(index * step, 4) for index in range(first, last + 1))]


def run_curve(truth: Truth, run: ClipRun) -> tuple[Point, ...]:
    """The curve of one of our runs, from its own threshold upwards: nothing below it ever came back.

    At its own threshold stand the alerts that were raised. Above it a transit counts where its best score does, so a
    point is what would have been raised at that threshold, save the few shots that confirmation asks for.
    """
    reached = [Claim(p.identity, p.frame, p.score) for p in run.peaks or run.alerts]
    raised = [Claim(a.identity, a.frame, a.score) for a in run.alerts]
    highest = max((claim.score for claim in reached), default=run.threshold)
    grid = thresholds_from(run.threshold, highest)
    first = curve(truth, grid[:1], lambda _: raised)
    return first + curve(truth, grid[1:], lambda threshold: [c for c in reached if c.score >= threshold])


def records_curve(
    truth: Truth, records: Mapping[str, Sequence[tuple[int, float]]], thresholds: Iterable[float]
) -> tuple[Point, ...]:
    """The curve of a loop that raises one alert per identity, at the first face above the threshold.

    records: for each identity, (frame, score) each time its best score so far was beaten: rising frames and scores.
    """

    def raised(threshold: float) -> list[Claim]:
        firsts = (
            next((Claim(identity, frame, score) for frame, score in beaten if score > threshold), None)
            for identity, beaten in records.items()
        )
        return [claim for claim in firsts if claim is not None]

    return curve(truth, thresholds, raised)
