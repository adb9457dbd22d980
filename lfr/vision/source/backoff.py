"""How long to wait before trying a camera again."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Doubling waits from `shortest` to `longest` seconds, each shortened at random by up to half.

    The jitter keeps a van's cameras from knocking in step when their switch comes back.
    """

    def __init__(self, shortest: float, longest: float, *, chance: Callable[[], float] = random.random) -> None:
        self._shortest = shortest
        self._longest = max(shortest, longest)
        self._chance = chance
        self._next = shortest

    def wait(self) -> float:
        """Seconds to wait now; the next wait is twice as long."""
        ceiling = self._next
        self._next = min(self._next * 2.0, self._longest)
        return ceiling * (1.0 - self._chance() / 2.0)

    def reset(self) -> None:
        """It worked: begin again with the shortest wait."""
        self._next = self._shortest
