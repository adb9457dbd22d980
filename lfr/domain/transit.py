"""One person's passage through the zone: which shots are worth a template, and when candidates make an alert.

Pure bookkeeping in presentation time; it holds no pixel and no template, only what may outlive a shot (D4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from lfr.domain.alerts import Candidate


@dataclass(frozen=True, slots=True)
class ShotRules:
    """When a shot can change the answer.

    burst: so many good shots are wanted at once, `spacing` seconds apart; after that only one that is `better` times as
    heavy as the best so far, or the first after `refresh` seconds. Such a shot calls for `follow` more behind it,
    because one shot is never enough for an alert and those before it may be gone.
    """

    burst: int = 3
    spacing: float = 0.15
    better: float = 1.2
    refresh: float = 0.8
    follow: int = 1


@dataclass(slots=True)
class Transit:
    """One transit. number: from 1 within a camera run. Times: presentation seconds; first_seen_at: wall time."""

    number: int
    first_seen: float
    first_seen_at: float
    rules: ShotRules = field(default_factory=ShotRules)
    embedded: int = 0
    best_weight: float = 0.0
    _last_shot: float = float("-inf")
    _owed: int = 0
    _alerted: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._owed = self.rules.burst

    def wants(self, weight: float, media_s: float) -> bool:
        """Whether a template of a shot of this weight, now, could change the answer."""
        since = media_s - self._last_shot
        if since < self.rules.spacing:
            return False
        return self._owed > 0 or weight >= self.rules.better * self.best_weight or since >= self.rules.refresh

    def took(self, weight: float, media_s: float) -> None:
        """A shot was sent to be embedded."""
        self._owed = self._owed - 1 if self._owed > 0 else self.rules.follow
        self.best_weight = max(self.best_weight, weight)
        self._last_shot = media_s
        self.embedded += 1

    def again(self) -> None:
        """A shot that was sent came to nothing: another one is wanted, at once."""
        self._owed += 1
        self._last_shot = float("-inf")

    def confirm(self, candidate: Candidate, shots_needed: int) -> bool:
        """True once per entry: enough shots of this transit agree on it (D3)."""
        if candidate.entry_id in self._alerted or candidate.shots < shots_needed:
            return False
        self._alerted.add(candidate.entry_id)
        return True

    def retract(self, entry_id: UUID) -> None:
        """The alert could not be made durable: the next confirmation may raise it again."""
        self._alerted.discard(entry_id)
