"""How long crops, templates and fused sums of passers-by lived, from their frame's time to their overwriting (D4)."""

from __future__ import annotations

from collections.abc import Iterable

_BINS = 5000


class Ages:
    """A histogram in milliseconds, mergeable across processes. Ages above 5 s fall into the last bin; max is exact."""

    def __init__(self) -> None:
        self._counts = [0] * _BINS
        self.count = 0
        self.max_s = 0.0

    def add(self, age_s: float) -> None:
        """Count one overwritten object."""
        self._counts[min(max(int(age_s * 1000), 0), _BINS - 1)] += 1
        self.count += 1
        self.max_s = max(self.max_s, age_s)

    def percentile_ms(self, share: float) -> float | None:
        """The age in ms that `share` (0..1) of all objects did not exceed, rounded up; None when empty."""
        if not self.count:
            return None
        wanted = share * self.count
        seen = 0
        for ms, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return min(float(ms + 1), self.max_s * 1000)
        return self.max_s * 1000

    @property
    def max_ms(self) -> float | None:
        """The largest age in ms; None when empty."""
        return self.max_s * 1000 if self.count else None

    def dump(self) -> tuple[dict[int, int], float]:
        """The non-empty bins and the maximum in seconds: what travels between processes."""
        return {ms: n for ms, n in enumerate(self._counts) if n}, self.max_s

    @classmethod
    def merged(cls, dumps: Iterable[tuple[dict[int, int], float]]) -> Ages:
        """One histogram from several."""
        ages = cls()
        for bins, largest in dumps:
            for ms, n in bins.items():
                ages._counts[ms] += n
                ages.count += n
            ages.max_s = max(ages.max_s, largest)
        return ages
