"""How an actor reaches the database and the vault: by address, so that it can be rebuilt on any node after a death."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from lfr.storage.database import Database
from lfr.storage.node import open_node


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where things lie. The database URL may hold a password: it is never shown."""

    url: str = field(repr=False)
    node_key: str
    keys: Path
    deployment_id: UUID


class Store:
    """An open database and vault of one deployment."""

    def __init__(self, address: StoreAddress) -> None:
        self.db = Database(address.url)
        self.vault = open_node(address.node_key, address.keys, create=False).vault()
        self.deployment_id = address.deployment_id

    async def close(self) -> None:
        """Let go of connections."""
        await self.db.dispose()
