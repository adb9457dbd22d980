"""Drawings of an evaluation, made without a display and without a window. Colours can be told apart by everybody."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from lfr.domain.intervals import one_in
from lfr.evaluation.equity import Finding, State
from lfr.evaluation.openset import Trials
from lfr.evaluation.operating import Curve, Operated, Point

# Okabe and Ito's palette.
BLUE, ORANGE, GREEN, GREY, PALE = "#0072B2", "#D55E00", "#009E73", "#6b6b6b", "#e7e7e7"
_SOLID = 30
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#ececec",
    "axes.axisbelow": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "lfr",  # the same evaluation gives the same file
    "legend.frameon": False,
}
_PER_CENT = FuncFormatter(lambda value, _: f"{100 * value:g} %")
_ONE_IN = FuncFormatter(lambda value, _: one_in(value) if value > 0 else "")


def found_over_false(ours: Curve, points: Sequence[Point], theirs: Curve | None, name: str) -> Figure:
    """TPIR over FPIR, with the band, the working points and the part for which the set is too small."""
    figure, axes = _axes()
    bottom = _floor(float(ours.tpir[ours.fpir >= points[-1].target / 3].min(initial=1.0)))
    _no_evidence(axes, points[0].strangers, float(ours.fpir[0]), bottom)
    axes.fill_between(ours.fpir, ours.low, ours.high, color=BLUE, alpha=0.18, linewidth=0, label="95 % interval")
    axes.plot(ours.fpir, ours.tpir, color=BLUE, label="this system")
    if theirs is not None:
        axes.plot(theirs.fpir, theirs.tpir, color=ORANGE, linestyle="--", label=name)
    for point in points:
        axes.plot(point.target, point.tpir, "o", color=BLUE)
        axes.annotate(f"{100 * point.tpir:.1f} %", (point.target, point.tpir), (6, -14), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_ylim(bottom, 1.0)
    axes.xaxis.set_major_formatter(_ONE_IN)
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.set_xlabel("searches of unlisted people that give a false alert (FPIR)")
    axes.set_ylabel("searches of listed people found (TPIR)")
    axes.legend(loc="lower right")
    return figure


def detection_error_trade_off(ours: Curve, strangers: int, theirs: Curve | None, name: str) -> Figure:
    """FNIR over FPIR on two logarithmic axes: lower and further left is better."""
    figure, axes = _axes()
    least = max(1e-4, float((1 - ours.tpir[ours.tpir < 1]).min(initial=1.0)) / 2)
    for curve, colour, line, label in ((ours, BLUE, "-", "this system"), (theirs, ORANGE, "--", name)):
        if curve is not None:
            axes.plot(curve.fpir, np.maximum(1 - curve.tpir, least), color=colour, linestyle=line, label=label)
    axes.fill_between(
        ours.fpir, np.maximum(1 - ours.high, least), np.maximum(1 - ours.low, least),
        color=BLUE, alpha=0.18, linewidth=0, label="95 % interval",
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    _no_evidence(axes, strangers, float(ours.fpir[0]), axes.get_ylim()[0])
    axes.xaxis.set_major_formatter(_ONE_IN)
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.set_xlabel("false alerts per search of an unlisted person (FPIR)")
    axes.set_ylabel("listed people missed (FNIR)")
    axes.legend(loc="upper right")
    return figure


def score_distributions(trials: Trials, points: Sequence[Point]) -> Figure:
    """Best scores of listed and of unlisted people, and the thresholds between them."""
    figure, axes = _axes()
    mine, others = trials.hits[np.isfinite(trials.hits)], trials.tops[np.isfinite(trials.tops)]
    both = np.concatenate([mine, others])
    edges = np.linspace(float(both.min()), float(both.max()) + 1e-6, 70)
    for scores, of, colour, label in (
        (others, len(trials.tops), ORANGE, "unlisted people: best score against the list"),
        (mine, len(trials.hits), BLUE, "listed people: score against their own entry"),
    ):
        counts, _ = np.histogram(scores, edges)
        axes.stairs(counts / of, edges, color=colour, fill=True, alpha=0.35, label=label)
        axes.stairs(counts / of, edges, color=colour)
    axes.set_yscale("log")
    for point, line in zip(points, (":", "--", "-."), strict=False):
        axes.axvline(point.threshold, color="black", linestyle=line, label=f"threshold for {one_in(point.target)}")
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.set_ylim(top=1)
    axes.set_xlabel("score (higher is more alike)")
    axes.set_ylabel("share of searches (in steps of ten times)")
    axes.legend(loc="upper right", fontsize=8)
    return figure


def list_sizes(measured: Sequence[tuple[int, Operated]]) -> Figure:
    """TPIR over the list's size at each target."""
    figure, axes = _axes()
    count = len(measured[0][1].points)
    for column, colour, mark in zip(range(count), (BLUE, ORANGE, GREEN), "osd", strict=False):
        points = [operated.points[column] for _, operated in measured]
        at = [size * (1 + 0.03 * column) for size, _ in measured]
        _bars(axes, at, points, colour, mark, f"false alert {one_in(points[0].target)}")
    axes.set_ylim(_floor(min(point.tpir for _, operated in measured for point in operated.points)), 1.003)
    axes.set_xscale("log")
    axes.set_xticks([size for size, _ in measured], [f"{size:,}" for size, _ in measured])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.set_xlabel("people on the list")
    axes.set_ylabel("listed people found (TPIR)")
    axes.legend(loc="lower left")
    return figure


