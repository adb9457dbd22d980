"""What commands write where: results on stdout, progress and logs on stderr, a JSON result as stdout's last line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text


def print_json(result: dict[str, Any]) -> None:
    """One JSON line on stdout, written out at once. NaN is refused: it is no JSON."""
    sys.stdout.write(json.dumps(result, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """A table on stdout; the first column is text, the others are figures."""
    table = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in row))
    _print(table)


def text_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table of text on stdout."""
    table = Table(*columns, header_style="bold", box=None, pad_edge=False)
    for row in rows:
        # A file's name may hold what a terminal would obey.
        table.add_row(*(Text("".join(c if c.isprintable() else "?" for c in str(cell))) for cell in row))
    _print(table)


def _print(table: Table) -> None:
    """As wide as it needs to be where stdout is no terminal, so that nothing is cut."""
    console = Console()
    Console(width=None if console.is_terminal else 4096).print(table, markup=False)


@contextmanager
def progress_on_stderr() -> Iterator[Callable[[str, int, int], None]]:
    """A callback (stage, done, total; total 0 = unknown) that shows how far a run is.

    A bar on a terminal; elsewhere one line at the start of each stage, so that a log stays short.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        seen: set[str] = set()

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in seen:
                seen.add(stage)
                of = f" of {total}" if total else ""
                print(f"{stage}: {done}{of}", file=sys.stderr, flush=True)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show
