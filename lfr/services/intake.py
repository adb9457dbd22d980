"""Taking pictures in: read, checked, embedded and written side by side, so that no stage waits for another.

One task reads files in order, one thread per engine decodes, finds and embeds faces, one task seals and commits. What
is committed is told as enrolled and nothing else is: an import that was cut short is run again and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlmodel import col, select

from lfr.domain.errors import Conflict, ModelError
from lfr.domain.faces import Templates
from lfr.domain.listing_batch import Judged, judge
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import Fault, RowResult
from lfr.matching.transform import Transform
from lfr.services import enrolment, ledger
from lfr.services.deployments import get_deployment
from lfr.services.enrolment import Prepared
from lfr.services.list_writer import ListWriter, Ready, already
from lfr.services.pictures import Refused
from lfr.services.sealing import PICTURE, TRANSFORM
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Vault
from lfr.vision.engine.base import FaceEngine

BATCH = 16
"""Pictures that one thread looks at in one go."""
BATCH_BYTES = 32 << 20
COMMIT = 64
"""Rows that are written in one transaction."""


class Item(NamedTuple):
    """One picture to take in. read: gives its bytes, or why there are none.

    fields: column -> cell (lfr.domain.listing). broken: why the row itself cannot be used, whatever its fields say.
    """

    label: str
    source: str
    read: Callable[[], bytes | Refused]
    fields: Mapping[str, str] = {}
    broken: Refused | None = None


class _Looked(NamedTuple):
    """A picture read, whose row is in order."""

    at: int
    item: Item
    judged: Judged
    mac: bytes
    data: bytes


@dataclass
class Intake:
    """One go at a deployment's list. engines: each is used by one thread at a time. by: who enrols.

    dry_run: every check, no template, nothing written.
    """

    db: Database
    vault: Vault
    engines: Sequence[FaceEngine]
    deployment_id: UUID
    pack: Pack
    by: str
    policy: Policy
    dry_run: bool = False
    _known: dict[bytes, tuple[UUID, bytes | None]] = field(default_factory=dict)
    _results: dict[int, RowResult] = field(default_factory=dict)
    _progress: Callable[[int], None] = lambda _: None

    async def take(self, items: Iterable[Item], progress: Callable[[int], None] | None = None) -> list[RowResult]:
        """Enrol what can be enrolled; one result per item, in order. progress: told how many items are done.

        Raises WatchlistError, before any picture is opened, when a row is outside the policy's closed lists; NotFound
        and Conflict for a deployment that is not there, or over; StorageError, ModelError: rows written by then stay.
        """
        given = list(items)
        deployment = await get_deployment(self.db, self.deployment_id)
        if deployment.state in {"ended", "closed"}:
            raise Conflict("this deployment is over", hint="plan another one with `lfr deployment new`")
        if deployment.mode == "operational" and "nominal_ref" in self.policy.watchlist.required:
            await self._require_ledger()
        placed = covers_place(self.policy, deployment)
        rows = [(item.label, item.fields) for item in given]
        judged = await asyncio.to_thread(judge, rows, self.policy, now().date(), placed=placed)
        self._progress = progress or (lambda _: None)
        await self._load_known()
        writer = ListWriter(self.db, self.vault, self.deployment_id, self.policy, self.by, placed)
        await self._flow(given, judged, writer)
        return [self._results[at] for at in range(len(given))]

    async def _require_ledger(self) -> None:
        """Nobody is listed who could not be found again when they ask for their rights (B13)."""
        if not self.dry_run and not await ledger.ready(self.db):
            raise Conflict(
                "the rights ledger has no key, so nobody who is listed would be remembered in it",
                hint="the data protection officer makes one: `lfr ledger init`",
            )

    async def _flow(self, items: Sequence[Item], judged: Sequence[Judged], writer: ListWriter) -> None:
        turn = None
        if not self.dry_run:
            # The deployment's own rotation (B12).
            seed = await self.vault.own_key(self.deployment_id, TRANSFORM)
            turn = await asyncio.to_thread(Transform, seed, self.engines[0].contract.dim)
        looked: asyncio.Queue[list[_Looked] | None] = asyncio.Queue(len(self.engines) + 1)
        seen: asyncio.Queue[list[Ready] | None] = asyncio.Queue(2 * len(self.engines))
        stages = [
            asyncio.create_task(self._read(items, judged, writer, looked)),
            *(asyncio.create_task(self._see(engine, turn, looked, seen)) for engine in self.engines),
            asyncio.create_task(self._write(writer, seen)),
        ]
        try:
            await asyncio.gather(*stages)
        finally:
            for stage in stages:
                stage.cancel()
            await asyncio.gather(*stages, return_exceptions=True)
            while not seen.empty():
                _wipe(seen.get_nowait() or ())

    async def _load_known(self) -> None:
        query = (
            select(WatchlistImage.picture_mac, WatchlistImage.entry_id, WatchlistEntry.label_mac)
            .join(WatchlistEntry, col(WatchlistEntry.id) == col(WatchlistImage.entry_id))
            .where(
                col(WatchlistImage.deployment_id) == self.deployment_id, col(WatchlistImage.picture_mac).is_not(None)
            )
        )
        async with self.db.session() as session:
            rows = (await session.exec(query)).all()
        self._known = {mac: (entry_id, label) for mac, entry_id, label in rows if mac is not None}

    async def _read(
        self,
        items: Sequence[Item],
        judged: Sequence[Judged],
        writer: ListWriter,
        looked: asyncio.Queue[list[_Looked] | None],
    ) -> None:
        """The first stage: rows that are in order and pictures that are new, read in the order given."""
        first: dict[bytes, str] = {}
        batch: list[_Looked] = []
        for at, (item, said) in enumerate(zip(items, judged, strict=True)):
            if item.broken is not None or said.faults:
                self._told(at, refused(item, said.faults if item.broken is None else (Fault(*item.broken),)))
                continue
            data = await asyncio.to_thread(item.read)
            if isinstance(data, Refused):
                self._told(at, refused(item, (Fault(*data),)))
                continue
            mac = await self.vault.digest(data, deployment_id=self.deployment_id, purpose=PICTURE)
            if mac in self._known:
                entry_id, label = self._known[mac]
                same = label == await writer.label_mac(item.label)
                self._told(at, already(item.label, item.source, entry_id, same=same))
            elif mac in first:
                self._told(at, refused(item, (Fault("duplicate", f"the same picture as {first[mac]}", "B7"),)))
            else:
                first[mac] = item.source
                batch.append(_Looked(at, item, said, mac, data))
            if len(batch) == BATCH or sum(len(one.data) for one in batch) > BATCH_BYTES:
                await looked.put(batch)
                batch = []
        if batch:
            await looked.put(batch)
        for _ in self.engines:
            await looked.put(None)

    async def _see(
        self,
        engine: FaceEngine,
        turn: Transform | None,
        looked: asyncio.Queue[list[_Looked] | None],
        seen: asyncio.Queue[list[Ready] | None],
    ) -> None:
        """The second stage, in a thread that this engine has to itself."""
        here = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "lfr-enrol") as thread:
            while (batch := await looked.get()) is not None:
                ready, fell = await here.run_in_executor(thread, self._examine, engine, turn, batch)
                for at, result in fell:
                    self._told(at, result)
                await seen.put(ready)
        await seen.put(None)

    def _examine(
        self, engine: FaceEngine, turn: Transform | None, batch: Sequence[_Looked]
    ) -> tuple[list[Ready], list[tuple[int, RowResult]]]:
        floors = self.policy.watchlist.picture
        outcomes = enrolment.prepare_all(engine, self.pack, [one.data for one in batch], floors)
        good = [(one, made) for one, made in zip(batch, outcomes, strict=True) if isinstance(made, Prepared)]
        fell = [
            (one.at, refused(one.item, (Fault(made.reason, made.detail, "B6"),)))
            for one, made in zip(batch, outcomes, strict=True)
            if isinstance(made, Refused)
        ]
        if turn is None:
            for one, made in good:
                made.crop.fill(0)
                fell.append((one.at, _dry(one)))
            return [], fell
        templates = _turned(engine, turn, [made for _, made in good])
        ready = [
            Ready(one.at, one.item.label, one.item.source, one.judged, one.mac, made, templates[i])
            for i, (one, made) in enumerate(good)
        ]
        return ready, fell

    async def _write(self, writer: ListWriter, seen: asyncio.Queue[list[Ready] | None]) -> None:
        """The last stage: what is told as enrolled here is on the disk."""
        waiting: list[Ready] = []
        open_ends = len(self.engines)
        try:
            while open_ends:
                batch = await seen.get()
                open_ends -= batch is None
                waiting += batch or ()
                while len(waiting) >= COMMIT or (waiting and not open_ends):
                    # Ends of the threads' batches come in any order; within a transaction rows keep theirs.
                    part, waiting = waiting[:COMMIT], waiting[COMMIT:]
                    for at, result in (await writer.write(sorted(part, key=lambda row: row.at))).items():
                        self._told(at, result)
        finally:
            _wipe(waiting)

    def _told(self, at: int, result: RowResult) -> None:
        self._results[at] = result
        self._progress(len(self._results))


def _turned(engine: FaceEngine, turn: Transform, prepared: Sequence[Prepared]) -> Templates:
    plain = enrolment.embed(engine, prepared)
    try:
        if not np.isfinite(plain).all():
            raise ModelError("the recogniser gave a template that is not finite", hint="run `lfr models verify`")
        return turn(plain)
    finally:
        if plain.flags.writeable:
            plain.fill(0)


def _wipe(rows: Iterable[Ready]) -> None:
    for row in rows:
        row.template.fill(0)


def _dry(one: _Looked) -> RowResult:
    told = one.judged.warnings
    return RowResult(one.item.label, one.item.source, enrolled=True, detail="not written: dry run", warnings=told)


def refused(item: Item, faults: tuple[Fault, ...]) -> RowResult:
    """A row that is not enrolled, with every reason; the first one stands for it in counts."""
    detail = "; ".join(dict.fromkeys(fault.detail for fault in faults if fault.detail))
    return RowResult(item.label, item.source, False, faults[0].reason, detail, faults=faults)


def covers_place(policy: Policy, deployment: Deployment) -> bool:
    """Whether the planned use case says itself where the people are expected (A5)."""
    plan: dict[str, Any] = deployment.plan
    return any(one.code == plan.get("use_case") and one.covers_place for one in policy.use_cases)
