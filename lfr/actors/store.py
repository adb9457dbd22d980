"""How an actor reaches the database and the keys: by address, so that it can be rebuilt on any node after a death."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import ray

from lfr.actors.keeper import KeptKeys, RayLine
from lfr.storage.database import Database
from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import KeyStore
from lfr.storage.node_key import open_wrapper
from lfr.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where things lie. home: the Ray node with the key store's folder. The URL may hold a password: never shown."""

    url: str = field(repr=False)
    node_key: str
    keys: Path
    home: str

    def key_store(self) -> KeyStore:
        """The files where they lie, elsewhere the keeper. Raises VaultError when this node has not the node key."""
        wrapper = open_wrapper(self.node_key, create=False)
        if ray.get_runtime_context().get_node_id() == self.home:
            return FileKeys(self.keys, wrapper)
        return KeptKeys(wrapper, RayLine())


class Store:
    """An open database and a vault."""

    def __init__(self, address: StoreAddress) -> None:
        self.db = Database(address.url)
        self.vault = Vault(address.key_store())

    async def close(self) -> None:
        """Let go of connections."""
        await self.db.dispose()
