"""A report as one HTML file that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from lfr.evaluation.report import plots
from lfr.evaluation.report.page import Block, Plot, Report, Table


def html(report: Report) -> str:
    """The whole file. Everything that comes from the set is escaped."""
    engine = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    engine.filters["drawn"] = lambda figure: Markup(plots.svg(figure))  # noqa: S704 - our own drawing
    engine.tests["plot"] = _is_plot
    engine.tests["table"] = _is_table
    source = files("lfr.evaluation.report").joinpath("report.html").read_text(encoding="utf-8")
    return engine.from_string(source).render(report=report)


def _is_plot(block: Block) -> bool:
    return isinstance(block, Plot)


def _is_table(block: Block) -> bool:
    return isinstance(block, Table)
