"""An evaluation as one JSON object: counts and rates, each with its evidence, and nobody's name."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from lfr.domain.intervals import Rate
from lfr.evaluation.equity import Finding, Spread
from lfr.evaluation.operating import Gain, Operated, Point
from lfr.evaluation.set_run import Against, Evaluated
from lfr.evaluation.set_transits import Walked
from lfr.evaluation.variants import Variant
from lfr.evaluation.verification import Verified


def as_json(found: Evaluated) -> dict[str, Any]:
    """All figures. Rates 0..1, None where there is no evidence at all. People and pictures are counted, never named."""
    people, embedded = found.people, found.embedded
    return {
        "pack": found.pack.name,
        "images": len(people.pictures),
        "identities": len(people.people),
        "fte": _round(found.faceless.value),
        "fte_evidence": rate_json(found.faceless),
        "rank1": _round(found.trials.rank1),
        "tpir_at_fpir": points_json(found.operated),
        "watchlist_size": found.entries,
        "draws": found.plan.draws,
        "seed": found.plan.seed,
        "problems": {
            "unreadable": len(embedded.unreadable),
            "no_face": len(embedded.faceless),
            "several_faces": embedded.several,
            "too_small_to_enrol": embedded.too_small,
            "too_blurred_to_enrol": embedded.too_blurred,
            "one_picture_identities": people.single,
            "empty_folders": len(people.empty),
            "other_files": people.other_files,
        },
        "suspects": dict(Counter(suspect.kind for suspect in found.suspects)),
        "without_suspects": points_json(found.without_suspects) if found.without_suspects else None,
        "sizes": {str(size): points_json(operated) for size, operated in found.sizes},
        "two_images": _variant(found.two_pictures),
        "fused_stills": _variant(found.fused_stills),
        "made_transits": _walked(found.walked),
        **_groups(found),
        "accuracy_1to1": _round(found.verified.accuracy) if found.verified else None,
        "verification": verified_json(found.verified),
        "baseline": _against(found.against),
        "embedding": {
            "seconds": _round(embedded.seconds, 3),
            "pictures_per_s": _round(len(people.pictures) / embedded.seconds, 2),
            "workers": found.workers,
        },
        "seconds": _round(found.seconds, 3),
    }


def points_json(operated: Operated) -> dict[str, dict[str, Any]]:
    """By target FPIR, written as "0.01"."""
    return {f"{point.target:g}": _point(point) for point in operated.points}


def rate_json(rate: Rate) -> dict[str, Any]:
    """Numerator, denominator and interval (J3)."""
    return {"events": rate.events, "of": rate.of, "low": _round(rate.low), "high": _round(rate.high)}


def verified_json(verified: Verified | None) -> dict[str, Any] | None:
    """The one-to-one line."""
    if verified is None:
        return None
    return {
        "pairs": verified.pairs,
        "same": verified.same,
        "undetected": verified.undetected,
        "accuracy": _round(verified.accuracy),
        "low": _round(verified.interval.low),
        "high": _round(verified.interval.high),
        "detected_only": _round(verified.detected_only),
        "threshold": _round(verified.threshold, 4),
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "tpir": _round(point.tpir),
        "low": _round(point.tpir_interval.low),
        "high": _round(point.tpir_interval.high),
        "threshold": point.threshold,
        "found": point.found,
        "mated": point.mated,
        "nonmated": point.nonmated,
        "errors": point.errors,
        "fpir": _round(point.fpir),
        "fpir_low": _round(point.fpir_interval.low),
        "fpir_high": _round(point.fpir_interval.high),
        "error_people": point.error_people,
        "unlisted_people": point.strangers,
        "needed": point.needed,
        "supported": point.supported,
        "evidence": point.words,
    }


def _gains(gains: Sequence[Gain]) -> dict[str, dict[str, Any]]:
    return {
        f"{gain.target:g}": {
            "tpir": _round(gain.better.tpir),
            "against": _round(gain.plain.tpir),
            "difference": _round(gain.difference),
            "low": _round(gain.low),
            "high": _round(gain.high),
            "supported": gain.plain.supported and gain.better.supported,
        }
        for gain in gains
    }


def _variant(variant: Variant | None) -> dict[str, Any] | None:
    if variant is None:
        return None
    return {
        "watchlist_size": variant.entries,
        "tpir_at_fpir": points_json(variant.better),
        "against": points_json(variant.plain),
        "gain": _gains(variant.gains),
    }


def _walked(walked: Walked | None) -> dict[str, Any] | None:
    if walked is None:
        return None
    counts = {"listed_walkers": walked.listed_walkers, "unlisted_walkers": walked.strangers, "missed": walked.missed}
    return {**counts, **(_variant(walked.variant) or {})}


def _against(against: Against | None) -> dict[str, Any] | None:
    if against is None:
        return None
    return {
        "name": against.name,
        "fte": _round(against.faceless.value),
        "rank1": _round(against.rank1),
        "tpir_at_fpir": points_json(against.operated),
        "gain": _gains(against.gains),
        "accuracy_1to1": _round(against.verified.accuracy) if against.verified else None,
        "verification": verified_json(against.verified),
        "seconds": _round(against.seconds, 3),
    }


def _groups(found: Evaluated) -> dict[str, Any]:
    if found.groups is None:
        return {"by_group": {}, "by_intersection": {}, "differential": [], "missing_characteristics": None}
    single, crossed = set(found.groups.labels), {f.column for f in found.findings}
    return {
        "by_group": {column: _column(found.findings, column) for column in found.groups.labels},
        "by_intersection": {c: _column(found.findings, c) for c in sorted(crossed - single)},
        "differential": [_spread(spread) for spread in found.spreads],
        "missing_characteristics": list(found.groups.missing),
    }


def _column(findings: Sequence[Finding], column: str) -> dict[str, dict[str, Any]]:
    pairs: dict[str, dict[str, Finding]] = {}
    for finding in findings:
        if finding.column == column:
            pairs.setdefault(finding.group, {})[finding.measure] = finding
    return {group: _group(pair["tpir"], pair["fpir"]) for group, pair in pairs.items()}


def _group(tpir: Finding, fpir: Finding) -> dict[str, Any]:
    return {
        "probes": tpir.share.trials,
        "people": tpir.share.people,
        "tpir": _round(tpir.share.value),
        "low": _round(tpir.share.low),
        "high": _round(tpir.share.high),
        "tpir_state": tpir.state.value,
        "tpir_p": _round(tpir.p),
        "tpir_needed": tpir.needed,
        "nonmated": fpir.share.trials,
        "unlisted_people": fpir.share.people,
        "errors": fpir.share.events,
        "fpir": _round(fpir.share.value),
        "fpir_low": _round(fpir.share.low),
        "fpir_high": _round(fpir.share.high),
        "fpir_state": fpir.state.value,
        "fpir_p": _round(fpir.p),
        "fpir_needed": fpir.needed,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "column": spread.column,
        "measure": spread.measure,
        "groups": spread.groups,
        "left_out": list(spread.left_out),
        "worst": spread.worst,
        "worst_by_best": _round(spread.worst_by_best, 3),
        "worst_by_mean": _round(spread.worst_by_mean, 3),
    }


def _round(value: float | None, digits: int = 6) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)
