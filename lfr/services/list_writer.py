"""Writing enrolled rows: several in one transaction, each of them whole or not there at all, and durable when told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import numpy as np
from sqlalchemy import func, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lfr.domain.age_bands import band_of
from lfr.domain.errors import StorageError
from lfr.domain.faces import Templates
from lfr.domain.ledger import Membership, normalised
from lfr.domain.listing_batch import Judged
from lfr.domain.policy import Policy
from lfr.domain.watchlist import Fault, RowResult
from lfr.services import audit, ledger
from lfr.services.enrolment import Prepared
from lfr.services.sealing import DETAILS, LABEL, NOMINAL, PICTURE, TEMPLATE, list_ring
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault

_ATTEMPTS = 5
_Values = dict[str, Any]
"""One row, column by column."""


class Ready(NamedTuple):
    """A row that passed every rule. mac: of the picture's file. template: float32 (dim,), turned (B12)."""

    at: int
    label: str
    source: str
    judged: Judged
    mac: bytes
    prepared: Prepared
    template: Templates


class _Sealed(NamedTuple):
    """A row with its ciphertexts."""

    row: Ready
    entry_id: UUID
    image_id: UUID
    label_mac: bytes
    nominal_mac: bytes | None
    template: bytes
    picture: bytes


class _Raced(Exception):
    """Somebody else has listed one of these labels meanwhile, under another id."""


