"""Migrations that travel with the package and run from any folder, also inside a running event loop."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lfr.domain.errors import StorageError
from lfr.storage.engine import LOG_LOCK, make_engine, writing
from lfr.storage.failures import MIGRATE_HINT, failures, parsed, place

__all__ = ["check_migrated", "config", "migrate"]


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the packaged scripts, on a connection that is open already."""
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


async def migrate(url: str) -> None:
    """Bring a database to the newest revision; a new SQLite file is made. Several processes may do so at once.

    Raises StorageError, also for a database that a newer version of this project has written.
    """
    where = place(parsed(url))
    engine = make_engine(url)
    try:
        with failures(where):
            async with writing(engine).begin() as connection:
                await connection.run_sync(_upgrade, where)
    finally:
        await engine.dispose()


async def check_migrated(url: str) -> None:
    """Raises StorageError unless the database is at the newest revision."""
    address = parsed(url)
    where = place(address)
    if address.get_backend_name() == "sqlite" and not Path(str(address.database)).is_file():  # noqa: ASYNC240 - one look at a local path
        raise StorageError(f"there is no database {where}", hint=MIGRATE_HINT)
    engine = make_engine(url)
    try:
        with failures(where):
            async with engine.connect() as connection:
                found = await connection.run_sync(_revision, where)
    finally:
        await engine.dispose()
    if found != _head():
        raise StorageError(f"the database {where} is not set up for this version", hint=MIGRATE_HINT)


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOG_LOCK})
    if _revision(connection, where) != _head():
        command.upgrade(config(connection), "head")


def _revision(connection: Connection, where: str) -> str | None:
    """The revision a database is at, None for an empty one. Raises StorageError for one unknown to this version."""
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if found is not None and found not in known:
        raise StorageError(
            f"the database {where} was written by a newer version (revision {found})",
            hint="use that version of lfr, or another database; nothing was changed",
        )
    return found


def _head() -> str | None:
    return ScriptDirectory.from_config(config()).get_current_head()
