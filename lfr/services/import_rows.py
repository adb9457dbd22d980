"""What an import reads and writes: a folder per person, or a CSV beside its pictures, and the report of every row."""

from __future__ import annotations

import csv
import os
import secrets
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lfr.domain.errors import WatchlistError
from lfr.domain.watchlist import RowResult
from lfr.services.pictures import MOST_BYTES, Refused

FORM_HINT = "give a folder with one sub-folder of pictures per person, or a CSV file with the columns label,image"
LABEL_MOST = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One picture to enrol. file: None when `refused` says why there is none. source: its path within the import."""

    label: str
    source: str
    file: Path | None = None
    refused: Refused | None = None


def read_rows(path: Path) -> list[Row]:
    """Every row of an import, in a stable order; no picture is opened yet.

    Raises WatchlistError when the whole is of no known form.
    """
    try:
        if path.is_dir():
            rows = list(_folder(path))
        elif path.is_file():
            rows = _csv(path)
        else:
            raise WatchlistError(f"there is no folder or file {path}", hint=FORM_HINT)
    except OSError as error:
        raise WatchlistError(
            f"cannot read {path}: {error.strerror}", hint="check the rights of file and folder"
        ) from None
    if not any(row.file for row in rows):
        raise WatchlistError(f"there is no picture to enrol in {path}", hint=FORM_HINT)
    return rows


def _folder(root: Path) -> Iterable[Row]:
    lists = sorted(item.name for item in root.glob("*.csv"))
    if lists:
        raise WatchlistError(
            f"{root} holds the list {lists[0]}", hint="give the CSV file itself: its rows name the pictures"
        )
    for item in sorted(root.iterdir()):
        if item.name.startswith("."):
            continue
        if not item.is_dir():
            yield Row("", item.name, refused=Refused("incomplete", "not in a person's sub-folder"))
            continue
        pictures = sorted(file for file in item.iterdir() if not file.name.startswith("."))
        if not pictures:
            yield Row(item.name, item.name, refused=Refused("incomplete", "the folder is empty"))
        for file in pictures:
            yield _row(root, item.name, f"{item.name}/{file.name}")


def _csv(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = {(name or "").strip().lower(): name for name in reader.fieldnames or []}
            if not {"label", "image"} <= names.keys():
                raise WatchlistError(f"{path} has no columns label and image", hint=FORM_HINT)
            label, image = names["label"], names["image"]
            return [_row(path.parent, line[label] or "", line[image] or "") for line in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        what = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise WatchlistError(f"{path} cannot be read as CSV: {what}", hint=FORM_HINT) from None


def _row(root: Path, label: str, source: str) -> Row:
    """A row whose file, links followed, lies inside the import's folder."""
    label, source = label.strip(), source.strip()
    wrong = label_fault(label)
    if wrong or not source:
        return Row(label, source, refused=Refused("incomplete", wrong or "no picture is named"))
    try:
        file = (root / source).resolve()
        inside = file.is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a name with a zero byte, a loop of links
        return Row(label, source, refused=Refused("unreadable", "not a file's name"))
    if not inside or Path(source).is_absolute():
        return Row(label, source, refused=Refused("unreadable", "outside the import's folder"))
    return Row(label, source, file)


def label_fault(label: str) -> str:
    """What is wrong with a label; empty when nothing is."""
    if not label.strip():
        return "no label"
    if len(label) > LABEL_MOST or not label.isprintable():
        return f"a label has at most {LABEL_MOST} printable characters"
    return ""


def read_picture(file: Path) -> bytes | Refused:
    """A plain file's bytes, never more than the limit."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            return Refused("unreadable", "not a plain file")
        if found.st_size > MOST_BYTES:
            return Refused("too large", f"{found.st_size >> 20} MiB, at most {MOST_BYTES >> 20} MiB")
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Refused("unreadable", "there is no such file")
    except OSError as error:
        return Refused("unreadable", error.strerror or "the file cannot be read")


def write_report(rows: Iterable[RowResult], path: Path) -> None:
    """A CSV of every row: 0600, complete or not at all. Raises WatchlistError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(("label", "image", "result", "reason", "detail", "entry_id"))
                writer.writerows(_report_line(row) for row in rows)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WatchlistError(
            f"cannot write the report {path}: {error.strerror}", hint="give --report another place"
        ) from None


def _report_line(row: RowResult) -> tuple[str, ...]:
    result = "enrolled" if row.enrolled else "refused"
    cells = (row.entry, row.source, result, row.refusal or "", row.detail, str(row.entry_id or ""))
    # A spreadsheet would run a cell that begins like a formula.
    return tuple(f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell for cell in cells)