@dataclass
class ListWriter:
    """Writes to one deployment's list. placed: the use case itself says where people are (A5)."""

    db: Database
    vault: Vault
    deployment_id: UUID
    policy: Policy
    by: str
    placed: bool
    _entry_of: dict[bytes, UUID] = field(default_factory=dict)

    async def write(self, rows: Sequence[Ready]) -> dict[int, RowResult]:
        """One transaction for all. Templates are overwritten once they are sealed. Raises StorageError, VaultError."""
        try:
            for _ in range(_ATTEMPTS):
                sealed = await self._seal(rows)
                try:
                    return await self._store(sealed)
                except _Raced:
                    continue
            raise StorageError("others keep changing the same entries", hint="import again when they are done")
        finally:
            for row in rows:
                row.template.fill(0)

    async def _seal(self, rows: Sequence[Ready]) -> list[_Sealed]:
        macs = [await self.label_mac(row.label) for row in rows]
        unknown = [mac for mac in dict.fromkeys(macs) if mac not in self._entry_of]
        if unknown:
            async with self.db.session() as session:
                self._entry_of |= await self._living(session, unknown)
        for mac in unknown:
            self._entry_of.setdefault(mac, uuid4())
        # Keys are durable before anything sealed with them is stored.
        await self.vault.make(list_ring(self.deployment_id), list({self._entry_of[mac] for mac in macs}))
        nominals = [await self._nominal_mac(row) for row in rows]
        return await asyncio.to_thread(self._sealed, rows, macs, nominals)

    def _sealed(self, rows: Sequence[Ready], macs: list[bytes], nominals: list[bytes | None]) -> list[_Sealed]:
        made = []
        for row, mac, nominal in zip(rows, macs, nominals, strict=True):
            entry_id, image_id = self._entry_of[mac], uuid4()
            plain = bytearray(np.ascontiguousarray(row.template, "<f4").tobytes())
            template = self.vault.seal(bytes(plain), owner=entry_id, purpose=TEMPLATE, object_id=image_id)
            plain[:] = bytes(len(plain))
            picture = self.vault.seal(row.prepared.jpeg, owner=entry_id, purpose=PICTURE, object_id=image_id)
            made.append(_Sealed(row, entry_id, image_id, mac, nominal, template, picture))
        return made

    async def _store(self, rows: Sequence[_Sealed]) -> dict[int, RowResult]:
        results: dict[int, RowResult] = {}
        async with self.db.transaction() as session:
            # Nobody else adds a row until this is committed: neither a picture nor a label can be there twice.
            await self.db.lock_log(session)
            there = await self._living(session, [row.label_mac for row in rows])
            if any(there.get(row.label_mac, row.entry_id) != row.entry_id for row in rows):
                self._entry_of |= there
                raise _Raced
            batch = await self._begin(session, rows)
            for row in rows:
                results[row.row.at] = self._add(batch, row)
            if batch.images:
                await self._insert(session, batch)
                await ledger.record(session, self.deployment_id, batch.people, policy=self.policy, at=batch.at)
                await audit.sequence_within(self.db, session)
        return results

    async def _insert(self, session: AsyncSession, batch: _Batch) -> None:
        # As plain rows: making five objects for each row would cost more than all the rest of a row's writing.
        tables = (
            (WatchlistEntry, list(batch.new.values())),
            (WatchlistImage, batch.images),
            (StoredObject, batch.objects),
        )
        for table, rows in tables:
            if rows:
                await session.exec(insert(table), params=rows)
        payload = {
            "deployment": str(self.deployment_id),
            "entries": [str(entry_id) for entry_id in batch.new],
            "images": [str(image["id"]) for image in batch.images],
            "objects": [str(one["id"]) for one in batch.objects],
        }
        subject = str(self.deployment_id)
        audit.record(session, kind="watchlist.enrolled", actor=self.by, subject=subject, payload=payload)

    async def _begin(self, session: AsyncSession, rows: Sequence[_Sealed]) -> _Batch:
        entries = await session.exec(
            select(WatchlistEntry).where(col(WatchlistEntry.id).in_({row.entry_id for row in rows}))
        )
        twins = await session.exec(
            select(WatchlistImage.picture_mac, WatchlistImage.entry_id).where(
                col(WatchlistImage.deployment_id) == self.deployment_id,
                col(WatchlistImage.picture_mac).in_([row.row.mac for row in rows]),
            )
        )
        nominals = await session.exec(
            select(WatchlistEntry.nominal_mac, WatchlistEntry.id).where(
                col(WatchlistEntry.deployment_id) == self.deployment_id,
                col(WatchlistEntry.revoked_at).is_(None),
                col(WatchlistEntry.nominal_mac).in_({row.nominal_mac for row in rows if row.nominal_mac}),
            )
        )
        listed = await session.exec(
            select(func.count(col(WatchlistEntry.id))).where(
                col(WatchlistEntry.deployment_id) == self.deployment_id, col(WatchlistEntry.revoked_at).is_(None)
            )
        )
        return _Batch(
            {entry.id: entry for entry in entries.all()},
            {mac: entry_id for mac, entry_id in twins.all() if mac is not None},
            {mac: entry_id for mac, entry_id in nominals.all() if mac is not None},
            self.policy.watchlist.cap - listed.one(),
        )

    def _add(self, batch: _Batch, sealed: _Sealed) -> RowResult:
        row = sealed.row
        twin = batch.twins.get(row.mac)
        if twin is not None:
            return already(row.label, row.source, twin, same=twin == sealed.entry_id)
        fault = self._entry_fault(batch, sealed)
        if fault is not None:
            return RowResult(row.label, row.source, False, fault.reason, fault.detail, faults=(fault,))
        entry = batch.there.get(sealed.entry_id)
        kinds = ["list-picture", "list-template"]
        if entry is None and sealed.entry_id not in batch.new:
            batch.new[sealed.entry_id] = self._entry(sealed, batch.at)
            batch.room -= 1
            kinds.append("list-details")
            if sealed.nominal_mac:
                batch.nominals[sealed.nominal_mac] = sealed.entry_id
                batch.people.append(_membership(sealed, batch.at))
        elif entry is not None:
            # Whoever confirmed or signed for the entry has not seen this picture (B7, B8).
            entry.checked_at = entry.checked_by = entry.special_decision = entry.special_approval = entry.alike = None
        batch.twins[row.mac] = sealed.entry_id
        # A microsecond apart, so that the pictures of one transaction keep their order.
        batch.images.append(self._image(sealed, batch.at + timedelta(microseconds=len(batch.images))))
        batch.objects += [
            {
                "id": uuid4(),
                "deployment_id": self.deployment_id,
                "owner_id": sealed.entry_id,
                "kind": kind,
                "made_at": batch.at,
            }
            for kind in kinds
        ]
        return RowResult(
            row.label,
            row.source,
            enrolled=True,
            entry_id=sealed.entry_id,
            image_id=sealed.image_id,
            warnings=row.judged.warnings,
        )

    def _entry_fault(self, batch: _Batch, sealed: _Sealed) -> Fault | None:
        """Why an entry may not take this row."""
        if sealed.nominal_mac and batch.nominals.get(sealed.nominal_mac, sealed.entry_id) != sealed.entry_id:
            return Fault("conflicting", "this nominal reference is listed already, under another label", "B7")
        entry = batch.there.get(sealed.entry_id)
        if entry is None:
            if sealed.entry_id not in batch.new and batch.room < 1:
                return Fault("list full", f"the list holds at most {self.policy.watchlist.cap} entries", "B10")
            return None
        if entry.leaf is not None:
            return Fault("conflicting", "the entry is approved as it is: take it off and list it anew", "B4")
        person = sealed.row.judged.listing.person
        if (entry.category, entry.action) != (person.category, person.action):
            return Fault("conflicting", "the entry is listed under another category or action", "B2")
        if sealed.nominal_mac and entry.nominal_mac != sealed.nominal_mac:
            return Fault("conflicting", "the entry is listed under another nominal reference", "B7")
        return None

    def _entry(self, sealed: _Sealed, at: datetime) -> _Values:
        person = sealed.row.judged.listing.person
        details, entry_id = person.details, sealed.entry_id
        label, about = sealed.row.label.encode(), msgspec.json.encode(details)
        return {
            "id": entry_id,
            "deployment_id": self.deployment_id,
            "label_sealed": self.vault.seal(label, owner=entry_id, purpose=LABEL, object_id=entry_id),
            "label_mac": sealed.label_mac,
            "nominal_mac": sealed.nominal_mac,
            "details_sealed": self.vault.seal(about, owner=entry_id, purpose=DETAILS, object_id=entry_id),
            "category": person.category,
            "action": person.action,
            "legal_basis": person.legal_basis,
            "offence": person.offence,
            "max_sentence_years": person.max_sentence_years,
            "age_band": band_of(details.date_of_birth, at.date(), self.policy.ages),
            "vulnerable": person.vulnerable,
            "placed": self.placed or bool(details.presence),
            "approver": person.approver,
            "review_on": person.review_on,
            "expires_on": person.expires_on,
            "added_at": at,
            "added_by": self.by,
            "status_at": at,
        }

    def _image(self, sealed: _Sealed, at: datetime) -> _Values:
        prepared, picture = sealed.row.prepared, sealed.row.judged.listing.picture
        return {
            "id": sealed.image_id,
            "deployment_id": self.deployment_id,
            "entry_id": sealed.entry_id,
            "picture_mac": sealed.row.mac,
            "dim": len(sealed.row.template),
            "face_px": prepared.face_px,
            "sharpness": prepared.sharpness,
            "score": prepared.score,
            "source": picture.source,
            "lawful_hold": picture.lawful_hold,
            "taken_on": picture.taken_on,
            "hold_review_on": picture.hold_review_on,
            "unconvicted": bool(picture.unconvicted),
            "added_at": at,
            "template_sealed": sealed.template,
            "picture_sealed": sealed.picture,
        }

    async def label_mac(self, label: str) -> bytes:
        """The keyed digest that finds an entry by its label."""
        return await self.vault.digest(label.encode(), deployment_id=self.deployment_id, purpose=LABEL)

    async def _nominal_mac(self, row: Ready) -> bytes | None:
        return await nominal_mac(self.vault, self.deployment_id, row.judged.listing.person.details.nominal_ref)

    async def _living(self, session: AsyncSession, macs: Sequence[bytes]) -> dict[bytes, UUID]:
        """Label -> the living entry that bears it."""
        found = await session.exec(
            select(WatchlistEntry.label_mac, WatchlistEntry.id).where(
                col(WatchlistEntry.deployment_id) == self.deployment_id,
                col(WatchlistEntry.label_mac).in_(set(macs)),
                col(WatchlistEntry.revoked_at).is_(None),
            )
        )
        return {mac: entry_id for mac, entry_id in found.all() if mac is not None}


