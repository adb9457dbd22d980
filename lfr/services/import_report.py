"""The report of an import: every row with every reason, as a CSV that no spreadsheet runs; and the template of one."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS
from lfr.domain.policy import Policy
from lfr.domain.watchlist import RowResult

HEAD = ("label", "image", "result", "reason", "detail", "rule", "warnings", "entry_id")


def write_report(rows: Iterable[RowResult], path: Path) -> None:
    """A CSV of every row: 0600, complete or not at all. Raises WatchlistError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(HEAD)
                writer.writerows(_line(row) for row in rows)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WatchlistError(
            f"cannot write the report {path}: {error.strerror}", hint="give --report another place"
        ) from None


def report_csv(rows: Iterable[RowResult]) -> str:
    """The same as text, for a reply."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(HEAD)
    writer.writerows(_line(row) for row in rows)
    return held.getvalue()


def _line(row: RowResult) -> tuple[str, ...]:
    reasons = "; ".join(dict.fromkeys(fault.reason for fault in row.faults)) or (row.refusal or "")
    rules = " ".join(dict.fromkeys(fault.rule for fault in row.faults if fault.rule))
    cells = (row.entry, row.source, result_of(row), reasons, row.detail, rules, "; ".join(row.warnings))
    return (*(safe(cell) for cell in cells), str(row.entry_id or ""))


def result_of(row: RowResult) -> str:
    """What became of a row, in one word or two."""
    if row.enrolled:
        return "enrolled"
    return "enrolled already" if row.already else "refused"


def safe(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run."""
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@")) or cell.startswith(("\t", "\r", "\n")) else cell


def template(policy: Policy) -> str:
    """A CSV with every column, and one line under each that says what goes there; required ones are marked."""
    required = {"label", "image", "category", "action", "source", *policy.watchlist.required}
    about = {"label": "how the entry is called", "image": "the picture's path, as seen from this file"}
    about |= {name: f"{spec.about} ({spec.form})" for name, spec in FIELDS.items()}
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow(about)
    writer.writerow([f"{'REQUIRED: ' if name in required else ''}{what}" for name, what in about.items()])
    return held.getvalue()
