"""What a report is made of, whatever it is written as. A page cannot be made without saying what it cannot show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph."""

    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; the first column names the row. strong: rows to be set in bold, by index."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[int] = frozenset()

    @classmethod
    def of(cls, caption: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
        """From anything that can be said as text. Raises ValueError on a row of another length."""
        said = tuple(tuple(str(cell) for cell in row) for row in rows)
        if any(len(row) != len(columns) for row in said):
            raise ValueError(f"a row of {caption!r} has not {len(columns)} cells")
        return cls(caption, tuple(columns), said)


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing and what it shows, in words for those who do not see it."""

    figure: Figure
    words: str


Block = Text | Table | Plot


@dataclass(frozen=True, slots=True)
class Page:
    """One page. shows, cannot: the plain sentences it begins with. Raises ValueError where one of them is empty."""

    title: str
    shows: str
    cannot: str
    blocks: tuple[Block, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.shows.strip() or not self.cannot.strip():
            raise ValueError(f"page {self.title!r} must say what it shows and what it cannot show")


@dataclass(frozen=True, slots=True)
class Report:
    """All pages. subtitle: pack, set and date in one line."""

    title: str
    subtitle: str
    pages: tuple[Page, ...]
