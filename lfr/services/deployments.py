"""Deployments: one system's use of one pack in one mode."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from lfr import log
from lfr.domain.errors import NotFound
from lfr.services import audit
from lfr.storage.database import Database
from lfr.storage.models import Deployment

_log = log.get(__name__)


async def ensure_deployment(db: Database, *, name: str, mode: str, pack: str, pack_digest: str) -> Deployment:
    """The deployment of this name, mode and pack; made when it is not there. Any number of callers get the same one.

    Another pack digest is another deployment with a watchlist of its own: templates of two packs cannot be compared.
    Raises StorageError.
    """
    found = await _find(db, name, mode, pack_digest)
    if found is not None:
        return found
    made = Deployment(name=name, mode=mode, pack=pack, pack_digest=pack_digest)
    try:
        async with db.transaction() as session:
            session.add(made)
            audit.record(
                session,
                kind="deployment.opened",
                actor="system",
                subject=str(made.id),
                payload={"mode": mode, "pack": pack, "pack_digest": pack_digest},
            )
            await audit.sequence_within(db, session)
    except IntegrityError:
        # Somebody else made it between our look and our write.
        found = await _find(db, name, mode, pack_digest)
        if found is None:
            raise
        return found
    _log.info("deployment.opened", deployment=str(made.id), mode=mode, pack=pack)
    return made


async def get_deployment(db: Database, deployment_id: UUID) -> Deployment:
    """Raises NotFound."""
    async with db.session() as session:
        found = await session.get(Deployment, deployment_id)
    if found is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    return found


async def _find(db: Database, name: str, mode: str, pack_digest: str) -> Deployment | None:
    async with db.session() as session:
        return (
            await session.exec(
                select(Deployment).where(
                    col(Deployment.name) == name,
                    col(Deployment.mode) == mode,
                    col(Deployment.pack_digest) == pack_digest,
                )
            )
        ).first()
