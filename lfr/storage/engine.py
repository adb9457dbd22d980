"""Engines with this project's settings, for SQLite and PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lfr.storage.failures import parsed

BUSY_S = 15.0
"""How long a SQLite writer waits for its turn."""

LOG_LOCK = 0x1F2_A0D17
"""The PostgreSQL advisory lock that orders everything which writes numbered entries."""

_WRITES = "lfr_writes"


def make_engine(url: str) -> AsyncEngine:
    """An engine with our settings. Raises StorageError for a URL of another kind."""
    address = parsed(url)
    if address.get_backend_name() == "sqlite":
        path = Path(str(address.database))
        engine = create_async_engine(address, connect_args={"timeout": BUSY_S}, hide_parameters=True)
        event.listen(engine.sync_engine, "do_connect", lambda *_: _make_private(path))
        event.listen(engine.sync_engine, "connect", _sqlite_settings)
        event.listen(engine.sync_engine, "begin", _sqlite_begin)
        return engine
    return create_async_engine(
        address,
        connect_args={"timeout": 10.0, "server_settings": {"application_name": "lfr"}},
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _make_private(path: Path) -> None:
    """The folder 0700 and the file 0600, before SQLite makes them by the umask. WAL and shm follow the file."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _sqlite_settings(connection: Any, _record: object) -> None:
    # The driver's own idea of when a transaction begins is switched off; _sqlite_begin says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "recursive_triggers=ON",  # or INSERT OR REPLACE would delete past the triggers
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, whose transactions begin as writers."""
    return engine.execution_options(**{_WRITES: True})
