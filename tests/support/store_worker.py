"""A second process for storage tests: `python -m tests.support.store_worker VERB URL ...`, one JSON line on stdout."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from uuid import UUID

from lfr.domain.alerts import RaisedAlert
from lfr.services import alerts, audit
from lfr.storage.database import Database, migrate
from lfr.storage.vault import new_vault

KEEP = timedelta(hours=24)


async def main(verb: str, url: str, *rest: str) -> object:
    """Do one thing, as another process would."""
    if verb == "migrate":
        await migrate(url)
        return None
    db = Database(url)
    try:
        return await {"raise": _raise, "record": _record, "die": _die}[verb](db, *rest)
    finally:
        await db.dispose()


async def _raise(db: Database, deployment: str, entry: str, first: str, last: str) -> object:
    """Raise one alert for each transit; what was answered."""
    vault = new_vault()
    found = []
    for transit in range(int(first), int(last)):
        receipt = await alerts.raise_alert(db, vault, _alert(deployment, entry, transit), cooldown_s=1.0, keep=KEEP)
        found.append([str(receipt.alert_id), receipt.duplicate, receipt.muted])
    return found


async def _record(db: Database, count: str) -> object:
    """Write entries one by one, numbering now and then."""
    for number in range(int(count)):
        async with db.transaction() as session:
            audit.record(session, kind="user.signed-in", actor="worker", subject=f"{os.getpid()}-{number}", payload={})
        if number % 3 == 0:
            await audit.sequence(db)
    return None


async def _die(db: Database, deployment: str, entry: str) -> object:
    """Raise an alert and die before anybody is told."""
    await alerts.raise_alert(db, new_vault(), _alert(deployment, entry, 1), cooldown_s=1.0, keep=KEEP)
    os._exit(9)


def _alert(deployment: str, entry: str, transit: int) -> RaisedAlert:
    return RaisedAlert(
        UUID(deployment), "north", "run-1", transit, UUID(entry), 0.6, 0.4, 0.2, 3, 25 * transit, 10.0 * transit,
        1_795_000_000.0 + 10 * transit, 1_794_999_999.0, (1, 2, 30, 40), b"probe", b"scene",
    )  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
