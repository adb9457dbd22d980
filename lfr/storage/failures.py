"""What a database's complaint means, in one line with a hint. Statements, parameters and passwords never come along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lfr.domain.errors import StorageError

MIGRATE_HINT = "set it up with `lfr serve` or `lfr user add`, which bring it to this version"

# The first pattern found in the driver's words decides.
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"database or disk is full|No space left|DiskFull|could not extend file",
        "the disk is full: nothing was written to {where}",
        "free some space there, then try again",
    ),
    (
        r"readonly database|[Rr]ead-only|unable to open database|PermissionError|FileExistsError|NotADirectoryError",
        "cannot write to {where}",
        "check that the folder exists and that this user may write to it and to the file",
    ),
    (
        r"no such (table|column)|UndefinedTable|UndefinedColumn|relation .* does not exist",
        "the database {where} is not set up for this version",
        MIGRATE_HINT,
    ),
    (
        r"database is locked|database table is locked|LockNotAvailable|DeadlockDetected",
        "the database {where} is busy",
        "another process holds it for long: try again, and look for a stopped or hung `lfr`",
    ),
    (
        r"not a database|malformed|disk I/O error",
        "the database {where} cannot be read: it is damaged or is no database",
        "restore it from a backup, or move it away to start afresh",
    ),
    (
        r"InvalidPassword|InvalidAuthorization|password authentication failed|no pg_hba.conf entry",
        "the database {where} refuses the user or password",
        "check the user and password in storage.url",
    ),
    (
        r"InvalidCatalogName|database .* does not exist",
        "there is no database {where}",
        "create it with `createdb`, or correct storage.url",
    ),
    (r"TooManyConnections|too many clients", "the database {where} has no free connection", "raise max_connections"),
    (
        r"Connection\w*Error|ConnectionDoesNotExist|CannotConnectNow|Connect call|gaierror|Timeout|AdminShutdown",
        "cannot reach the database {where}",
        "check that the server runs, that host and port are right, and that nothing blocks the way",
    ),
)


def place(url: str | URL) -> str:
    """Where a database is, fit to be shown: a file's path, or host, port and name without user and password."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return str(parsed.database)
    return f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database or ''}"


@contextmanager
def failures(where: str) -> Iterator[None]:
    """Turn what the driver raises into StorageError. IntegrityError passes: a service knows what it means."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        _explain(error.orig or error, where)
    except PoolTimeout as error:
        _explain(error, where)
    except OSError as error:  # asyncpg raises a refused connection as it is; TimeoutError is an OSError
        _explain(error, where)
    except Exception as error:
        # asyncpg's connect-time errors are no DBAPIError either.
        if type(error).__module__.startswith("asyncpg"):
            _explain(error, where)
        raise


def _explain(error: BaseException, where: str) -> NoReturn:
    words = _words(error)
    for pattern, message, hint in _MEANINGS:
        if re.search(pattern, words):
            raise StorageError(message.format(where=where), hint=hint) from None
    # Unknown: name the type only, since the driver's text may repeat a value.
    raise StorageError(
        f"the database {where} failed ({type(error).__name__})", hint="look into the database server's own log"
    ) from None


def _words(error: BaseException) -> str:
    """Type names and texts along the chain of causes."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 8:
        parts.append(f"{type(current).__name__} {current}")
        current = current.__cause__
    return " ".join(parts)


def parsed(url: str) -> URL:
    """The URL, if it names a database this project speaks to.

    Raises StorageError without repeating the URL (it may hold a password).
    """
    hint = "use `sqlite` or postgresql://USER@HOST/NAME in storage.url"
    try:
        made = make_url(url)
    except ArgumentError:
        raise StorageError("the database URL cannot be read", hint=hint) from None
    if made.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise StorageError(f"no support for a {made.drivername} database", hint=hint)
    if made.drivername.startswith("sqlite") and (not made.database or made.database == ":memory:"):
        raise StorageError("the SQLite database needs a file", hint=hint)
    return made
