"""Databases of both kinds, and a deployment that its run authorises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from lfr.config import Matcher
from lfr.domain.bundle import Bundle
from lfr.domain.gates import SystemFacts
from lfr.domain.mandate import Mandate
from lfr.domain.plan import CameraZone
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed
from lfr.matching.bundle import bundle_of
from lfr.services import deployments, mandates, policies, standing, watchlist
from lfr.services.terms import Terms
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment
from lfr.storage.node import Node, new_node
from lfr.storage.vault import Vault
from lfr.vision.engine.double import DoubleEngine, double_pack
from lfr.vision.packs import pack_digest
from tests.support.stores import postgres_server, store, url
from tests.support.walkers import portrait

__all__ = ["ground", "postgres_server", "store", "url"]

PACK = double_pack()
CAMERA = CameraZone("north", standing.WHOLE)


@dataclass
class Ground:
    """A system without actors: real database, keys and authority. run: its deployment."""

    db: Database
    node: Node
    vault: Vault
    policy: Policy
    bundle: Bundle
    run: standing.Run
    clock_ok: bool = True

    async def terms(self) -> Terms:
        """What a step is judged by."""
        force, registrar = "no-force", self.node.registrar_key
        facts = SystemFacts(force, registrar, "research", ("north",), self.clock_ok, True, True, False, True)
        return Terms(self.policy, self.bundle, facts)

    async def enrol(self, *identities: int) -> list[UUID]:
        """List painted people."""
        found = []
        for identity in identities:
            pictures = [(f"{identity}.png", portrait(identity))]
            rows = await watchlist.enrol(
                self.db, self.vault, DoubleEngine(PACK), self.run.deployment_id, PACK, f"w{identity}", pictures,
                by="test",
            )  # fmt: skip
            assert rows[0].entry_id is not None, rows
            found.append(rows[0].entry_id)
        return found

    async def ready(self, *, room: int = 0) -> Deployment:
        """Authorise, approve the list as it stands."""
        return await standing.approve(self.db, self.run, terms=await self.terms(), cameras=[CAMERA], room=room)

    async def mint(self) -> tuple[Signed, Mandate]:
        """Go live, or a fresh mandate."""
        signed = await mandates.mint(self.db, self.node, self.run.deployment_id, terms=await self.terms())
        return signed, mandates.opened(signed)

    async def row(self) -> Deployment:
        """The deployment as it stands."""
        return await deployments.get_deployment(self.db, self.run.deployment_id)


@pytest.fixture
async def ground(url: str, tmp_path: Path) -> AsyncIterator[Ground]:
    """A migrated database of each kind with a draft that its run will authorise."""
    await migrate(url)
    db, node = Database(url), new_node(tmp_path / "keys")
    policy = policies.load("demo")
    options = Matcher(threshold=0.7)
    digest = pack_digest(PACK)
    bundle = bundle_of(PACK, digest, policy, confirm_shots=options.confirm_shots, fixed=options.threshold)
    run = await standing.open(
        db, node, system="van", mode="research", force="no-force", pack="double", pack_digest=digest, policy=policy,
        cameras=[CAMERA],
    )  # fmt: skip
    yield Ground(db, node, node.vault(), policy, bundle, run)
    await db.dispose()
