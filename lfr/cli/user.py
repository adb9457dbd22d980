"""`lfr user`: who may sign in. Works on the database itself, whether or not a system is running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from lfr import log
from lfr.cli.client import local_user
from lfr.cli.output import text_table
from lfr.config import Config, load
from lfr.domain.policy import ROLES
from lfr.services import users
from lfr.storage.database import Database, migrate

app = typer.Typer(no_args_is_help=True, help="Who may sign in.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The system's configuration file.")]
Answer = TypeVar("Answer")


@app.callback()
def logs() -> None:
    """Who may sign in."""
    log.configure("WARNING")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    config: ConfigFile,
    role: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(ROLES)}.")] = ["operator"],  # noqa: B006 - typer's way
    rank: Annotated[str | None, typer.Option(help="The officer's rank, a code of the policy.")] = None,
) -> None:
    """Make an account and show its one-time password, once."""
    password = _run(load(config), lambda db: users.add_user(db, name, role, rank=rank, by=local_user()))
    typer.echo(f"added {name.strip().lower()} as {', '.join(role)}", err=True)
    typer.echo("one-time password, to be changed at the first sign-in:", err=True)
    typer.echo(password)


@app.command(name="list")
def list_(config: ConfigFile) -> None:
    """All accounts."""
    rows = []
    for user in _run(load(config), users.list_users):
        state = "locked" if user.locked else "one-time password" if user.must_change else "active"
        rows.append((user.name, ", ".join(user.roles), user.rank or "", state, f"{user.added_at:%Y-%m-%d %H:%M} UTC"))
    text_table(("name", "roles", "rank", "state", "added"), rows)


def _run(config: Config, use: Callable[[Database], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        await migrate(config.database_url)
        db = Database(config.database_url)
        try:
            return await use(db)
        finally:
            await db.dispose()

    return asyncio.run(run())
