"""A ZIP with a CSV and its pictures, read from memory or a file: nothing is ever unpacked onto a disk.

An archive that tries anything is refused whole, before a byte of it is unpacked: encrypted members, names that lead out
of it, links, archives within, the same name twice, members that overlap, absurd ratios.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lfr.domain.errors import WatchlistError
from lfr.services.import_rows import Row, csv_rows, some
from lfr.services.pictures import MOST_BYTES, Refused

MEMBERS_MOST = 100_000
CSV_MOST = 64 << 20
RATIO_MOST = 100
"""No picture format shrinks so much again; a member under 64 KiB may (a plain drawing)."""
_SMALL = 64 << 10
_NESTED = (".zip", ".jar", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".cab", ".iso")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
HINT = "make a plain ZIP of one CSV file and the pictures that it names"


def archive_rows(file: BinaryIO | Path, where: str) -> list[Row]:
    """The rows of the one CSV in a ZIP. The file must stay open until the rows are read.

    Raises WatchlistError for what is no whole ZIP, or one that tries anything.
    """
    try:
        opened = zipfile.ZipFile(file)
        members = opened.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise WatchlistError(f"{where} is no whole ZIP archive", hint="was it cut short? send it again") from None
    fault = _fault(members)
    if fault:
        raise WatchlistError(f"{where} is refused whole: {fault}", hint=HINT)
    lists = [one for one in members if one.filename.lower().endswith(".csv") and not _hidden(one.filename)]
    if len(lists) != 1:
        raise WatchlistError(f"{where} holds {len(lists)} CSV files, one is needed", hint=HINT)
    data = _read(opened, lists[0], CSV_MOST)
    if isinstance(data, Refused):
        raise WatchlistError(f"the list in {where} cannot be read: {data.detail}", hint=HINT)
    known = {one.filename: one for one in members}
    folder = PurePosixPath(lists[0].filename).parent
    return some(csv_rows(data, where, partial(_member, opened, known, folder)), where)


def _fault(members: list[zipfile.ZipInfo]) -> str:
    if len(members) > MEMBERS_MOST:
        return f"more than {MEMBERS_MOST} members"
    if len({one.filename for one in members}) < len(members):
        return "the same name twice"
    for one in members:
        fault = _member_fault(one)
        if fault:
            return fault
    ends = 0
    for one in sorted(members, key=lambda member: member.header_offset):
        if one.header_offset < ends:
            return "members that overlap"
        ends = one.header_offset + one.compress_size
    return ""


def _member_fault(one: zipfile.ZipInfo) -> str:
    name = one.filename
    path = PurePosixPath(name)
    if one.flag_bits & 0x1:
        return "an encrypted member"
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or not name:
        return "a name that leads out of the archive"
    mode = one.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "a member that is no plain file"
    if one.compress_type not in _METHODS:
        return "a member packed in an unusual way"
    if name.lower().endswith(_NESTED):
        return "an archive within the archive"
    if one.file_size > max(CSV_MOST, MOST_BYTES):
        return "a member that is too large"
    if one.file_size > _SMALL and one.file_size > RATIO_MOST * max(one.compress_size, 1):
        return f"a member that grows more than {RATIO_MOST} times"
    return ""


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _member(
    opened: zipfile.ZipFile, known: dict[str, zipfile.ZipInfo], folder: PurePosixPath, source: str
) -> Callable[[], bytes | Refused] | Refused:
    path = PurePosixPath(source)
    if path.is_absolute() or ".." in path.parts:
        return Refused("unreadable", "outside the archive")
    one = known.get(str(folder / path))
    if one is None or one.is_dir():
        return Refused("unreadable", "there is no such file in the archive")
    return partial(_read, opened, one, MOST_BYTES)


def _read(opened: zipfile.ZipFile, one: zipfile.ZipInfo, most: int) -> bytes | Refused:
    """One member, never more than it says and never more than the limit; its checksum must fit."""
    if one.file_size > most:
        return Refused("too large", f"{one.file_size >> 20} MiB, at most {most >> 20} MiB")
    try:
        with opened.open(one) as member:
            data = member.read(most + 1)
            rest = member.read(1)  # reading to the end compares the checksum
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError):
        return Refused("unreadable", "damaged in the archive")
    if rest or len(data) != one.file_size:
        return Refused("unreadable", "not as long as the archive says")
    if data[:4] == b"PK\x03\x04":
        return Refused("unreadable", "an archive under another name")
    return data
