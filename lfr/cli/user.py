"""`lfr user`: who may sign in, and as what. Works on the database itself, whether or not a system is running."""

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
from lfr.domain.errors import ConfigError
from lfr.domain.policy import ROLES
from lfr.services import policies, users
from lfr.storage.database import Database, migrate

app = typer.Typer(no_args_is_help=True, help="Who may sign in, and as what.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The system's configuration file.")]
Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
Rank = Annotated[str | None, typer.Option(help="The officer's rank, a code of the policy.")]
Answer = TypeVar("Answer")


@app.callback()
def logs() -> None:
    """Who may sign in, and as what."""
    log.configure("WARNING")


@app.command()
def add(
    name: Name,
    config: ConfigFile,
    role: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(ROLES)}.")] = ["operator"],  # noqa: B006 - typer's way
    rank: Rank = None,
) -> None:
    """Make an account with its signing key, and show its one-time password, once."""
    loaded = _loaded(config, rank)
    password = _run(loaded, lambda db: users.add_user(db, name, role, rank=rank, by=local_user()))
    typer.echo(f"added {name.strip().lower()} as {', '.join(role)}", err=True)
    _tell_once(password)


@app.command(name="list")
def list_(config: ConfigFile) -> None:
    """All accounts."""
    rows = []
    for user in _run(load(config), users.list_users):
        state = "locked" if user.locked else "one-time password" if user.must_change else "active"
        rows.append((user.name, ", ".join(user.roles), user.rank or "", state, f"{user.added_at:%Y-%m-%d %H:%M} UTC"))
    text_table(("name", "roles", "rank", "state", "added"), rows)


@app.command()
def change(
    name: Name,
    config: ConfigFile,
    role: Annotated[
        list[str] | None, typer.Option(help=f"All roles from now on, of: {', '.join(ROLES)}; as they are without.")
    ] = None,
    rank: Annotated[str | None, typer.Option(help="A code of the policy; an empty one takes the rank away.")] = None,
) -> None:
    """Give an account other roles or another rank. What it signs from now on says so."""
    if not role and rank is None:
        raise ConfigError("nothing to change", hint="give --role, --rank, or both")
    _run(
        _loaded(config, rank),
        lambda db: users.change_user(db, name, roles=role or None, rank=rank, by=local_user()),
    )
    typer.echo(f"changed {name.strip().lower()}", err=True)


@app.command()
def reset(name: Name, config: ConfigFile) -> None:
    """A new one-time password and a new signing key, for who has lost the password or must not sign any more.

    The old key can be opened by nobody and signs nothing more; sessions end.
    """
    password = _run(load(config), lambda db: users.reset_password(db, name, by=local_user()))
    typer.echo(f"reset {name.strip().lower()}: the old signing key is retired", err=True)
    _tell_once(password)


def _tell_once(password: str) -> None:
    typer.echo("one-time password, to be changed at the first sign-in:", err=True)
    typer.echo(password)


def _loaded(config: Path, rank: str | None) -> Config:
    """The configuration. Raises ConfigError for a rank that its policy does not have."""
    loaded = load(config)
    if rank:
        known = policies.load(loaded.policy).authority.ranks
        if rank not in known:
            raise ConfigError(
                f"the policy {loaded.policy} knows no rank {rank[:40]!r}", hint=f"one of: {', '.join(known)}"
            )
    return loaded


def _run(config: Config, use: Callable[[Database], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        await migrate(config.database_url)
        db = Database(config.database_url)
        try:
            return await use(db)
        finally:
            await db.dispose()

    return asyncio.run(run())
