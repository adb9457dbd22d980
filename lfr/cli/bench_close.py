"""`lfr bench close`: how long it takes to close a deployment, from the decision to the last receipt."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli.clip_options import Json
from lfr.cli.made_list import alert, fill
from lfr.cli.output import print_json, print_table, progress_on_stderr
from lfr.domain.errors import StorageError
from lfr.domain.plan import Plan
from lfr.services import deployments, holds, policies, retention
from lfr.services.holds import Asked
from lfr.storage.database import Database, migrate
from lfr.storage.keyfiles import FileKeys
from lfr.storage.node_key import LocalWrapper
from lfr.storage.vault import Vault

ALERTS, HELD = 100, 2


def close(
    entries: Annotated[int, typer.Option(min=1, help="How many entries the list has, one picture each.")] = 20_000,
    database: Annotated[
        str, typer.Option(help="An empty database's URL.", show_default="SQLite in a temporary folder")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option(help="Where the temporary folder goes.", show_default="the system's")
    ] = None,
    json: Json = False,
) -> None:
    """Fill a deployment with a made list and a hundred alerts, two of them held, then measure its closing.

    Measured are the shredding of keys, the blanking of all sealed bytes and the receipts, durable as in the field
    (SQLite: synchronous FULL). The books must balance afterwards, and what was held must still open.
    """
    log.configure("ERROR")
    with tempfile.TemporaryDirectory(dir=folder, prefix="lfr-close-") as place, progress_on_stderr() as tell:
        url = database or f"sqlite+aiosqlite:///{Path(place) / 'lfr.db'}"
        said = asyncio.run(_measure(url, Path(place) / "keys", entries, tell))
    if not json:
        print_table(("close", ""), list(said.items()))
    print_json(said)


async def _measure(url: str, keys: Path, entries: int, tell: Any) -> dict[str, Any]:
    await migrate(url)
    db, vault = Database(url), Vault(FileKeys(keys, LocalWrapper(secrets.token_bytes(32))))
    policy = policies.load("uk-default")
    try:
        row = await deployments.make(
            db,
            system="bench",
            mode="research",
            pack="double",
            pack_digest="0" * 64,
            policy=policy,
            plan=Plan(title="bench", force="no-force", use_case="wanted-persons"),
            by=deployments.SYSTEM,
        )
        tell("filling", 0, entries)
        made = await fill(db, vault, row.id, entries)
        tell("alerts", 0, ALERTS)
        raised = [await alert(db, vault, row.id, made[n % entries].entry_id, n) for n in range(ALERTS)]
        asked = Asked("complaint-or-claim", "bench", "bench", 1)
        for alert_id in raised[:HELD]:
            await holds.place(db, vault, alert_id, asked, policy=policy, by="bench")
        await deployments.end(db, row.id, by=deployments.SYSTEM)
        tell("closing", 0, entries)
        began = time.perf_counter()
        receipts = await retention.close(db, vault, row.id, reason="closed")
        took = time.perf_counter() - began
        books = await retention.reconcile(db, vault, row.id)
    finally:
        await db.dispose()
    if books.off or books.living or books.held != 2 * HELD:
        raise StorageError(f"the books do not balance after the close: {books}", hint="this is a bug: please report it")
    return {
        "entries": entries,
        "objects": receipts,
        "held": books.held,
        "seconds": round(took, 3),
        "database": db.dialect,
    }
