"""People on a list with real sealed bytes and real keys, logged as enrolment logs them; the bytes are made up."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

from sqlmodel import select

from lfr.services import audit, objects
from lfr.services.sealing import LABEL, PICTURE, TEMPLATE, list_ring
from lfr.storage.database import Database
from lfr.storage.models import WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault
from tests.support.kept import opening


async def enrol(db: Database, vault: Vault, deployment_id: UUID, count: int) -> list[UUID]:
    """So many volunteers; their entries' ids."""
    made = [uuid4() for _ in range(count)]
    await vault.make(list_ring(deployment_id), made)
    async with db.transaction() as session:
        kept = []
        for owner in made:
            session.add_all(_rows(vault, deployment_id, owner))
            kept += objects.created(session, deployment_id, owner, ("list-picture", "list-template"))
        payload = {"deployment": str(deployment_id), "entries": [str(one) for one in made], "images": []}
        audit.record(
            session,
            kind="watchlist.enrolled",
            actor="wim",
            subject=str(deployment_id),
            payload=payload | {"objects": objects.ids(kept)},
        )
        await audit.sequence_within(db, session)
    return made


def _rows(vault: Vault, deployment_id: UUID, owner: UUID) -> tuple[WatchlistEntry, WatchlistImage]:
    seal = partial(vault.seal, owner=owner)
    entry = WatchlistEntry(
        id=owner, deployment_id=deployment_id, category="volunteer", action="greet", added_by="wim",
        placed=True, label_mac=owner.bytes, label_sealed=seal(b"label", purpose=LABEL, object_id=owner),
    )  # fmt: skip
    image = WatchlistImage(
        deployment_id=deployment_id, entry_id=owner, source="volunteer", lawful_hold="consent",
        picture_mac=owner.bytes, dim=4, face_px=90, sharpness=50, score=0.9,
        template_sealed=None, picture_sealed=None,
    )  # fmt: skip
    image.template_sealed = seal(b"template", purpose=TEMPLATE, object_id=image.id)
    image.picture_sealed = seal(b"picture", purpose=PICTURE, object_id=image.id)
    return entry, image


async def still_opening(url: str, vault: Vault, deployments: list[UUID]) -> set[UUID]:
    """Entries of these deployments of which a database still opens anything with the present keys."""
    db = Database(url)
    try:
        found = await opening(db, vault)
        async with db.session() as session:
            rows = (await session.exec(select(WatchlistEntry))).all()
        opened: set[UUID] = set().union(*found.values())
        return {row.id for row in rows if row.id in opened and row.deployment_id in deployments}
    finally:
        await db.dispose()
