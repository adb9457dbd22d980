"""A report on paper: A4, one page of the report on one sheet or more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, XPos, YPos

from lfr.evaluation.report import plots
from lfr.evaluation.report.page import Block, Page, Plot, Report, Table

_SANS = "sans"
_SMALL, _USUAL, _LARGE = 8, 10, 15
_WIDTH, _DRAWN = 170.0, 165.0
"""Widths of the text and of a drawing, millimetres."""


def pdf(report: Report, at: datetime | None = None) -> bytes:
    """The whole file. at: the date it bears."""
    paper = _Paper(report)
    paper.set_creation_date(at or datetime.now(UTC))
    for page in report.pages:
        _page(paper, page)
    return bytes(paper.output())


class _Paper(FPDF):
    """A4 with the report's name above and numbers below."""

    def __init__(self, report: Report) -> None:
        super().__init__(format="A4")
        self._report = report
        self.set_title(report.title)
        self.set_lang("en-GB")
        self.set_margins(20, 20)
        self.set_auto_page_break(auto=True, margin=18)
        # matplotlib brings a font that has every letter a person's name may have.
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        self.add_font(_SANS, "", fonts / "DejaVuSans.ttf")
        self.add_font(_SANS, "B", fonts / "DejaVuSans-Bold.ttf")
        self.set_font(_SANS, size=_USUAL)

    def header(self) -> None:
        self.set_font(_SANS, size=_SMALL)
        self.set_text_color(90)
        self.cell(0, 5, self._report.subtitle, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(0)
        self.ln(4)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(_SANS, size=_SMALL)
        self.set_text_color(90)
        self.cell(0, 5, f"{self._report.title}, {self.page_no()} of {{nb}}", align="R")
        self.set_text_color(0)

    def words(self, text: str, size: float = _USUAL, style: str = "", fill: bool = False) -> None:
        """A paragraph over the whole width."""
        self.set_font(_SANS, style, size)
        self.multi_cell(0, size * 0.52, text, align="L", fill=fill, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _page(paper: _Paper, page: Page) -> None:
    paper.add_page()
    paper.start_section(page.title)
    paper.words(page.title, _LARGE, "B")
    paper.ln(2)
    paper.words(page.shows, 11)
    paper.ln(2)
    paper.set_fill_color(246, 243, 234)
    paper.words(f"What this cannot show. {page.cannot}", _USUAL, fill=True)
    paper.set_fill_color(255)
    for block in page.blocks:
        paper.ln(4)
        _block(paper, block)


def _block(paper: _Paper, block: Block) -> None:
    if isinstance(block, Plot):
        width, height = block.figure.get_size_inches()
        tall = _DRAWN * height / width
        if paper.get_y() + tall > paper.h - paper.b_margin:
            paper.add_page()
        paper.image(plots.png(block.figure), w=_DRAWN, alt_text=block.words)
    elif isinstance(block, Table):
        _table(paper, block)
    else:
        paper.words(block.words)


def _table(paper: _Paper, table: Table) -> None:
    if paper.get_y() > paper.h - paper.b_margin - 30:
        paper.add_page()
    paper.words(table.caption, _USUAL, "B")
    paper.ln(1)
    paper.set_font(_SANS, size=_SMALL)
    paper.set_draw_color(200)
    paper.set_line_width(0.15)
    layout: dict[str, Any] = {
        "borders_layout": TableBordersLayout.HORIZONTAL_LINES,
        "headings_style": FontFace(emphasis="BOLD"),
        "line_height": 4.4,
        "col_widths": _widths(table),
        "text_align": "LEFT",
        "padding": (0.8, 1.5, 0.8, 0),
    }
    with paper.table(**layout) as drawn:
        for row in (table.columns, *table.rows):
            drawn.row(row)


def _widths(table: Table) -> tuple[float, ...]:
    """Shares of the width, by a root of the longest cell, so that no column starves and no single word is broken."""
    rows = (table.columns, *table.rows)
    places = range(len(table.columns))
    shares = [max(6.0, *(len(row[place]) for row in rows)) ** 0.6 for place in places]
    words = [max(len(word) for row in rows for word in (row[place].split() or [""])) for place in places]
    least = [min(0.45, (1.9 * longest + 3) / _WIDTH) for longest in words]
    total = sum(shares)
    return tuple(100 * max(share / total, floor) for share, floor in zip(shares, least, strict=True))