def _membership(sealed: _Sealed, at: datetime) -> Membership:
    """What the rights ledger remembers of an entry (B13)."""
    person = sealed.row.judged.listing.person
    details = person.details
    return Membership(sealed.entry_id, details.nominal_ref, person.category, details.reason, person.legal_basis, at)


@dataclass
class _Batch:
    """What a transaction has found, and what it adds. room: how many more entries the list may hold (B10).

    people: those of the new ones whom the rights ledger can find again, by their nominal reference (B13).
    """

    there: dict[UUID, WatchlistEntry]
    twins: dict[bytes, UUID]
    nominals: dict[bytes, UUID]
    room: int
    at: datetime = field(default_factory=now)
    new: dict[UUID, _Values] = field(default_factory=dict)
    people: list[Membership] = field(default_factory=list)
    images: list[_Values] = field(default_factory=list)
    objects: list[_Values] = field(default_factory=list)


async def nominal_mac(vault: Vault, deployment_id: UUID, reference: str) -> bytes | None:
    """The keyed digest that finds an entry by the force's nominal reference; None for an empty one.

    Raises Conflict for what is no reference.
    """
    if not reference.strip():
        return None
    return await vault.digest(normalised(reference).encode(), deployment_id=deployment_id, purpose=NOMINAL)


def already(label: str, source: str, entry_id: UUID, *, same: bool) -> RowResult:
    """The answer to a picture that is on the list: enrolled already, or a duplicate when it shows somebody else."""
    if same:
        return RowResult(label, source, False, None, "enrolled already", entry_id, already=True)
    fault = Fault("duplicate", f"the same picture is enrolled already, entry {entry_id}", "B7")
    return RowResult(label, source, False, fault.reason, fault.detail, entry_id, faults=(fault,))
