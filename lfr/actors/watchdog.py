"""What must make recognition pause, decided from what was seen: pure, so that every rule can be tried out (A3, D8, M1).

A pause has a reason, a code; when no reason is left, recognition goes on by itself after everything was verified anew,
save after three crashes or a pause that a person asked for: those a person ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from lfr.domain.lifecycle import PAUSED_BY_PERSON
from lfr.domain.mandate import SKEW_S

PATIENCE_S = 10.0
"""So long may the log's writer be behind, or nobody of a kind answer, or no camera see anything."""

CRASHES, CRASH_WINDOW_S = 3, 600.0
"""After so many crashes within this time an operator must confirm (M1)."""

WARY_S = 1.0
"""So long nothing is trusted after the clock was set."""

BY_PERSON = frozenset({"crashes", PAUSED_BY_PERSON})
"""Reasons that only a person ends."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the system. wall, steady: both clocks, seconds.

    answered: kind -> steady time at which one of it last answered. seeing: steady time at which a camera last had a
    picture. behind_s: how far the log's writer is behind. crashes: within the window, since the last confirmation.
    """

    wall: float
    steady: float
    answered: dict[str, float]
    seeing: float
    behind_s: float = 0.0
    crashes: int = 0


@dataclass(slots=True)
class Watchdog:
    """Remembers the clocks. `reasons` is asked several times a second."""

    _wall: float | None = None
    _steady: float = 0.0
    _latest: float = 0.0
    _wary_until: float = 0.0

    def reasons(self, seen: Reading) -> tuple[str, ...]:
        """Every reason that holds now, the gravest first."""
        found = []
        if self._clock_is_wrong(seen):
            found.append("clock")
        if seen.crashes >= CRASHES:
            found.append("crashes")
        if seen.behind_s > PATIENCE_S or _silent("audit-writer", seen):
            found.append("log-writer")
        if _silent("inference", seen) or _silent("matcher", seen):
            found.append("capacity")
        if seen.steady - seen.seeing > PATIENCE_S:
            found.append("cameras")
        return tuple(found)

    def _clock_is_wrong(self, seen: Reading) -> bool:
        """The wall clock was set. Forward: for a moment, until everything was verified at the new time. Back: until it
        has caught up with the latest time that was seen, so that nothing lives longer by it.
        """
        if self._wall is None or abs((seen.wall - self._wall) - (seen.steady - self._steady)) > SKEW_S:
            if self._wall is not None:
                self._wary_until = seen.steady + WARY_S
            self._wall, self._steady = seen.wall, seen.steady
        self._latest = max(self._latest, seen.wall)
        return seen.steady < self._wary_until or seen.wall < self._latest - SKEW_S


def _silent(kind: str, seen: Reading) -> bool:
    last = seen.answered.get(kind)
    return last is not None and seen.steady - last > PATIENCE_S
