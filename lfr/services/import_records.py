"""ANSI/NIST-ITL records (SP 500-290) as rows: who from Type-2, the faces from Type-10. One file is one person.

Read by the library `nistitl`. Which field becomes which column stands in TABLE and in docs/operations.md; Type-2 is
defined by its users, so these are the numbers of the FBI's EBTS, which others follow. Everything else a list needs
(category, reason, provenance) is given for the whole import, or in a CSV whose rows name the records as pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import nistitl

from lfr.domain.errors import WatchlistError
from lfr.services.import_rows import FORM_HINT, Row, label_fault, read_picture
from lfr.services.pictures import Refused

SUFFIXES = (".an2", ".eft", ".nist", ".nst", ".itl", ".an")

TABLE: dict[str, tuple[tuple[int, int], ...]] = {
    "label": ((2, 18),),
    "nominal_ref": ((2, 14), (2, 15)),
    "date_of_birth": ((2, 22),),
    "evidence_ref": ((2, 10), (1, 9)),
    "taken_on": ((10, 5),),
}
"""Column -> the fields it is taken from, the first that is filled: NAM; FBI, SID; DOB; CIN, TCN; PHD."""

IMAGE_TYPE, DATA = 3, 999
"""Fields of a Type-10 record: IMT, which must be FACE, and the picture."""
UTF8 = "003"
_DAYS = frozenset({"date_of_birth", "taken_on"})
_RECORD = re.compile(rb"\d{1,2}\.0*1:(\d{1,10})[\x1c\x1d]")


def is_record(path: Path) -> bool:
    """Whether a file's name says that it is an ANSI/NIST-ITL record."""
    return path.suffix.lower() in SUFFIXES


def record_rows(path: Path) -> list[Row]:
    """The rows of one record, or of a folder of nothing but records. Raises WatchlistError."""
    files = sorted(one for one in path.iterdir() if not one.name.startswith(".")) if path.is_dir() else [path]
    rows = [row for file in files for row in _rows_of(file.name, file.stem, partial(read_picture, file))]
    if not any(row.open for row in rows):
        raise WatchlistError(f"there is no face to enrol in {path}", hint=FORM_HINT)
    return rows


def looks_like_record(data: bytes) -> bool:
    """Whether bytes begin as an ANSI/NIST-ITL record does."""
    return _RECORD.match(data) is not None


def uploaded_rows(data: bytes) -> list[Row]:
    """The rows of one record that was sent. Raises WatchlistError."""
    # No label of last resort: under one, two people whose records name nobody would become one entry.
    rows = _rows_of("the upload", "", lambda: data)
    for row in rows:
        if row.refused is not None:
            raise WatchlistError(f"the upload cannot be enrolled: {row.refused.detail}", hint=FORM_HINT)
    return rows


def _rows_of(name: str, unnamed: str, read: Callable[[], bytes | Refused]) -> list[Row]:
    """unnamed: the label of a record that says neither name nor reference."""
    data = read()
    if isinstance(data, Refused):
        return [Row("", name, refused=data)]
    message = _parsed(data)
    if message is None:
        return [Row("", name, refused=Refused("unreadable", "no whole ANSI/NIST-ITL record"))]
    fields = _fields(message, (1, 2))
    label = fields.pop("label", "") or fields.get("nominal_ref", "") or unnamed
    wrong = label_fault(label)
    if wrong:
        return [Row(label, name, refused=Refused("incomplete", wrong))]
    count = len(_faces(message))
    if not count:
        return [Row(label, name, refused=Refused("no face", "the record holds no Type-10 picture of a face"))]
    return [
        Row(
            label,
            f"{name}#{number + 1}" if count > 1 else name,
            face_opener(read, number),
            fields=fields | _fields(message, (10,), number),
        )
        for number in range(count)
    ]


def face_opener(read: Callable[[], bytes | Refused], number: int = 0) -> Callable[[], bytes | Refused]:
    """A way to read one face of a record, each time anew: thousands of them are not held at once."""

    def opened() -> bytes | Refused:
        data = read()
        return data if isinstance(data, Refused) else face_of(data, number)

    return opened


def face_of(data: bytes, number: int) -> bytes | Refused:
    """The encoded picture of one face of a record."""
    message = _parsed(data)
    if message is None:
        return Refused("unreadable", "no whole ANSI/NIST-ITL record")
    faces = _faces(message)
    if number >= len(faces):
        return Refused("no face", "the record holds no Type-10 picture of a face")
    picture = faces[number][DATA].value
    return bytes(picture) if isinstance(picture, (bytes, bytearray)) else Refused("unreadable", "no picture in Type-10")


def _parsed(data: bytes) -> nistitl.Message | None:
    first = _RECORD.match(data)
    if first is None or int(first.group(1)) < len(first.group(0)):
        return None
    message = nistitl.Message()
    try:
        message.parse(data)
    except Exception:  # a parser on hostile bytes may raise anything; its words may quote the record
        return None
    return message


def _faces(message: nistitl.Message) -> list[nistitl.AsciiRecord]:
    return [one for one in message.iter(10) if _text(one, IMAGE_TYPE).upper() == "FACE" and one[DATA]]


def _fields(message: nistitl.Message, types: tuple[int, ...], number: int = 0) -> dict[str, str]:
    """What TABLE takes from records of these types; of Type-10, from the face of that number."""
    held: Mapping[int, list[nistitl.AsciiRecord]] = {
        kind: _faces(message)[number:] if kind == 10 else list(message.iter(kind)) for kind in types
    }
    utf8 = _text(message[0], 15).startswith(UTF8)
    found = {}
    for name, places in TABLE.items():
        for kind, tag in places:
            text = _text(held[kind][0], tag) if held.get(kind) else ""
            if text:
                found[name] = _day(text) if name in _DAYS else _decoded(text, utf8=utf8)
                break
    return found


def _text(record: nistitl.AsciiRecord, tag: int) -> str:
    field = record[tag]
    value = getattr(field, "value", None)
    while isinstance(value, (list, tuple)):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def _decoded(text: str, *, utf8: bool) -> str:
    if not utf8:
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _day(text: str) -> str:
    """YYYYMMDD as YYYY-MM-DD; anything else as it is, to be refused by name."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if re.fullmatch(r"\d{8}", text) else text
