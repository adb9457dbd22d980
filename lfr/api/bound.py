"""What one system is bound to: its policy, its bundle, its registrar. Routes that decide something are judged by it."""

from __future__ import annotations

from dataclasses import dataclass

from lfr.config import Config
from lfr.domain.bundle import Bundle
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.services.machine import look
from lfr.services.registrar import Registrar
from lfr.services.terms import Terms
from lfr.storage.database import Database


@dataclass(frozen=True, slots=True)
class Bound:
    """Fixed for a run. pack_digest: SHA-256 of the pack's description, 64 hex digits."""

    config: Config
    policy: Policy
    pack: Pack
    pack_digest: str
    bundle: Bundle
    registrar: Registrar

    async def terms(self, db: Database) -> Terms:
        """What a step is judged by, at this moment. Raises StorageError."""
        return Terms(self.policy, self.bundle, await look(db, self.config, self.registrar.public))
