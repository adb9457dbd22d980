"""The watchlist of a deployment: putting people on it. What is on it: see the services named in __all__."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from lfr import log
from lfr.domain.errors import WatchlistError
from lfr.domain.listing import FIELDS
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import ImportReport, RowResult
from lfr.services import audit
from lfr.services.bound_policy import policy_of
from lfr.services.deployments import get_deployment
from lfr.services.entries import entry_picture, labels, list_entries, revoke
from lfr.services.gallery import load_gallery
from lfr.services.import_rows import label_fault
from lfr.services.import_source import rows_of
from lfr.services.intake import Intake, Item
from lfr.services.list_state import governance
from lfr.services.listed import digest
from lfr.storage.database import Database
from lfr.storage.vault import Vault
from lfr.vision.engine.base import FaceEngine

__all__ = [
    "digest",
    "enrol",
    "entry_picture",
    "governance",
    "import_list",
    "labels",
    "list_entries",
    "load_gallery",
    "revoke",
]

_log = log.get(__name__)


async def enrol(
    db: Database,
    vault: Vault,
    engine: FaceEngine,
    deployment_id: UUID,
    pack: Pack,
    label: str,
    pictures: Iterable[tuple[str, bytes]],
    *,
    by: str,
    policy: Policy | None = None,
    fields: Mapping[str, str] | None = None,
) -> list[RowResult]:
    """Enrol one person from encoded pictures (name, bytes); one result per picture, in order.

    A label that is on the list already gets the pictures added, unless the entry is approved. fields: column -> cell
    (lfr.domain.listing) for all pictures. policy: the deployment's, found by its name when left out. Raises
    WatchlistError for a label that cannot be used or a category outside the policy, NotFound, Conflict, StorageError,
    ConfigError.
    """
    fault = label_fault(label)
    if fault:
        raise WatchlistError(f"this label cannot be used: {fault}", hint="1 to 200 printable characters")
    unknown = sorted(set(fields or {}) - set(FIELDS))
    if unknown:
        raise WatchlistError(f"there is no field {ascii(unknown[0])[:60]}", hint=f"known: {', '.join(FIELDS)}")
    items = [Item(label.strip(), name, partial(bytes, data), fields or {}) for name, data in pictures]
    known = policy_of(await get_deployment(db, deployment_id), policy)
    return await Intake(db, vault, [engine], deployment_id, pack, by, known).take(items)


async def import_list(
    db: Database,
    vault: Vault,
    engines: Sequence[FaceEngine],
    deployment_id: UUID,
    pack: Pack,
    source: Path | bytes,
    *,
    by: str,
    policy: Policy | None = None,
    common: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Enrol a folder with one sub-folder per person, a CSV beside its pictures, a ZIP of both (a file, or the bytes of
    an upload), or ANSI/NIST-ITL records.

    engines: one thread each works with them. common: column -> cell where a row says nothing. progress: told (done,
    all). An import that was cut short is run again: what stands is told as enrolled already. Raises WatchlistError,
    before anything is written, when the whole is of no known form or holds a row outside the policy's closed lists;
    NotFound, Conflict, StorageError, ModelError.
    """
    known = policy_of(await get_deployment(db, deployment_id), policy)
    try:
        rows = await asyncio.to_thread(rows_of, source, common=common)
        items = [Item(row.label, row.source, row.read, row.fields, row.refused) for row in rows]

        def tell(done: int) -> None:
            if progress is not None:
                progress(done, len(items))

        results = await Intake(db, vault, engines, deployment_id, pack, by, known, dry_run).take(items, tell)
    except WatchlistError:
        await _log_refusal(db, deployment_id, by, dry_run=dry_run)
        raise
    report = ImportReport(tuple(results))
    if not dry_run:
        refused = Counter(row.refusal for row in results if row.refusal is not None)
        payload = {"enrolled": report.enrolled, "already": report.already, "refused": dict(refused)}
        await _record(db, "watchlist.imported", deployment_id, by, payload)
        _log.info("watchlist.imported", enrolled=report.enrolled, refused=report.refused)
    return report


async def _log_refusal(db: Database, deployment_id: UUID, by: str, *, dry_run: bool) -> None:
    """A list that was refused whole is on record: somebody tried (B1, B11)."""
    if not dry_run:
        await _record(db, "watchlist.import-refused", deployment_id, by, {})


async def _record(db: Database, kind: str, deployment_id: UUID, by: str, payload: Mapping[str, Any]) -> None:
    async with db.transaction() as session:
        audit.record(session, kind=kind, actor=by, subject=str(deployment_id), payload=payload)
        await audit.sequence_within(db, session)
