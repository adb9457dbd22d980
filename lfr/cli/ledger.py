"""`lfr ledger`: the data protection officer's look into who was listed (B13).

References and passwords are asked for, never given as arguments: those end up in a shell's history.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from lfr import log
from lfr.cli.office import ConfigFile, Office, PasswordFile, at_office, password_of
from lfr.cli.output import text_table
from lfr.domain.errors import Conflict
from lfr.domain.ledger import Choice, letter
from lfr.services import ledger
from lfr.services.ledger import Inquiry

app = typer.Typer(no_args_is_help=True, help="Who was listed: for the data protection officer alone.")

Officer = Annotated[str, typer.Option("--officer", help="The data protection officer's account.")]


@app.callback()
def logs() -> None:
    """Who was listed: for the data protection officer alone."""
    log.configure("WARNING")


@app.command()
def init(
    config: ConfigFile,
    officer: Officer,
    account_password_file: Annotated[
        Path | None, typer.Option(help="Holds the password of the officer's account; - is stdin.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Make the ledger's key under a password of its own, and remember who is listed from now on.

    The officer proves to be the officer with the password of the account; the ledger's is another one. Nobody can give
    it back: without it nothing that was sealed can be read. Keep a copy in a safe.
    """

    async def made(office: Office) -> str:
        # Whoever could make a key in the officer's name would read everything that is sealed from then on.
        by = await office.acting(officer, account_password_file, [ledger.OFFICER])
        password = password_of("the ledger", password_file)
        if password_file is None and password != password_of("the ledger, once more", None):
            raise Conflict("the two passwords differ", hint="try again")
        return await ledger.init(office.db, by, password, by=by)

    typer.echo(at_office(config, made))
    typer.echo("this is the public half of the ledger's key; the password opens the other", err=True)


@app.command()
def ask(
    config: ConfigFile,
    officer: Officer,
    reply: Annotated[
        str, typer.Option(help=f"Keep this reply, sealed, and print the letter: {', '.join(get_args(Choice))}.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why, for whoever reviews it; it does not go out.")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Look a nominal reference up: it is asked for, or read from stdin's first line (a password there comes next).

    The log says that the ledger was asked and answered, never about whom or how. A passer-by who was not listed is in
    no ledger: nothing of theirs was kept. The facts of a deployment are on its page and in `lfr deployment show`.
    """
    if reply and reply not in get_args(Choice):
        raise Conflict(f"there is no reply {reply[:40]!r}", hint=f"one of: {', '.join(get_args(Choice))}")
    reference = typer.prompt("nominal reference", err=True) if sys.stdin.isatty() else sys.stdin.readline()
    password = password_of("the ledger", password_file)

    async def look(office: Office) -> tuple[Inquiry, float]:
        found = await ledger.ask(office.db, officer, password, reference)
        if reply:
            await ledger.reply(office.db, found, cast("Choice", reply), reason=reason, policy=office.policy)
        return found, office.policy.retention.ledger_months

    found, months = at_office(config, look)
    if reply:
        typer.echo(letter(cast("Choice", reply), found.memberships, months))
        return
    columns = ("listed", "taken off", "category", "legal basis", "reason", "deployment")
    rows = [
        (
            f"{one.listed_at:%Y-%m-%d}",
            f"{one.taken_off_at:%Y-%m-%d}" if one.taken_off_at else "",
            one.category,
            one.legal_basis,
            one.reason,
            one.title or str(one.deployment_id)[:8],
        )
        for one in found.memberships
    ]
    text_table(columns, rows)
    typer.echo(f"in the last {months:g} months this reference was listed {_times(len(rows))}", err=True)


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")
