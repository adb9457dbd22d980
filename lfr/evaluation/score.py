"""Alerts against the truth. Pure rules: the same run and truth always give the same figures.

A listed track is *found* if an alert with its identity falls between its first and last frame. A further alert for a
track that was found is a *duplicate*; every other alert is *false*. Rates are 0..1, None where the denominator is 0;
percentiles are nearest-rank (always a latency that happened) and None without samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lfr.evaluation.clip_run import ClipRun
from lfr.evaluation.truth import Track, Truth


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody says: this identity is in the picture at this frame."""

    identity: str
    frame: int
    score: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """How claims stand against the truth. All are counts."""

    found: int
    duplicate_alerts: int
    false_alerts: int


def judge(truth: Truth, claims: Iterable[Claim]) -> Verdict:
    """Count found tracks, duplicates and false alerts, in the order of the frames."""
    ways: dict[str, list[Track]] = {}
    for track in truth.listed:
        ways.setdefault(track.identity, []).append(track)
    found: set[int] = set()
    duplicate = false = 0
    for claim in sorted(claims, key=lambda claim: claim.frame):
        there = [t for t in ways.get(claim.identity, ()) if t.first_frame <= claim.frame <= t.last_frame]
        fresh = [t for t in there if id(t) not in found]
        if fresh:
            found.add(id(fresh[0]))
        elif there:
            duplicate += 1
        else:
            false += 1
    return Verdict(len(found), duplicate, false)


def rate(count: int, of: int) -> float | None:
    """A share 0..1; None where there is nothing to take a share of."""
    return count / of if of else None


def percentile(samples: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile, share in (0, 1]; None without samples."""
    ordered = sorted(samples)
    return ordered[max(1, math.ceil(share * len(ordered) - 1e-9)) - 1] if ordered else None


def score_clip(truth: Truth, run: ClipRun) -> dict[str, Any]:
    """Every figure of one run, ready for JSON."""
    verdict = judge(truth, (Claim(a.identity, a.frame, a.score) for a in run.alerts))
    listed = len(truth.listed)
    others = len(truth.tracks) - listed
    latencies = [alert.latency_ms for alert in run.alerts]
    firsts = [alert.first_shot_ms for alert in run.alerts]
    return {
        "pace": run.pace,
        "threshold": _rounded(run.threshold, 4),
        "threshold_basis": run.threshold_basis,
        "frames": run.frames,
        "frames_processed": run.frames_processed,
        "frames_dropped": run.frames_dropped,
        "seconds": _rounded(run.seconds, 3),
        "fps": _rounded(run.frames / run.seconds if run.seconds > 0 else None, 2),
        "detections": run.detections,
        "embeddings": run.embeddings,
        "transits": run.transits,
        "watchlist_entries": len(truth.watchlist),
        "enrolled": run.enrolled,
        "enrol_failed": run.enrol_failed,
        "truth_tracks": len(truth.tracks),
        "watchlist_tracks": listed,
        "found": verdict.found,
        "tpir": _rounded(rate(verdict.found, listed), 4),
        "duplicate_alerts": verdict.duplicate_alerts,
        "false_alerts": verdict.false_alerts,
        "fpir": _rounded(rate(verdict.false_alerts, others), 4),
        "latency_ms": {f"p{p}": _rounded(percentile(latencies, p / 100), 1) for p in (50, 95, 99)},
        "first_shot_to_alert_ms": {f"p{p}": _rounded(percentile(firsts, p / 100), 1) for p in (50, 95)},
        "nonmatch_age_ms": {
            "p95": _rounded(run.nonmatch_age_p95_ms, 1),
            "max": _rounded(run.nonmatch_age_max_ms, 1),
        },
        "alerts": [
            {
                "identity": alert.identity,
                "frame": alert.frame,
                "score": _rounded(alert.score, 4),
                "threshold": _rounded(alert.threshold, 4),
                "gap": _rounded(alert.gap, 4),
            }
            for alert in sorted(run.alerts, key=lambda alert: (alert.frame, alert.identity))
        ],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
