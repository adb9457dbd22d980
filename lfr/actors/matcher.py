"""The matcher of one node: the gallery in memory, the shots of the last second, and nothing else.

It loads the list from the vault by itself, also after its own death, and refuses to match before that.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import numpy as np
import ray

from lfr import log
from lfr.actors.shell import Shell
from lfr.actors.store import Store, StoreAddress
from lfr.config import Matcher as MatcherOptions
from lfr.domain.alerts import Candidate
from lfr.domain.packs import Pack
from lfr.matching import threshold
from lfr.matching.matcher import Matcher, ShotNote
from lfr.matching.transform import Transform
from lfr.services import watchlist
from lfr.services.sealing import TRANSFORM

_log = log.get(__name__)

SWEEP_S = 0.03


class MatcherActor(Shell):
    """Exact open-set search for the cameras of one node."""

    kind = "matcher"
    max_concurrency = 256

    def __init__(
        self, name: str, folder: str, log_level: str, pack: Pack, options: MatcherOptions, store: StoreAddress, dim: int
    ) -> None:
        super().__init__(name, folder, log_level)
        self._store = Store(store)
        self._matcher = Matcher(
            dim,
            pack.recogniser.metric,
            lambda entries: threshold.for_watchlist(
                pack, entries, target_fpir=options.target_fpir, fixed=options.threshold
            ),
        )
        self._ready: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def load(self) -> int:
        """Have the list in memory. Returns the number of people; raises StorageError."""
        if self._ready is None:
            self._ready = asyncio.create_task(self._load())
            self._sweeper = asyncio.create_task(self._sweep())
        try:
            await asyncio.shield(self._ready)
        except Exception:
            self._ready = None  # the next caller tries again
            raise
        return self._matcher.gallery.entries

    async def _load(self) -> None:
        if self.was_stopped:
            self._matcher.stop(time.time())
            return
        seed = await self._store.vault.own_key(self._store.deployment_id, TRANSFORM)
        self._matcher.turn = Transform(seed, self._matcher.gallery.dim)
        items = await watchlist.load_gallery(self._store.db, self._store.vault, self._store.deployment_id)
        self._matcher.add(items)
        for item in items:
            item.template.setflags(write=True)
            item.template.fill(0)
        _log.info("matcher.loaded", entries=self._matcher.gallery.entries, images=self._matcher.gallery.images)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._matcher.sweep(time.time())

    async def match(self, carried: list[Any], notes: list[ShotNote]) -> list[Candidate | None]:
        """Candidates of the given templates, carried by reference; None where nothing reaches the threshold."""
        await self.load()
        templates = await carried[0]
        return self._matcher.match(np.asarray(templates), notes, time.time())

    async def warm_up(self, carried: list[Any]) -> None:
        """Load the list and search it once, for a template of nobody."""
        await self.load()
        self._matcher.gallery.search(np.asarray(await carried[0]), np.inf)

    async def refresh(self) -> int:
        """Bring the list in line with the vault: what was added or revoked since. Returns the number of people.

        The acknowledgement that `add` and `revoke` wait for.
        """
        await self.load()
        async with self._lock:
            if not self._matcher.stopped:
                await self._reconcile()
        return self._matcher.gallery.entries

    async def _reconcile(self) -> None:
        items = await watchlist.load_gallery(self._store.db, self._store.vault, self._store.deployment_id)
        wanted = {item.entry_id for item in items}
        for entry in self._matcher.gallery.listed() - wanted:
            self._matcher.revoke(entry)
        self._matcher.add(items)

    async def drop(self, entry_id: UUID) -> int:
        """Take one entry off at once. Returns the number of people left."""
        await self.load()
        self._matcher.revoke(entry_id)
        return self._matcher.gallery.entries

    async def stop(self) -> None:
        """End recognition: everything in memory is overwritten, and a restart stays stopped (A13)."""
        self.mark_stopped()
        self._matcher.stop(time.time())
        _log.info("matcher.stopped")

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, the list's size, the threshold in force, the ages of its shots and fused templates."""
        matcher = self._matcher
        return {
            "who": self.who(),
            "entries": matcher.gallery.entries,
            "images": matcher.gallery.images,
            "threshold": matcher.threshold,
            "ages": matcher.ages.dump(),
            "stopped": matcher.stopped,
            "loaded": self._ready is not None and self._ready.done(),
        }
