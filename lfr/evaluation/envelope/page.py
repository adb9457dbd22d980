"""The envelope as a page: a plot for each condition, a table of every level, and what the figures do not show."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from jinja2 import Environment
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

_TEMPLATE = Path(__file__).parent / "page.html.jinja"
_LIMITS = {
    "min_face_px": "least width of a detected face, pixels",
    "max_yaw": "most turn of a head, as measured from the landmarks (0 = frontal, 1 = nose above an eye)",
    "min_sharpness": "least sharpness of an aligned crop (variance of the Laplacian; grows with size, light and noise)",
    "min_detail": "least share of fine structure in an aligned crop (tells a blur at any size)",
    "min_luma": "least mean grey level of the zone, 0 to 255",
    "max_luma": "greatest mean grey level of the zone",
    "max_dark_share": "greatest share of the zone that is as good as black",
    "max_bright_share": "greatest share of the zone that is as good as white",
}


def page(report: dict[str, Any]) -> str:
    """The whole page, HTML without anything to load. report: as `find.report_of` gives it."""
    plots = [(axis, plot(axis, report["floor"])) for axis in report["axes"]]
    measured = list(report["axes"][0]["levels"][0]["measured"])
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE.read_text())
    return template.render(r=report, plots=plots, limits=_LIMITS, measured=measured)


def plot(axis: dict[str, Any], floor: float) -> str:
    """One condition as SVG: TPIR with its intervals, the floor, and the certified range shaded."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    at = [level["at"] for level in axis["levels"]]
    tpir = [level["tpir"] for level in axis["levels"]]
    below = [level["tpir"] - level["low"] for level in axis["levels"]]
    above = [level["high"] - level["tpir"] for level in axis["levels"]]
    if axis["certified"]:
        axes.axvspan(*axis["certified"], color="#d7e8d0", label="certified")
    axes.axhline(floor, color="#8a1c1c", linestyle="--", linewidth=1, label=f"floor {floor:g}")
    axes.errorbar(
        at, tpir, yerr=[below, above], color="#1f4e79", marker="o", markersize=4, capsize=3, label="TPIR, 95 %"
    )
    axes.set(xlabel=axis["title"], ylabel="found", ylim=(-0.02, 1.04))
    if axis["name"] in {"face_px", "light"}:
        axes.set_xscale("log")
        axes.set_xticks(at, [f"{value:g}" for value in at])
        axes.minorticks_off()
    axes.legend(loc="best", frameon=False)
    written = io.StringIO()
    # Neither a date nor random ids: the same measurement gives the same page.
    with rc_context({"svg.hashsalt": axis["name"]}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    _, opening, rest = written.getvalue().partition("<svg")
    return opening + rest
