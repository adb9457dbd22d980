"""A made watchlist of any size, sealed and logged as a real one is, without a face in it: to measure its closing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np

from lfr.domain.alerts import RaisedAlert
from lfr.services import alerts, audit, objects
from lfr.services.sealing import DETAILS, LABEL, PICTURE, TEMPLATE, list_ring
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault

BATCH = 500
DIM = 512
_KINDS = ("list-picture", "list-template", "list-details")


@dataclass(frozen=True, slots=True)
class Made:
    """One made entry and its image."""

    entry_id: UUID
    image_id: UUID


async def fill(
    db: Database, vault: Vault, deployment_id: UUID, entries: int, *, picture_bytes: int = 8000
) -> list[Made]:
    """So many entries with one image each: random bytes in the place of picture and template, three objects each."""
    made = [Made(uuid4(), uuid4()) for _ in range(entries)]
    for ordinal, some in enumerate(objects.chunks(made, BATCH)):
        await vault.make(list_ring(deployment_id), [one.entry_id for one in some])
        kept: list[StoredObject] = []
        async with db.transaction() as session:
            for number, one in enumerate(some):
                session.add_all(_rows(vault, deployment_id, one, ordinal * BATCH + number + 1, picture_bytes))
                kept += objects.created(session, deployment_id, one.entry_id, _KINDS)
            payload = {
                "deployment": str(deployment_id),
                "entries": [str(one.entry_id) for one in some],
                "images": [str(one.image_id) for one in some],
                "objects": objects.ids(kept),
            }
            audit.record(
                session, kind="watchlist.enrolled", actor="system", subject=str(deployment_id), payload=payload
            )
            await audit.sequence_within(db, session)
    return made


def _rows(
    vault: Vault, deployment_id: UUID, one: Made, ordinal: int, picture_bytes: int
) -> tuple[WatchlistEntry, WatchlistImage]:
    owner = one.entry_id
    template = np.random.default_rng(ordinal).standard_normal(DIM).astype("<f4").tobytes()
    picture = secrets.token_bytes(picture_bytes)
    entry = WatchlistEntry(
        id=owner,
        deployment_id=deployment_id,
        label_sealed=vault.seal(b"label %d" % ordinal, owner=owner, purpose=LABEL, object_id=owner),
        label_mac=secrets.token_bytes(32),
        nominal_mac=secrets.token_bytes(32),
        details_sealed=vault.seal(b"details %d" % ordinal, owner=owner, purpose=DETAILS, object_id=owner),
        category="volunteer",
        action="greet",
        added_by="system",
    )
    image = WatchlistImage(
        id=one.image_id,
        deployment_id=deployment_id,
        entry_id=owner,
        template_sealed=vault.seal(template, owner=owner, purpose=TEMPLATE, object_id=one.image_id),
        dim=DIM,
        picture_sealed=vault.seal(picture, owner=owner, purpose=PICTURE, object_id=one.image_id),
        picture_mac=secrets.token_bytes(32),
        face_px=90.0,
        sharpness=50.0,
        score=0.9,
    )
    return entry, image


async def alert(db: Database, vault: Vault, deployment_id: UUID, entry_id: UUID, number: int) -> UUID:
    """One alert about an entry, with pictures of random bytes."""
    at = now().timestamp()
    raised = RaisedAlert(
        deployment_id=deployment_id,
        camera="north",
        run="made",
        transit=number + 1,
        entry_id=entry_id,
        score=0.6,
        threshold=0.4,
        gap=0.2,
        shots=2,
        frame=number,
        media_s=1000.0 * number,
        frame_at=at,
        first_shot_at=at,
        box=(0, 0, 90, 120),
        probe_jpeg=secrets.token_bytes(8000),
        scene_jpeg=secrets.token_bytes(40000),
    )
    receipt = await alerts.raise_alert(db, vault, raised, cooldown_s=1.0, keep=timedelta(hours=24))
    return receipt.alert_id
