"""The watchlist as the matcher sees it, and what an import answers for each row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Refusal = Literal[
    "no face",
    "several faces",
    "too small",
    "too blurred",
    "turned away",
    "unreadable",
    "too large",
    "duplicate",
    "incomplete",
    "missing field",
    "invalid value",
    "not allowed",
    "minor",
    "provenance",
    "expired",
    "conflicting",
    "list full",
]
"""Why a picture or row was not enrolled."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a row, in plain words that quote no value of it. rule: its id, empty for none."""

    reason: Refusal
    detail: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One enrolled image. template: float32 (dim,), as the engine gave it."""

    entry_id: UUID
    image_id: UUID
    template: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EntrySummary:
    """One entry as lists show it. images: how many pictures were enrolled. Times in UTC.

    checked_by: the second person who confirmed that the pictures show whom the entry names (B7). alike: an entry that
    this one is much alike to.
    """

    id: UUID
    label: str
    images: int
    added_at: datetime
    revoked_at: datetime | None = None
    added_by: str = ""
    category: str = ""
    action: str = ""
    age_band: str = "unknown"
    checked_by: str | None = None
    status_at: datetime | None = None
    review_on: date | None = None
    expires_on: date | None = None
    alike: UUID | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """One picture of an import. `source` is the file's path as given, never a person's name of our making.

    refusal, detail: the first reason; faults: every reason there is. already: this very picture stands under this label
    from an earlier import: neither enrolled anew nor refused. warnings: what is worth a second look although the
    picture was enrolled.
    """

    entry: str
    source: str
    enrolled: bool
    refusal: Refusal | None = None
    detail: str = ""
    entry_id: UUID | None = None
    image_id: UUID | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    already: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """All rows of one import, in the order they were read."""

    rows: tuple[RowResult, ...]

    @property
    def enrolled(self) -> int:
        """How many pictures were enrolled by this import."""
        return sum(row.enrolled for row in self.rows)

    @property
    def already(self) -> int:
        """How many pictures were enrolled by an earlier import."""
        return sum(row.already for row in self.rows)

    @property
    def refused(self) -> int:
        """How many pictures were refused."""
        return len(self.rows) - self.enrolled - self.already
