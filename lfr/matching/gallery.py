"""Exact open-set search over the watchlist: every image is compared, and nothing below the threshold comes back.

No approximate index stands on the alert path: its misses would depend on who else is listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Metric, Templates
from lfr.domain.watchlist import GalleryItem


@dataclass(frozen=True, slots=True)
class Hit:
    """The best entry for one probe. gap: its score less the best score of any other entry (2.0 if there is none)."""

    entry_id: UUID
    score: float
    gap: float


class Gallery:
    """Templates of all listed images in one array. Not thread-safe: one matcher owns it.

    A revoked row is overwritten at once and its place reused.
    """

    def __init__(self, dim: int, metric: Metric) -> None:
        self.dim = dim
        self.metric: Metric = metric
        self._rows: Templates = np.zeros((64, dim), np.float32)
        self._norms = np.zeros(64, np.float32)
        self._owner = np.full(64, -1, np.int64)  # index into _entries, -1 = a free row
        self._entries: list[UUID | None] = []
        self._index: dict[UUID, int] = {}
        self._images: dict[UUID, int] = {}

    @property
    def images(self) -> int:
        """Listed images."""
        return len(self._images)

    @property
    def entries(self) -> int:
        """Listed people."""
        return len(self._index)

    def listed(self) -> set[UUID]:
        """The entries in memory."""
        return set(self._index)

    def add(self, items: Iterable[GalleryItem]) -> None:
        """List further images, of new or known entries. An image that is already listed is not added twice.

        Raises ValueError for a template of a wrong length or with a value that is not finite.
        """
        for item in items:
            if item.image_id in self._images:
                continue
            if item.template.shape != (self.dim,) or not np.isfinite(item.template).all():
                raise ValueError(f"image {item.image_id}: a template of {self.dim} finite numbers is needed")
            row = self._free_row()
            self._rows[row] = item.template
            self._norms[row] = float(item.template @ item.template)
            self._owner[row] = self._entry(item.entry_id)
            self._images[item.image_id] = row

    def revoke(self, entry_id: UUID) -> int:
        """Overwrite all images of an entry. Returns how many there were; 0 if it was not listed."""
        index = self._index.pop(entry_id, None)
        if index is None:
            return 0
        gone = np.flatnonzero(self._owner == index)
        self._rows[gone] = 0.0
        self._norms[gone] = 0.0
        self._owner[gone] = -1
        self._entries[index] = None
        rows = set(gone.tolist())
        self._images = {image: row for image, row in self._images.items() if row not in rows}
        return len(gone)

    def clear(self) -> None:
        """Overwrite everything: the list leaves memory."""
        self._rows.fill(0.0)
        self._norms.fill(0.0)
        self._owner.fill(-1)
        self._entries.clear()
        self._index.clear()
        self._images.clear()

    def search(self, probes: Templates, threshold: float) -> list[Hit | None]:
        """The nearest entry of each probe if it reaches the threshold, else None.

        probes: float32 (n, dim). An entry's score is the best over its images.
        """
        if not self._index or not len(probes):
            return [None] * len(probes)
        scores = self._scores(probes)
        best_rows = scores.argmax(axis=1)
        return [
            self._hit(scores[i], int(row)) if scores[i, row] >= threshold else None for i, row in enumerate(best_rows)
        ]

    def _hit(self, scores: NDArray[np.float32], row: int) -> Hit:
        owner = self._owner[row]
        entry = self._entries[owner]
        assert entry is not None
        others = scores[self._owner != owner]
        second = float(others.max()) if len(others) else -np.inf
        best = float(scores[row])
        return Hit(entry, best, min(best - second, 2.0))

    def _scores(self, probes: Templates) -> NDArray[np.float32]:
        products = probes @ self._rows.T
        if self.metric == "cosine":
            scores = products
        else:
            squared = (probes * probes).sum(axis=1)[:, None] + self._norms[None, :] - 2.0 * products
            scores = 1.0 - np.sqrt(np.maximum(squared, 0.0))
        scores[:, self._owner < 0] = -np.inf
        return np.asarray(scores, np.float32)

    def _entry(self, entry_id: UUID) -> int:
        index = self._index.get(entry_id)
        if index is None:
            index = self._index[entry_id] = len(self._entries)
            self._entries.append(entry_id)
        return index

    def _free_row(self) -> int:
        free = np.flatnonzero(self._owner < 0)
        if len(free):
            return int(free[0])
        size = len(self._owner)
        grown = np.zeros((size * 2, self.dim), np.float32)
        grown[:size] = self._rows
        self._rows.fill(0.0)  # the old block goes back to the allocator: empty it first
        self._rows = grown
        self._norms = np.concatenate([self._norms, np.zeros(size, np.float32)])
        self._owner = np.concatenate([self._owner, np.full(size, -1, np.int64)])
        return size
