"""What an import reads: a folder per person, a CSV beside its pictures, a ZIP of both, or ANSI/NIST-ITL records."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS
from lfr.services.pictures import MOST_BYTES, Refused

FORM_HINT = (
    "give a folder with one sub-folder of pictures per person, a CSV file with the columns label and image "
    "(`lfr watchlist template` writes one), a ZIP of a CSV and its pictures, or ANSI/NIST-ITL records"
)
LABEL_MOST = 200
CELL_MOST = 8192
ROWS_MOST = 200_000


@dataclass(frozen=True, slots=True)
class Row:
    """One picture to enrol. source: its path within the import. refused: why there is none. fields: column -> cell."""

    label: str
    source: str
    open: Callable[[], bytes | Refused] | None = None
    refused: Refused | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> bytes | Refused:
        """The picture's bytes, or why there are none."""
        return self.open() if self.open else self.refused or Refused("incomplete")


Opener = Callable[[str], Callable[[], bytes | Refused] | Refused]
"""From the name in a CSV's row to a way to read the picture, or why there is none."""


def read_rows(path: Path) -> list[Row]:
    """The rows of a folder or a CSV file, in a stable order; no picture is opened yet.

    Raises WatchlistError when the whole is of no known form.
    """
    try:
        if path.is_dir():
            rows = list(_folder(path))
        elif path.is_file():
            rows = csv_rows(path.read_bytes(), str(path), partial(inside, path.parent))
        else:
            raise WatchlistError(f"there is no folder or file {path}", hint=FORM_HINT)
    except OSError as error:
        raise WatchlistError(
            f"cannot read {path}: {error.strerror}", hint="check the rights of file and folder"
        ) from None
    return some(rows, str(path))


def some(rows: list[Row], where: str) -> list[Row]:
    """The rows, if there is a picture in any. Raises WatchlistError."""
    if not any(row.open for row in rows):
        raise WatchlistError(f"there is no picture to enrol in {where}", hint=FORM_HINT)
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
            yield row_of(partial(inside, root), item.name, f"{item.name}/{file.name}", {})


def csv_rows(data: bytes, where: str, opener: Opener) -> list[Row]:
    """The rows of a CSV: UTF-8, a head line that names `label`, `image` and any of lfr.domain.listing.FIELDS.

    Raises WatchlistError for another encoding, a column that is not known or comes twice, or what is no CSV.
    """
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        head = [name.strip().lower() for name in next(reader, [])]
        _check_head(head, where)
        return list(_lines(reader, head, opener, where))
    except (csv.Error, UnicodeDecodeError) as error:
        what = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise WatchlistError(f"{where} cannot be read as CSV: {what}", hint=FORM_HINT) from None


def _check_head(head: list[str], where: str) -> None:
    if not {"label", "image"} <= set(head):
        raise WatchlistError(f"{where} has no columns label and image", hint=FORM_HINT)
    unknown = [name for name in head if name not in {"label", "image", *FIELDS}]
    if unknown or len(set(head)) < len(head):
        shown = ascii((unknown or [name for name in head if head.count(name) > 1])[0])[1:-1][:60]
        what = "an unknown column" if unknown else "the same column twice"
        raise WatchlistError(f"{where} has {what}: {shown}", hint=f"known: label, image, {', '.join(FIELDS)}")


def _lines(reader: Iterator[list[str]], head: list[str], opener: Opener, where: str) -> Iterator[Row]:
    for number, cells in enumerate(reader, start=1):
        if number > ROWS_MOST:
            raise WatchlistError(f"{where} has more than {ROWS_MOST} rows", hint="import it in parts")
        if not cells:
            continue
        named = dict(zip(head, cells, strict=False))
        label, image = named.pop("label", ""), named.pop("image", "")
        if len(cells) != len(head):
            fault = Refused("incomplete", f"{len(cells)} cells under {len(head)} columns")
            yield Row(label.strip(), image.strip(), refused=fault)
        elif any(len(cell) > CELL_MOST for cell in cells):
            yield Row("", f"row {number}", refused=Refused("invalid value", f"a cell of over {CELL_MOST} characters"))
        else:
            yield row_of(opener, label, image, {name: cell for name, cell in named.items() if cell.strip()})


def row_of(opener: Opener, label: str, source: str, fields: Mapping[str, str]) -> Row:
    """A row whose label can be used and whose picture can be read from where the import lies."""
    label, source = label.strip(), source.strip()
    wrong = label_fault(label)
    if wrong or not source:
        return Row(label, source, refused=Refused("incomplete", wrong or "no picture is named"))
    found = opener(source)
    if isinstance(found, Refused):
        return Row(label, source, refused=found)
    return Row(label, source, found, fields=fields)


def inside(root: Path, source: str) -> Callable[[], bytes | Refused] | Refused:
    """A way to read a file that, links followed, lies inside the import's folder."""
    try:
        file = (root / source).resolve()
        within = file.is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a name with a zero byte, a loop of links
        return Refused("unreadable", "not a file's name")
    if not within or Path(source).is_absolute():
        return Refused("unreadable", "outside the import's folder")
    return partial(read_picture, file)


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
