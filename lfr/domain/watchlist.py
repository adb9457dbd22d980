"""The watchlist as the matcher sees it, and what an import answers for each row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Refusal = Literal[
    "no face", "several faces", "too small", "too blurred", "unreadable", "too large", "duplicate", "incomplete"
]
"""Why a picture or row was not enrolled."""


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One enrolled image. template: float32 (dim,), as the engine gave it."""

    entry_id: UUID
    image_id: UUID
    template: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EntrySummary:
    """One entry as lists show it. images: how many pictures were enrolled. Times in UTC."""

    id: UUID
    label: str
    images: int
    added_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """One picture of an import. `source` is the file's path as given, never a person's name of our making."""

    entry: str
    source: str
    enrolled: bool
    refusal: Refusal | None = None
    detail: str = ""
    entry_id: UUID | None = None
    image_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """All rows of one import, in the order they were read."""

    rows: tuple[RowResult, ...]

    @property
    def enrolled(self) -> int:
        """How many pictures were enrolled."""
        return sum(row.enrolled for row in self.rows)

    @property
    def refused(self) -> int:
        """How many pictures were refused."""
        return len(self.rows) - self.enrolled