def ways(named: Sequence[tuple[str, Operated]]) -> Figure:
    """TPIR of several ways to use the same pictures, one line each, at each target."""
    figure, axes = _axes(height=0.9 + 0.55 * len(named))
    count = len(named[0][1].points)
    for column, colour, mark in zip(range(count), (BLUE, ORANGE, GREEN), "osd", strict=False):
        points = [operated.points[column] for _, operated in named]
        label = f"false alert {one_in(points[0].target)}"
        for place, point in enumerate(points):
            low, high = point.tpir_interval
            at = place + 0.16 * (column - (count - 1) / 2)
            axes.plot([low, high], [at, at], color=colour, linewidth=1.5)
            axes.plot(point.tpir, at, mark, color=colour, label=label if not place else None)
    axes.set_yticks(range(len(named)), [name for name, _ in named])
    axes.invert_yaxis()
    axes.set_xlim(_floor(min(point.tpir for _, operated in named for point in operated.points)), 1.003)
    axes.xaxis.set_major_formatter(_PER_CENT)
    axes.set_xlabel("listed people found (TPIR), with 95 % interval")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def groups(findings: Sequence[Finding], *, tpir: bool) -> Figure:
    """Rates of the groups of one column with their intervals. Hollow marks: the evidence is insufficient."""
    shown = [f for f in findings if (f.measure == "tpir") == tpir]
    figure, axes = _axes(height=1.1 + 0.34 * max(1, len(shown)))
    # Small groups have intervals that would press all others into a corner: theirs run out of the drawing.
    solid = [f for f in shown if f.share.people >= _SOLID] or [f for f in shown if f.share.people]
    lows, highs = [f.share.low for f in solid] or [0.0], [f.share.high for f in solid] or [1.0]
    left, right = (max(0.0, min(lows) - 0.02), 1.002) if tpir else (0.0, min(1.0, 1.3 * max(highs)))
    axes.set_xlim(left, right)
    for place, finding in enumerate(shown):
        share = finding.share
        if share.value is None:
            axes.annotate("nobody in the set", (left, place), (4, -3), textcoords="offset points", color=GREY)
            continue
        thin = finding.state is State.INSUFFICIENT
        colour = {State.DIFFERENCE: ORANGE, State.WITHIN: BLUE, State.INSUFFICIENT: GREY}[finding.state]
        axes.plot([share.low, share.high], [place, place], color=colour, linestyle=":" if thin else "-")
        fill = "white" if thin else colour
        outside = not left <= share.value <= right
        axes.plot(share.value, place, "o", color=colour, markerfacecolor=fill, clip_on=outside)
    axes.set_yticks(range(len(shown)), [f"{f.group} ({f.share.people:,} people)" for f in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(_PER_CENT)
    axes.set_xlabel("listed people found (TPIR)" if tpir else "false alerts per search of an unlisted person (FPIR)")
    return figure


def svg(figure: Figure) -> str:
    """The drawing as an SVG element, without the file's head."""
    out = StringIO()
    with rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    return text[text.index("<svg") :]


def png(figure: Figure) -> BytesIO:
    """The drawing as a picture for paper."""
    out = BytesIO()
    with rc_context(_STYLE):
        figure.savefig(out, format="png", dpi=200)
    out.seek(0)
    return out


def _axes(height: float = 3.1) -> tuple[Figure, Any]:
    with rc_context(_STYLE):
        figure = Figure(figsize=(6.6, height), layout="constrained")
        axes = figure.add_subplot()
    return figure, axes


def _bars(axes: Any, at: Sequence[float], points: Sequence[Point], colour: str, mark: str, label: str) -> None:
    for x, point in zip(at, points, strict=True):
        axes.plot([x, x], list(point.tpir_interval), color=colour, linewidth=1.2)
    axes.plot(at, [point.tpir for point in points], mark + "-", color=colour, label=label, linewidth=0.8)


def _no_evidence(axes: Any, strangers: int, left: float, bottom: float) -> None:
    """Grey out the rates that so many people cannot show, even without one error."""
    edge = 3 / max(strangers, 1)
    if edge > left:
        axes.axvspan(left, edge, color=PALE, zorder=0)
        axes.annotate(
            "too few people\nto say", (left, bottom), (4, 6), textcoords="offset points", color=GREY, fontsize=8
        )


def _floor(value: float) -> float:
    """A round value some way below; intervals that reach further down run out of the drawing."""
    return max(0.0, math.floor(20 * value - 0.5) / 20)
