"""The files of a report, for a folder of this machine."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from lfr.evaluation.files import write_files
from lfr.evaluation.report.build import build
from lfr.evaluation.report.html import html
from lfr.evaluation.report.pdf import pdf
from lfr.evaluation.set_run import Evaluated
from lfr.evaluation.suspects import named


def write_report(found: Evaluated, figures: dict[str, Any], name: str, folder: Path) -> list[Path]:
    """report.html, report.pdf, report.json and suspects.csv in `folder`. name: of the set.

    suspects.csv and the pages name people of the set: they are for this machine. Raises StorageError.
    """
    report = build(found, name)
    contents = {
        "report.html": html(report).encode(),
        "report.pdf": pdf(report),
        "report.json": json.dumps(figures, allow_nan=False, indent=1).encode() + b"\n",
        "suspects.csv": _suspects(found).encode(),
    }
    return write_files(folder, contents)


def _suspects(found: Evaluated) -> str:
    pictures = found.people.pictures

    def where(row: int) -> str:
        return f"{pictures[row].parent.name}/{pictures[row].name}"

    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("kind", "pictures", "score"))
    table.writerows(named(list(found.suspects), where))
    for kind, rows in (("no face", found.embedded.faceless), ("unreadable", found.embedded.unreadable)):
        table.writerows((kind, where(row), "") for row in rows)
    table.writerows(("one picture", found.people.people[person], "") for person in _single(found))
    table.writerows(("empty folder", name, "") for name in found.people.empty)
    return out.getvalue()


def _single(found: Evaluated) -> list[int]:
    return [person for person, count in enumerate(found.people.per_person) if count == 1]
