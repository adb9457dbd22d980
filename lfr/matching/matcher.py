"""The matcher as a plain object: gallery, fusion and threshold together. The Ray actor is a thin shell around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np

from lfr.domain.ages import Ages
from lfr.domain.alerts import Candidate
from lfr.domain.errors import Conflict
from lfr.domain.faces import Metric, Templates
from lfr.domain.watchlist import GalleryItem
from lfr.matching.fusion import Shot, TransitFusion
from lfr.matching.gallery import Gallery
from lfr.matching.threshold import Threshold
from lfr.matching.transform import Transform


class TransitKey(NamedTuple):
    """One transit among all cameras and their runs."""

    camera: str
    run: str
    number: int


@dataclass(frozen=True, slots=True)
class ShotNote:
    """What goes with one template. media_s: presentation time; stamped_at: wall time of the frame."""

    transit: TransitKey
    media_s: float
    stamped_at: float
    weight: float


class Matcher:
    """Exact open-set search of fused transits.

    threshold: holds for every size of the list up to its band's end; whoever is added or taken off moves it not (B10).
    turn: the deployment's own rotation (B12); listed templates have it already, probes get it here.
    """

    def __init__(
        self,
        dim: int,
        metric: Metric,
        threshold: Threshold,
        turn: Transform | None = None,
        ages: Ages | None = None,
    ) -> None:
        self.gallery = Gallery(dim, metric)
        self.ages = ages or Ages()
        self.stopped = False
        self.threshold = threshold
        self._turn = turn
        self._fusion = TransitFusion(metric, self.ages)

    def add(self, items: Sequence[GalleryItem]) -> None:
        """List further images; from the next match on they count. Raises ValueError for a template of a wrong shape."""
        self.gallery.add(items)

    def revoke(self, entry_id: UUID) -> int:
        """Take an entry off the list at once. Returns the number of images overwritten."""
        return self.gallery.revoke(entry_id)

    def match(self, templates: Templates, notes: Sequence[ShotNote], now: float) -> list[Candidate | None]:
        """Fuse each shot into its transit and search. float32 (n, dim) in; the caller overwrites it afterwards.

        Below the threshold nothing comes back. Raises Conflict once stopped (A13).
        """
        if self.stopped:
            raise Conflict("recognition was stopped", hint="only a new authority starts it again")
        turned = self._turn(templates) if self._turn is not None else np.array(templates, np.float32)
        nearest = self.gallery.search(turned, -np.inf)
        for row, (note, hit) in enumerate(zip(notes, nearest, strict=True)):
            own = np.array(turned[row], np.float32)
            entry = hit.entry_id if hit else None
            self._fusion.add(note.transit, Shot(note.media_s, note.stamped_at, note.weight, own, entry), now)
        turned.fill(0)
        return [self._candidate(note, now) for note in notes]

    def _candidate(self, note: ShotNote, now: float) -> Candidate | None:
        window = self._fusion.window(note.transit)
        if not window:  # the shot was already too old when it came: it is gone, and so is its say
            return None
        fused = self._fusion.fused(note.transit)
        hit = self.gallery.search(fused[None], self.threshold.value)[0]
        self._fusion.forget_fused(note.transit, fused, now)
        if hit is None:
            return None
        agreeing = sum(shot.nearest == hit.entry_id for shot in window)
        return Candidate(hit.entry_id, hit.score, hit.gap, agreeing)

    def sweep(self, now: float) -> None:
        """Overwrite what has grown old. Call at least every 50 ms."""
        self._fusion.sweep(now)

    def clear_shots(self, now: float) -> None:
        """Overwrite every shot at once; the list stays (a pause)."""
        self._fusion.clear(now)

    def stop(self, now: float) -> None:
        """End recognition: shots, list and rotation are overwritten, and match() refuses from now on (A13)."""
        self.stopped = True
        self._fusion.clear(now)
        self.gallery.clear()
        if self._turn is not None:
            self._turn.wipe()
