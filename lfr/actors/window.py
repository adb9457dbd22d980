"""How many frames may be on their way at once: as many as keep the path full, and no more than stay young.

Additive increase, multiplicative decrease (Chiu and Jain 1989): when frames grow old before they are handled, fewer are
sent at a time. So a slow machine gets slower, and does not lose the shots that would have died of age (D4, D8).
"""

from __future__ import annotations

import asyncio

YOUNG_S, OLD_S = 0.20, 0.35


class Window:
    """A semaphore whose size follows the age of what passes through it. most: never more at once than this."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = float(most)
        self._taken = 0
        self._closed = False
        self._freed = asyncio.Condition()

    async def enter(self) -> None:
        """Wait for a place; once closed, there is one for everybody."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._closed or self._taken < int(self.size))
            self._taken += 1

    async def close(self) -> None:
        """Nobody waits any more: what passes from now on comes to nothing anyway."""
        self._closed = True
        async with self._freed:
            self._freed.notify_all()

    async def leave(self, age_s: float | None = None) -> None:
        """Give the place back. age_s: how old the frame was when it was handled; None tells nothing."""
        if age_s is not None:
            self.size = max(1.0, self.size / 2) if age_s > OLD_S else self.size
            self.size = min(float(self._most), self.size + 0.1) if age_s < YOUNG_S else self.size
        async with self._freed:
            self._taken -= 1
            self._freed.notify()
