"""The standing deployment of a system that runs in demo or research mode."""

from __future__ import annotations

from lfr.config import Config
from lfr.domain.packs import Pack
from lfr.domain.plan import Plan
from lfr.services import deployments, policies
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.vision.packs import pack_digest


async def standing_deployment(db: Database, config: Config, pack: Pack) -> Deployment:
    """The newest deployment of this system and pack that is not closed; made when there is none."""
    digest = pack_digest(pack)
    for found in await deployments.list_deployments(db, config.name):
        if found.pack_digest == digest and found.mode == config.mode and found.state != "closed":
            return found
    return await deployments.make(
        db,
        system=config.name,
        mode=config.mode,
        pack=pack.name,
        pack_digest=digest,
        policy=policies.load(config.policy),
        plan=Plan(title=config.name, force=config.force, use_case="demonstration"),
        by="system",
    )
