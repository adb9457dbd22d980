"""The list of one deployment in memory, and the mandate it was loaded for: what `MatcherActor` is a shell around.

A mandate names the list by its digest. Nobody is compared with anything before the list that lies here has been found
to be that one, with as many people as its band allows and at the threshold that the bundle fixes for the band.
"""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from lfr import log
from lfr.domain.ages import Ages
from lfr.domain.bundle import Bundle
from lfr.domain.errors import Conflict, MandateRefused
from lfr.domain.mandate import Mandate
from lfr.domain.packs import Pack
from lfr.domain.watchlist import GalleryItem
from lfr.matching.matcher import Matcher
from lfr.matching.threshold import Threshold
from lfr.matching.transform import Transform
from lfr.services.gallery import load_gallery
from lfr.services.sealing import TRANSFORM
from lfr.storage.database import Database
from lfr.storage.vault import Vault

_log = log.get(__name__)


class Searching:
    """Loads, keeps and drops the list. ages: of every shot and fused template that was ever here."""

    def __init__(self, pack: Pack, bundle: Bundle, db: Database, vault: Vault) -> None:
        self.ages = Ages()
        self.matcher: Matcher | None = None
        self.mandate: Mandate | None = None
        self._pack = pack
        self._bundle = bundle
        self._db = db
        self._vault = vault
        self._begun: set[UUID] = set()
        self._ends = 0
        self._lock = asyncio.Lock()

    @property
    def threshold(self) -> Threshold | None:
        """The one in force; None without a list."""
        return self.matcher.threshold if self.matcher else None

    async def begin(self, mandate: Mandate) -> Matcher:
        """Have this mandate's list in memory. A mandate that was here before, or is older, changes nothing.

        Raises MandateRefused (`list`, `threshold`, `deployment`), VaultError, StorageError.
        """
        ready = self.ready(mandate)
        if ready is not None:
            return ready
        async with self._lock:
            return self.ready(mandate) or await self._begin(mandate)

    def ready(self, mandate: Mandate) -> Matcher | None:
        """The list of this mandate, if it is here already. Raises MandateRefused (`deployment`)."""
        if self.matcher is None or self.mandate is None or mandate.id not in self._begun:
            return None
        if mandate.deployment_id != self.mandate.deployment_id:
            raise _refused("deployment", "another deployment's list is here now")
        return self.matcher

    async def _begin(self, mandate: Mandate) -> Matcher:
        threshold = self._threshold(mandate)
        held = self.mandate
        if held is not None and held.issued_at > mandate.issued_at:
            if held.deployment_id != mandate.deployment_id:
                raise _refused("deployment", "another deployment's list is here now")
        elif held is None or held.deployment_id != mandate.deployment_id:
            self.end()
            ends = self._ends
            loaded = await self._load(mandate, threshold)
            if self._ends != ends:  # stopped while the list was on its way
                loaded.stop(time.time())
                raise _refused("revoked", "it was taken back")
            self.matcher, self.mandate = loaded, mandate
        else:
            if held.list_digest != mandate.list_digest:
                await self._add(mandate)
            self.mandate = mandate
        self._begun.add(mandate.id)
        return self._present()

    def _present(self) -> Matcher:
        if self.matcher is None:
            raise _refused("revoked", "it was taken back")
        return self.matcher

    def _threshold(self, mandate: Mandate) -> Threshold:
        fixed = self._bundle.threshold_for(mandate.band)
        if fixed is None or fixed.threshold != mandate.threshold:
            raise _refused("threshold", "the bundle has another threshold for this band")
        return Threshold(fixed.threshold, fixed.basis, fixed.supported)

    async def _load(self, mandate: Mandate, threshold: Threshold) -> Matcher:
        items = await self._approved(mandate)
        recogniser = self._pack.recogniser
        seed = await self._vault.own_key(mandate.deployment_id, TRANSFORM)
        turn = Transform(seed, recogniser.dim)
        matcher = Matcher(recogniser.dim, recogniser.metric, threshold, turn, self.ages)
        _add(matcher, items)
        _log.info("matcher.loaded", entries=matcher.gallery.entries, images=matcher.gallery.images)
        return matcher

    async def _add(self, mandate: Mandate) -> None:
        items = await self._approved(mandate)
        _add(self._present(), items)

    async def _approved(self, mandate: Mandate) -> list[GalleryItem]:
        """The living entries of exactly the list that was approved, amendments included."""
        try:
            items = await load_gallery(self._db, self._vault, mandate.deployment_id, approved=mandate.list_digest)
        except Conflict as error:
            raise _refused("list", error.message) from None
        if len({item.entry_id for item in items}) > mandate.band:
            _wipe(items)
            raise _refused("list", "the list has more entries than its band")
        return items

    async def refresh(self) -> int:
        """Take off whoever was taken off the stored list; nobody is added. Returns how many people are left."""
        async with self._lock:
            if self.matcher is None or self.mandate is None:
                return 0
            items = await self._approved(self.mandate)
            living = {item.entry_id for item in items}
            _wipe(items)
            gallery = self._present().gallery
            for entry in gallery.listed() - living:
                gallery.revoke(entry)
            return gallery.entries

    def drop(self, entry_id: UUID) -> int:
        """Take one entry off at once. Returns how many people are left."""
        if self.matcher is None:
            return 0
        self.matcher.revoke(entry_id)
        return self.matcher.gallery.entries

    def pause(self) -> None:
        """Overwrite what is under way; the list stays."""
        if self.matcher is not None:
            self.matcher.clear_shots(time.time())

    def end(self) -> None:
        """Overwrite everything, and forget the keys: the list leaves memory (A13)."""
        self._ends += 1
        if self.matcher is not None:
            self.matcher.stop(time.time())
            _log.info("matcher.emptied")
        self.matcher = self.mandate = None
        self._begun.clear()
        self._vault.forget()

    def sweep(self) -> None:
        """Overwrite what has grown old. Call at least every 50 ms."""
        if self.matcher is not None:
            self.matcher.sweep(time.time())


def _add(matcher: Matcher, items: list[GalleryItem]) -> None:
    matcher.add(items)
    _wipe(items)


def _wipe(items: list[GalleryItem]) -> None:
    for item in items:
        item.template.setflags(write=True)
        item.template.fill(0)


def _refused(code: str, message: str) -> MandateRefused:
    return MandateRefused(f"no mandate: {message}", code=code, hint="see `lfr deployment check`")
