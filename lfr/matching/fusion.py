"""Several shots of one transit make one better template, and none of it lives longer than a second (D4).

A fused template is itself a template: it covers only shots of the last second, is made for one comparison and is
overwritten right after it. What outlives a shot is at most a candidate's entry id, score and quality.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from lfr.domain.ages import Ages
from lfr.domain.faces import Metric, Templates

WINDOW_S = 1.0
"""Only shots this close in presentation time are fused."""

LIFETIME_S = 0.9
"""Wall-clock age at which a shot is overwritten: a tenth of a second before the limit of one second."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One template of one transit; the fusion owns the template once added, and it is float32 (dim,).

    stamped_at: wall time of its frame. nearest: the entry this shot alone is most like, whatever the score.
    """

    media_s: float
    stamped_at: float
    weight: float
    template: Templates = field(repr=False)
    nearest: UUID | None = None


class TransitFusion:
    """The shots of the last second, by transit. Not thread-safe: one matcher owns it."""

    def __init__(self, metric: Metric, ages: Ages) -> None:
        self.metric: Metric = metric
        self._ages = ages
        self._shots: dict[Hashable, list[Shot]] = {}

    def __len__(self) -> int:
        return sum(len(shots) for shots in self._shots.values())

    def add(self, transit: Hashable, shot: Shot, now: float) -> None:
        """Keep one more shot; what has grown too old in this transit is overwritten."""
        shots = self._shots.setdefault(transit, [])
        shots.append(shot)
        self._prune(transit, now, shot.media_s)

    def window(self, transit: Hashable) -> list[Shot]:
        """The shots that would be fused now."""
        return list(self._shots.get(transit, ()))

    def fused(self, transit: Hashable) -> Templates:
        """The weighted mean of the window, float32 (dim,), L2-normalised for the cosine metric.

        The caller overwrites it with `forget_fused` as soon as it was compared.
        """
        shots = self._shots[transit]
        total = np.zeros_like(shots[0].template)
        for shot in shots:
            total += np.float32(shot.weight) * shot.template
        if self.metric == "cosine":
            total /= max(float(np.linalg.norm(total)), 1e-6)
        else:
            total /= np.float32(sum(shot.weight for shot in shots))
        return total

    def forget_fused(self, transit: Hashable, fused: Templates, now: float) -> None:
        """Overwrite a fused template; its age counts from the oldest frame it covered."""
        fused.fill(0.0)
        self._ages.add(now - min(shot.stamped_at for shot in self._shots[transit]))

    def sweep(self, now: float) -> None:
        """Overwrite every shot that has reached its lifetime. Call at least every 50 ms."""
        for transit in list(self._shots):
            self._prune(transit, now, None)

    def clear(self, now: float) -> None:
        """Overwrite everything."""
        for shots in self._shots.values():
            for shot in shots:
                self._wipe(shot, now)
        self._shots.clear()

    def _prune(self, transit: Hashable, now: float, media_s: float | None) -> None:
        kept = []
        for shot in self._shots[transit]:
            too_old = now - shot.stamped_at >= LIFETIME_S
            outside = media_s is not None and media_s - shot.media_s > WINDOW_S
            if too_old or outside:
                self._wipe(shot, now)
            else:
                kept.append(shot)
        if kept:
            self._shots[transit] = kept
        else:
            del self._shots[transit]

    def _wipe(self, shot: Shot, now: float) -> None:
        shot.template.fill(0.0)
        self._ages.add(now - shot.stamped_at)
