"""Do the tables in the code and the tables that the migrations make agree? `python -m lfr.storage.migrations.check`.

With `--write "Add a table"` the difference becomes a new migration, to be read and completed by hand.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from lfr.storage.engine import make_engine, writing
from lfr.storage.migrations import config, migrate
from lfr.storage.models import Deployment


async def differences(url: str) -> list[str]:
    """What a database at the newest revision lacks to have the models' tables. Empty when they agree."""
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_compare)
    finally:
        await engine.dispose()


def _compare(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
    return [repr(difference) for difference in compare_metadata(context, Deployment.metadata)]


async def write(url: str, message: str) -> None:
    """Write the difference as a new migration into this folder."""
    engine = writing(make_engine(url))
    try:
        async with engine.connect() as connection:
            await connection.run_sync(lambda c: command.revision(config(c), message, autogenerate=True))
    finally:
        await engine.dispose()


async def main(arguments: list[str]) -> int:
    """Exit status 1 when models and migrations differ."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'check.db'}"
        await migrate(url)
        if arguments[:1] == ["--write"]:
            await write(url, arguments[1])
            return 0
        found = await differences(url)
    for line in found:
        sys.stderr.write(f"{line}\n")
    sys.stderr.write("models and migrations differ\n" if found else "models and migrations agree\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
