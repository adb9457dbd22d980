"""Putting pictures on a watchlist, one durable row at a time: an import cut short has lost no row it reported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import numpy as np
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.age_bands import band_of
from lfr.domain.errors import ModelError
from lfr.domain.faces import Templates
from lfr.domain.listing import Listing, Person, Provenance
from lfr.domain.listing_rules import filled
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import RowResult
from lfr.matching.transform import Transform
from lfr.services import audit, enrolment
from lfr.services.deployments import get_deployment
from lfr.services.enrolment import Prepared
from lfr.services.pictures import Refused
from lfr.services.sealing import DETAILS, LABEL, NOMINAL, PICTURE, TEMPLATE, TRANSFORM, list_ring
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault
from lfr.vision.engine.base import FaceEngine

BATCH = 16

UNSTATED = Listing(Person(), Provenance(), frozenset())
"""A row that leaves everything to the policy's defaults."""


class Item(NamedTuple):
    """One picture to take in. read: gives its bytes, or why there are none."""

    label: str
    source: str
    read: Callable[[], bytes | Refused]
    listing: Listing = UNSTATED


class _Ready(NamedTuple):
    at: int
    item: Item
    mac: bytes
    prepared: Prepared


@dataclass
class Intake:
    """One go at a deployment's watchlist. by: who enrols. dry_run: everything but writing."""

    db: Database
    vault: Vault
    engine: FaceEngine
    deployment_id: UUID
    pack: Pack
    by: str
    policy: Policy
    dry_run: bool = False
    _transform: Transform | None = None
    _placed: bool = False
    _known: dict[bytes, UUID] = field(default_factory=dict)
    _seen: dict[bytes, str] = field(default_factory=dict)

    async def take(self, items: Iterable[Item], progress: Callable[[int], None] | None = None) -> list[RowResult]:
        """Enrol what can be enrolled; one result per item, in order. progress: told how many items are done.

        Faces are embedded in batches; each row is one transaction. Raises NotFound for no such deployment,
        StorageError, ModelError; rows that were written by then stay.
        """
        deployment = await get_deployment(self.db, self.deployment_id)
        self._placed = _covers_place(self.policy, deployment.plan)
        await self._load_known()
        results: dict[int, RowResult] = {}
        ready: list[_Ready] = []
        for at, item in enumerate(items):
            outcome = await self._look(at, item)
            if isinstance(outcome, RowResult):
                results[at] = outcome
            else:
                ready.append(outcome)
            if len(ready) == BATCH:
                results |= await self._enrol(ready)
                ready.clear()
            if progress is not None:
                progress(len(results))
        if ready:
            results |= await self._enrol(ready)
            if progress is not None:
                progress(len(results))
        return [results[at] for at in sorted(results)]

    async def _load_known(self) -> None:
        async with self.db.session() as session:
            rows = await session.exec(
                select(WatchlistImage.picture_mac, WatchlistImage.entry_id).where(
                    col(WatchlistImage.deployment_id) == self.deployment_id,
                    col(WatchlistImage.picture_mac).is_not(None),
                )
            )
            self._known = {mac: entry_id for mac, entry_id in rows.all() if mac is not None}

    async def _look(self, at: int, item: Item) -> RowResult | _Ready:
        data = await asyncio.to_thread(item.read)
        if isinstance(data, Refused):
            return _refused(item, data)
        mac = await self.vault.digest(data, deployment_id=self.deployment_id, purpose=PICTURE)
        if mac in self._seen:
            return _refused(item, Refused("duplicate", f"the same picture as {self._seen[mac]}"))
        if mac in self._known:
            return _refused(item, _enrolled_already(self._known[mac]), self._known[mac])
        prepared = await asyncio.to_thread(enrolment.prepare, self.engine, self.pack, data)
        if isinstance(prepared, Refused):
            return _refused(item, prepared)
        self._seen[mac] = item.source
        return _Ready(at, item, mac, prepared)

    async def _enrol(self, ready: list[_Ready]) -> dict[int, RowResult]:
        plain = await asyncio.to_thread(enrolment.embed, self.engine, [one.prepared for one in ready])
        try:
            if not np.isfinite(plain).all():
                raise ModelError("the recogniser gave a template that is not finite", hint="run `lfr models verify`")
            turn = await self._turn(plain.shape[1])
            templates = turn(plain)
            return {one.at: await self._store(one, templates[i]) for i, one in enumerate(ready)}
        finally:
            if plain.flags.writeable:
                plain.fill(0)

    async def _turn(self, dim: int) -> Transform:
        """The deployment's own rotation (B12)."""
        if self._transform is None:
            self._transform = Transform(await self.vault.own_key(self.deployment_id, TRANSFORM), dim)
        return self._transform

    async def _store(self, one: _Ready, template: Templates) -> RowResult:
        item, prepared = one.item, one.prepared
        if self.dry_run:
            return RowResult(item.label, item.source, enrolled=True, detail="not written: dry run")
        image_id = uuid4()
        label_mac = await self.vault.digest(item.label.encode(), deployment_id=self.deployment_id, purpose=LABEL)
        # Looked up before the transaction, since its key must be durable before anything is sealed with it.
        entry_id = await self._living(label_mac) or uuid4()
        await self.vault.make(list_ring(self.deployment_id), [entry_id])
        plain = bytearray(template.astype("<f4").tobytes())
        template_sealed = self.vault.seal(bytes(plain), owner=entry_id, purpose=TEMPLATE, object_id=image_id)
        plain[:] = bytes(len(plain))
        picture_sealed = self.vault.seal(prepared.jpeg, owner=entry_id, purpose=PICTURE, object_id=image_id)
        objects = [
            StoredObject(deployment_id=self.deployment_id, owner_id=entry_id, kind=kind)
            for kind in ("list-picture", "list-template", "list-details")
        ]
        async with self.db.transaction() as session:
            # Nobody else adds a row until this one is committed: neither a picture nor a label can be there twice.
            await self.db.lock_log(session)
            twin = await self._twin(session, one.mac)
            if twin is not None:
                return _refused(item, _enrolled_already(twin), twin)
            await self._entry(session, item, label_mac, entry_id)
            picture = filled(item.listing, self.policy).picture
            session.add(
                WatchlistImage(
                    id=image_id,
                    deployment_id=self.deployment_id,
                    entry_id=entry_id,
                    template_sealed=template_sealed,
                    dim=len(template),
                    picture_sealed=picture_sealed,
                    picture_mac=one.mac,
                    face_px=prepared.face_px,
                    sharpness=prepared.sharpness,
                    score=prepared.score,
                    source=picture.source,
                    lawful_hold=picture.lawful_hold,
                    taken_on=picture.taken_on,
                    hold_review_on=picture.hold_review_on,
                    unconvicted=bool(picture.unconvicted),
                )
            )
            session.add_all(objects)
            payload = {
                "deployment": str(self.deployment_id),
                "entry": str(entry_id),
                "objects": [str(one.id) for one in objects],
                "face_px": round(prepared.face_px, 1),
                "sharpness": round(prepared.sharpness, 1),
            }
            audit.record(session, kind="watchlist.image-added", actor=self.by, subject=str(image_id), payload=payload)
            await audit.sequence_within(self.db, session)
        return RowResult(item.label, item.source, enrolled=True, entry_id=entry_id, image_id=image_id)

    async def _twin(self, session: AsyncSession, mac: bytes) -> UUID | None:
        found = await session.exec(
            select(WatchlistImage.entry_id).where(
                col(WatchlistImage.deployment_id) == self.deployment_id, col(WatchlistImage.picture_mac) == mac
            )
        )
        return found.first()

    async def _living(self, label_mac: bytes) -> UUID | None:
        """The living entry of this label, if there is one."""
        async with self.db.session() as session:
            found = await session.exec(
                select(WatchlistEntry.id).where(
                    col(WatchlistEntry.deployment_id) == self.deployment_id,
                    col(WatchlistEntry.label_mac) == label_mac,
                    col(WatchlistEntry.revoked_at).is_(None),
                )
            )
            return found.first()

    async def _entry(self, session: AsyncSession, item: Item, label_mac: bytes, entry_id: UUID) -> WatchlistEntry:
        """The entry; made unless it is there. A new picture makes a confirmation by a second person void (B7)."""
        there = await session.get(WatchlistEntry, entry_id)
        if there is not None:
            there.checked_at = there.checked_by = there.special_decision = there.special_approval = None
            return there
        person = filled(item.listing, self.policy).person
        details = person.details
        at = now()
        made = WatchlistEntry(
            id=entry_id,
            deployment_id=self.deployment_id,
            label_sealed=self.vault.seal(item.label.encode(), owner=entry_id, purpose=LABEL, object_id=entry_id),
            label_mac=label_mac,
            nominal_mac=await self._nominal_mac(details.nominal_ref),
            details_sealed=self.vault.seal(
                msgspec.json.encode(details), owner=entry_id, purpose=DETAILS, object_id=entry_id
            ),
            category=person.category,
            action=person.action,
            legal_basis=person.legal_basis,
            offence=person.offence,
            max_sentence_years=person.max_sentence_years,
            age_band=band_of(details.date_of_birth, at.date(), self.policy.ages),
            vulnerable=person.vulnerable,
            placed=self._placed or bool(details.presence),
            approver=person.approver,
            review_on=person.review_on,
            expires_on=person.expires_on,
            added_at=at,
            added_by=self.by,
            status_at=at,
        )
        session.add(made)
        payload = {"deployment": str(self.deployment_id)}
        audit.record(session, kind="watchlist.entry-added", actor=self.by, subject=str(entry_id), payload=payload)
        return made

    async def _nominal_mac(self, reference: str) -> bytes | None:
        if not reference:
            return None
        return await self.vault.digest(reference.encode(), deployment_id=self.deployment_id, purpose=NOMINAL)


def _covers_place(policy: Policy, plan: dict[str, Any]) -> bool:
    """Whether the planned use case says itself where the people are expected (A5)."""
    return any(one.code == plan.get("use_case") and one.covers_place for one in policy.use_cases)


def _enrolled_already(entry_id: UUID) -> Refused:
    return Refused("duplicate", f"the same picture is enrolled already, entry {entry_id}")


def _refused(item: Item, refused: Refused, entry_id: UUID | None = None) -> RowResult:
    return RowResult(item.label, item.source, False, refused.reason, refused.detail, entry_id)
