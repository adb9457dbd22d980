"""Our run beside the loop a user would write and beside the bound: the ratios, and nothing else."""

from __future__ import annotations

from typing import Any

from lfr.evaluation.baseline import BaselineRun
from lfr.evaluation.bound import BoundRun
from lfr.evaluation.curve import records_curve, thresholds_from
from lfr.evaluation.score import rate
from lfr.evaluation.truth import Truth


def default_threshold(engine: str) -> float:
    """The loop's threshold where none is given: cosine 0.35; for dlib 1 - distance, distance 0.50."""
    return 0.50 if engine == "dlib" else 0.35


def compare(
    truth: Truth,
    ours: dict[str, Any],
    baseline: BaselineRun,
    threshold: float,
    bound: BoundRun,
    detector_bound: BoundRun,
) -> dict[str, Any]:
    """Figures for JSON. ours: what `lfr evaluate clip` printed. threshold: the loop's (score > threshold).

    speedup: ours by the loop, frames per second. bound_share: ours by the bound; None where a rate is missing.
    """
    best = max((score for beaten in baseline.records.values() for _, score in beaten), default=threshold)
    grid = thresholds_from(min(threshold, best), best)
    at_threshold, *points = records_curve(truth, baseline.records, [threshold, *grid])
    listed = len(truth.listed)
    baseline_fps = baseline.frames / baseline.seconds
    return {
        "fps": ours["fps"],
        "baseline": baseline.name,
        "baseline_fps": round(baseline_fps, 2),
        "speedup": _ratio(ours["fps"], baseline_fps),
        "bound_fps": round(bound.fps, 2),
        "bound_share": _ratio(ours["fps"], bound.fps),
        "detector_bound_fps": round(detector_bound.fps, 2),
        "tpir": ours["tpir"],
        "found": ours["found"],
        "baseline_tpir": None if listed == 0 else round(rate(at_threshold.found, listed) or 0.0, 4),
        "baseline_found": at_threshold.found,
        "false_alerts": ours["false_alerts"],
        "baseline_false_alerts": at_threshold.false_alerts,
        "threshold": ours["threshold"],
        "baseline_threshold": threshold,
        "watchlist_tracks": listed,
        "pace": ours["pace"],
        "frames": ours["frames"],
        "frames_processed": ours["frames_processed"],
        "embeddings": ours["embeddings"],
        "baseline_embeddings": baseline.faces,
        "enrolled": ours["enrolled"],
        "baseline_enrolled": baseline.enrolled,
        "baseline_threads": baseline.threads,
        "bound_threads": bound.threads,
        "detector_bound_threads": detector_bound.threads,
        "curve": ours["curve"],
        "baseline_curve": [[p.threshold, p.found, p.false_alerts] for p in points],
    }


def _ratio(ours: float | None, other: float) -> float | None:
    return round(ours / other, 3) if ours is not None and other > 0 else None
