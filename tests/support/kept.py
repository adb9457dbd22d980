"""What a deployment keeps, made for tests: entries and alerts with real sealed bytes, and what of it still opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from lfr.cli.made_list import Made, alert, fill
from lfr.domain.errors import VaultError
from lfr.services.sealing import DETAILS, LABEL, PICTURE, TEMPLATE
from lfr.storage.database import Database
from lfr.storage.models import Alert, AlertPicture, AuditEntry, Deployment, StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Ring, Vault
from tests.support.stores import Store

_numbers = count()


@dataclass
class Kept:
    """The entries and alerts of one deployment."""

    entries: list[Made]
    alerts: list[UUID] = field(default_factory=list)


async def keep(store: Store, entries: int = 3, alerts: int = 2) -> Kept:
    """Some entries, and alerts about them in turn."""
    made = await fill(store.db, store.vault, store.deployment_id, entries, picture_bytes=300)
    raised = [
        await alert(store.db, store.vault, store.deployment_id, made[n % entries].entry_id, next(_numbers))
        for n in range(alerts)
    ]
    return Kept(made, raised)


async def opening(db: Database, vault: Vault) -> dict[str, set[UUID]]:
    """What can be opened of everything sealed in a database: kind -> ids. Tries every ring for every owner."""
    async with db.session() as session:
        deployments = (await session.exec(select(Deployment.id))).all()
        entries = (await session.exec(select(WatchlistEntry))).all()
        images = (await session.exec(select(WatchlistImage))).all()
        pictures = (await session.exec(select(AlertPicture))).all()
    for deployment_id in deployments:
        for name in ("list", "alerts", "held", "deployment"):
            await vault.load(Ring(deployment_id, name))
    sealed = [("label", e.label_sealed, e.id, LABEL, e.id) for e in entries]
    sealed += [("details", e.details_sealed, e.id, DETAILS, e.id) for e in entries]
    sealed += [("template", i.template_sealed, i.entry_id, TEMPLATE, i.id) for i in images]
    sealed += [("picture", i.picture_sealed, i.entry_id, PICTURE, i.id) for i in images]
    sealed += [(p.kind, p.sealed, p.alert_id, f"alert {p.kind}", p.alert_id) for p in pictures]
    found: dict[str, set[UUID]] = {
        kind: set() for kind in ("label", "details", "template", "picture", "probe", "scene")
    }
    for kind, data, owner, purpose, object_id in sealed:
        try:
            vault.open(data or b"", owner=owner, purpose=purpose, object_id=object_id)
        except VaultError:
            continue
        found[kind].add(owner)
    return found


async def rows(db: Database, table: type) -> list:
    """All rows of a table."""
    async with db.session() as session:
        return list((await session.exec(select(table))).all())


async def set_deployment(store: Store, **values: object) -> None:
    """Change the deployment's row past the rules of its life."""
    async with store.db.transaction() as session:
        await session.exec(update(Deployment).where(col(Deployment.id) == store.deployment_id).values(**values))


async def raised_at(store: Store, alert_id: UUID) -> datetime:
    """When it was raised."""
    async with store.db.session() as session:
        return (await session.get(Alert, alert_id)).raised_at


async def receipts(db: Database) -> list[tuple[str, set[UUID]]]:
    """Every receipt: reason, and the objects it names."""
    found = [entry for entry in await rows(db, AuditEntry) if entry.kind == "objects.deleted"]
    return [(entry.payload["reason"], {UUID(one) for one in entry.payload["objects"]}) for entry in found]


async def objects_of(db: Database, *owners: UUID) -> set[UUID]:
    """The objects of these entries or alerts."""
    return {one.id for one in await rows(db, StoredObject) if one.owner_id in owners}


HOUR = timedelta(hours=1)
