"""What `lfr watchlist import` and `lfr bench import` share: opening the system, and as many engines as cores."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from lfr.cli.client import local_user
from lfr.config import Config
from lfr.domain.errors import Conflict, NotFound
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import ImportReport
from lfr.services import deployments, policies, standing, watchlist
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment
from lfr.storage.node import Node, open_node
from lfr.storage.vault import Vault
from lfr.vision.engine.base import FaceEngine


class Opened(NamedTuple):
    """One configured system's database and vault, whether or not it runs."""

    config: Config
    db: Database
    node: Node
    vault: Vault
    policy: Policy

    async def deployment(self, wanted: str) -> Deployment:
        """By its id or first digits; the current one for an empty one. Raises NotFound, Conflict."""
        if not wanted:
            found = await deployments.current(self.db, self.config.name)
            if found is None:
                raise NotFound("there is no deployment yet", hint="plan one with `lfr deployment new`")
            return found
        every = await deployments.list_deployments(self.db, self.config.name)
        named = [one for one in every if str(one.id).startswith(wanted.lower())]
        if not named:
            raise NotFound(f"there is no deployment {wanted}", hint="`lfr deployment list` shows them")
        if len(named) > 1:
            raise Conflict(f"{len(named)} deployments begin with {wanted}", hint="give more digits")
        return named[0]


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Opened]:
    """The system of a configuration, opened on its database and closed again."""
    config.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    await migrate(config.database_url)
    node = open_node(config.node_key_source, config.keys_path, create=True)
    db = Database(config.database_url)
    try:
        yield Opened(config, db, node, node.vault(), policies.load(config.policy))
    finally:
        await db.dispose()


@contextmanager
def engines(config: Config, pack: Pack) -> Iterator[list[FaceEngine]]:
    """One engine on a GPU; on a CPU one of a single thread for each core, which together do more than one of many."""
    # Imported here: engines are slow to load, and most commands need none.
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, locate  # noqa: PLC0415

    located = locate(pack, default_roots())
    provider = config.inference.provider
    count = (config.inference.workers or min(os.cpu_count() or 1, 16)) if provider == "cpu" else 1
    made: list[FaceEngine] = []
    try:
        for _ in range(count):
            made.append(open_engine(located, provider=provider, threads=1 if provider == "cpu" else 2))  # noqa: PERF401 - each is closed if the next fails
        yield made
    finally:
        for engine in made:
            engine.close()


async def _present(system: Opened, pack: Pack) -> Deployment:
    """The current deployment; a fresh draft where there is none that fits and a run may authorise itself."""
    from lfr.vision.packs import pack_digest  # noqa: PLC0415

    config, policy = system.config, system.policy
    current = await deployments.current(system.db, config.name)
    wanted = (config.mode, pack_digest(pack), policy.digest)
    if current is not None and (current.mode, current.pack_digest, current.policy_digest) == wanted:
        return current
    if not policy.authority.self_signed or config.mode == "operational":
        return await system.deployment("")
    run = await standing.open(
        system.db,
        system.node,
        system=config.name,
        mode=config.mode,
        force=config.force,
        pack=pack.name,
        pack_digest=pack_digest(pack),
        policy=policy,
    )
    return await deployments.get_deployment(system.db, run.deployment_id)


async def import_into(
    config: Config,
    path: Path,
    *,
    deployment: str,
    common: Mapping[str, str],
    dry_run: bool,
    progress: Callable[[int, int], None],
) -> tuple[UUID, ImportReport]:
    """Import into a deployment of a configured system; into a fresh draft where a run may authorise itself."""
    from lfr.actors.runtime import require_permitted  # noqa: PLC0415 - Ray is slow to load
    from lfr.vision.packs import load_pack, pack_digest  # noqa: PLC0415

    pack = load_pack(config.pack)
    require_permitted(config, pack)
    with engines(config, pack) as ready:
        async with opened(config) as system:
            row = await system.deployment(deployment) if deployment else await _present(system, pack)
            if row.pack_digest != pack_digest(pack):
                raise Conflict(
                    f"deployment {row.id} recognises with the pack {row.pack}, as it was when it was planned",
                    hint="use that pack in the configuration, or plan a deployment with this one",
                )
            report = await watchlist.import_list(
                system.db,
                system.vault,
                ready,
                row.id,
                pack,
                path,
                by=local_user(),
                policy=system.policy,
                common=common,
                progress=progress,
                dry_run=dry_run,
            )
            return row.id, report
