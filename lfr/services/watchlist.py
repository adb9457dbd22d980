"""The watchlist of a deployment: putting people on it. What is on it: see the services named in __all__."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from uuid import UUID

from lfr import log
from lfr.domain.errors import WatchlistError
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.domain.watchlist import ImportReport, RowResult
from lfr.services import audit
from lfr.services.bound_policy import policy_of
from lfr.services.deployments import get_deployment
from lfr.services.entries import entry_picture, labels, list_entries, revoke
from lfr.services.gallery import load_gallery
from lfr.services.import_rows import Row, label_fault, read_picture, read_rows
from lfr.services.intake import Intake, Item
from lfr.services.list_state import governance
from lfr.services.listed import digest
from lfr.services.pictures import Refused
from lfr.storage.database import Database
from lfr.storage.vault import Vault
from lfr.vision.engine.base import FaceEngine

__all__ = [
    "digest",
    "enrol",
    "entry_picture",
    "governance",
    "import_path",
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
) -> list[RowResult]:
    """Enrol one person from encoded pictures (name, bytes); one result per picture, in order.

    A label that is on the list already gets the pictures added. policy: the deployment's, found by its name when left
    out. Raises WatchlistError for a label that cannot be used, NotFound, StorageError, ConfigError.
    """
    fault = label_fault(label)
    if fault:
        raise WatchlistError(f"this label cannot be used: {fault}", hint="1 to 200 printable characters")
    items = [Item(label.strip(), name, partial(bytes, data)) for name, data in pictures]
    known = policy_of(await get_deployment(db, deployment_id), policy)
    return await Intake(db, vault, engine, deployment_id, pack, by, known).take(items)


async def import_path(
    db: Database,
    vault: Vault,
    engine: FaceEngine,
    deployment_id: UUID,
    pack: Pack,
    path: Path,
    *,
    by: str,
    policy: Policy | None = None,
    progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Enrol a folder with one sub-folder per person, or a CSV (label, image) beside its pictures.

    progress: told (done, all). An import that was cut short is run again: what is enrolled already is refused as a
    duplicate. Raises WatchlistError when the whole is of no known form, NotFound, StorageError, ModelError.
    """
    rows = read_rows(path)
    items = [Item(row.label, row.source, partial(_read, row)) for row in rows]

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, len(items))

    known = policy_of(await get_deployment(db, deployment_id), policy)
    results = await Intake(db, vault, engine, deployment_id, pack, by, known, dry_run).take(items, tell)
    report = ImportReport(tuple(results))
    if not dry_run:
        refused = Counter(row.refusal for row in results if row.refusal is not None)
        async with db.transaction() as session:
            payload = {"enrolled": report.enrolled, "refused": dict(refused)}
            audit.record(session, kind="watchlist.imported", actor=by, subject=str(deployment_id), payload=payload)
            await audit.sequence_within(db, session)
        _log.info("watchlist.imported", enrolled=report.enrolled, refused=report.refused)
    return report


def _read(row: Row) -> bytes | Refused:
    if row.file is None:
        return row.refused or Refused("incomplete")
    return read_picture(row.file)
