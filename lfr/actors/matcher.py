"""The matcher of one node: the list of one deployment in memory, the shots of the last second, and nothing else.

It serves whoever shows a mandate, and loads by itself, also after its own death, the list that the mandate names.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import numpy as np
import ray

from lfr.actors.doorman import Doorman, Pass, Trust
from lfr.actors.searching import Searching
from lfr.actors.shell import Shell
from lfr.actors.store import Store, StoreAddress
from lfr.domain.alerts import Candidate
from lfr.domain.errors import LfrError, MandateRefused
from lfr.domain.mandate import Mandate
from lfr.domain.packs import Pack
from lfr.domain.signing import Signed
from lfr.matching.matcher import Matcher, ShotNote
from lfr.vision.attest import running_bundle

SWEEP_S = 0.03
RETRY_S = 1.0
"""A list that could not be loaded is not asked for again before this."""


class MatcherActor(Shell):
    """Exact open-set search for the cameras of one node."""

    kind = "matcher"
    max_concurrency = 256

    def __init__(self, name: str, folder: str, log_level: str, pack: Pack, trust: Trust, store: StoreAddress) -> None:
        super().__init__(name, folder, log_level)
        bundle = running_bundle(pack, trust.bundle)
        opened = Store(store)
        self._doorman = Doorman(trust.anchor(bundle), self.folder)
        self._searching = Searching(pack, bundle, opened.db, opened.vault)
        self._sweeper: asyncio.Task[None] | None = None
        self._failed: tuple[UUID, float, LfrError] | None = None

    async def begin(self, mandate: Signed) -> int:
        """Verify a mandate and have its list in memory. Returns the number of people.

        Raises MandateRefused, StorageError, VaultError.
        """
        return (await self._begin(self._doorman.open(mandate))).gallery.entries

    async def _begin(self, mandate: Mandate) -> Matcher:
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep())
        if self._failed and self._failed[0] == mandate.id and time.monotonic() - self._failed[1] < RETRY_S:
            raise self._failed[2]
        try:
            return await self._searching.begin(mandate)
        except LfrError as error:
            self._failed = (mandate.id, time.monotonic(), error)
            if isinstance(error, MandateRefused):
                raise self._doorman.counted(error) from None
            raise

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._searching.sweep()

    async def match(self, shown: Pass, carried: list[Any], notes: list[ShotNote]) -> list[Candidate | None]:
        """Candidates of the given templates, carried by reference; None where nothing reaches the threshold.

        Raises MandateRefused: then nothing was compared.
        """
        templates = await carried[0]
        matcher = await self._served(shown)
        return matcher.match(np.asarray(templates), notes, time.time())

    async def warm_up(self, shown: Pass, carried: list[Any]) -> None:
        """Load the list and search it once, for a template of nobody."""
        templates = await carried[0]
        (await self._served(shown)).gallery.search(np.asarray(templates), np.inf)

    async def _served(self, shown: Pass) -> Matcher:
        mandate = self._doorman.check(shown)
        matcher = self._searching.ready(mandate)
        if matcher is None:
            matcher = await self._begin(mandate)
            self._doorman.check(shown)  # loading takes its time
        return matcher

    async def refresh(self) -> int:
        """Take off whoever was taken off the stored list. Returns the number of people left.

        The acknowledgement that a revocation waits for.
        """
        return await self._searching.refresh()

    async def drop(self, entry_id: UUID) -> int:
        """Take one entry off at once. Returns the number of people left."""
        return self._searching.drop(entry_id)

    async def revoke(self, mandate_id: UUID) -> None:
        """A pause: this mandate opens nothing here any more, and every shot is overwritten. The list stays."""
        self._doorman.revoke(mandate_id)
        self._searching.pause()

    async def bar(self, deployment_id: UUID, until: float) -> None:
        """A stop or an end: no mandate of this deployment issued up to `until` (Unix seconds) opens anything here any
        more, and its list leaves memory (A13).
        """
        self._doorman.bar(deployment_id, until)
        self._searching.end()

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, the list's size, the threshold in force, the ages of its shots and fused templates."""
        searching = self._searching
        gallery = searching.matcher.gallery if searching.matcher else None
        return {
            "who": self.who(),
            "entries": gallery.entries if gallery else 0,
            "images": gallery.images if gallery else 0,
            "threshold": searching.threshold,
            "ages": searching.ages.dump(),
            "mandate": searching.mandate.id if searching.mandate else None,
            "refused": dict(self._doorman.refused),
        }
