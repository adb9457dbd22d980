"""Any form of import as rows, and what is said once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS
from lfr.services.import_archive import archive_rows
from lfr.services.import_records import face_opener, is_record, looks_like_record, record_rows, uploaded_rows
from lfr.services.import_rows import Row, read_rows


def rows_of(source: Path | bytes, *, common: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of a folder, a CSV, a ZIP or a record (a file, or the bytes of an upload), or a folder of records.

    No picture is opened yet.

    common: column -> cell for rows that leave that column empty. Raises WatchlistError.
    """
    unknown = [name for name in common or {} if name not in FIELDS]
    if unknown:
        raise WatchlistError(f"there is no column {ascii(unknown[0])[:60]}", hint=f"known: {', '.join(FIELDS)}")
    return [replace(row, fields={**(common or {}), **row.fields}) for row in _rows(source)]


def _rows(source: Path | bytes) -> list[Row]:
    if isinstance(source, bytes):
        if looks_like_record(source):
            return uploaded_rows(source)
        return [_picture(row) for row in archive_rows(BytesIO(source), "the upload")]
    if source.suffix.lower() == ".zip" and source.is_file():
        return [_picture(row) for row in archive_rows(source, str(source))]
    if _of_records(source):
        return record_rows(source)
    return [_picture(row) for row in read_rows(source)]


def _picture(row: Row) -> Row:
    """A row whose picture is a record shows the first face in it."""
    if row.open is None or not is_record(Path(row.source)):
        return row
    return replace(row, open=face_opener(row.open))


def _of_records(source: Path) -> bool:
    if not source.is_dir():
        return is_record(source) and source.is_file()
    files = [one for one in source.iterdir() if not one.name.startswith(".")]
    return bool(files) and all(is_record(one) for one in files)
