"""The policy in force, for everybody who is signed in to read."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from lfr.api.bound import Bound


class PolicyController(Controller):
    """What this system is bound to."""

    path = "/policy"
    tags = ("policy",)

    @get()
    async def policy(self, bound: NamedDependency[Bound]) -> dict[str, Any]:
        """The whole policy as its file says it, with its digest."""
        whole: dict[str, Any] = msgspec.to_builtins(bound.policy)
        return whole | {"digest": bound.policy.digest}
