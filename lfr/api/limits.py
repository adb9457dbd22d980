"""Rate limits: one token bucket per address and class of route, in memory, bounded."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from litestar.exceptions import TooManyRequestsException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

REMEMBERED = 4096
"""How many addresses are kept; the one unseen for longest goes first."""


class Rate(NamedTuple):
    """`burst` requests at once, `per_minute` in the long run."""

    burst: float
    per_minute: float


class Limits(NamedTuple):
    """The rates by class of route. A page with eight cameras makes about twenty requests a second."""

    general: Rate = Rate(burst=400, per_minute=6000)
    sign_in: Rate = Rate(burst=5, per_minute=10)
    heavy: Rate = Rate(burst=5, per_minute=30)


class Buckets:
    """Token buckets by key, all at one rate."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_for(self, key: str) -> float:
        """Take one token. Returns 0.0, or the seconds until there will be one (then none was taken)."""
        now = self._clock()
        level, then = self._levels.pop(key, (self._rate.burst, now))
        per_second = self._rate.per_minute / 60
        level = min(self._rate.burst, level + (now - then) * per_second)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        if len(self._levels) > REMEMBERED:
            self._levels.popitem(last=False)
        return 0.0 if taken else (1 - level) / per_second


class RateLimit(ASGIMiddleware):
    """Answers 429 with Retry-After. A route picks its class with `opt={"rate": "sign_in"}`, else `general`."""

    def __init__(self, limits: Limits) -> None:
        self._buckets = {name: Buckets(rate) for name, rate in limits._asdict().items()}

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request."""
        client = scope.get("client")
        address = client[0] if client else ""
        name = scope["route_handler"].opt.get("rate", "general")
        wait = self._buckets[name].wait_for(address)
        if wait:
            raise TooManyRequestsException(headers={"retry-after": str(ceil(wait))})
        await next_app(scope, receive, send)
