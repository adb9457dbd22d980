"""The inference pool as a FaceEngine: a running system enrols through the models it recognises with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import ray

from lfr.actors.ports import ListPorts
from lfr.domain.errors import RuntimeFailed
from lfr.domain.faces import Detections, Image, Templates
from lfr.vision.engine.base import EngineContract


class PoolEngine:
    """Blocking, for use in a thread of its own. loop: the event loop in which the pool was started."""

    def __init__(self, pool: list[Any], contract: EngineContract, loop: asyncio.AbstractEventLoop) -> None:
        self.workers = pool
        self._contract = contract
        self._loop = loop
        self._ports = ListPorts(pool)

    @property
    def contract(self) -> EngineContract:
        """That of the pool's engines."""
        return self._contract

    def detect(self, pictures: Sequence[Image]) -> list[Detections]:
        """Each picture goes to the least busy worker. Raises RuntimeFailed."""
        return self._await([self._ports.detect(picture) for picture in pictures])

    def embed(self, crops: Image) -> Templates:
        """All crops in one call. Raises RuntimeFailed."""
        templates: list[Templates] = self._await([self._ports.embed(crops)])
        return templates[0]

    def close(self) -> None:
        """Nothing of our own to let go."""

    def _await(self, calls: list[Any]) -> list[Any]:
        if not ray.is_initialized():
            raise RuntimeFailed("the system is shutting down")

        async def all_of_them() -> list[Any]:
            return list(await asyncio.gather(*calls))

        return asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(120)
