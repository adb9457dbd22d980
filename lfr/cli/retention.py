"""`lfr retention`: what is kept, what must go, and whether the books balance. Nothing needs to run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli.office import ConfigFile, Office, at_office
from lfr.cli.output import print_json, text_table
from lfr.domain.errors import StorageError
from lfr.services import balance, clock, deployments, retention
from lfr.services.balance import Balance
from lfr.storage.models import Deployment

app = typer.Typer(no_args_is_help=True, help="What is kept, what must go, and whether the books balance.")

_FIGURES = ("created", "living", "held", "deleted")
Json = Annotated[bool, typer.Option("--json", help="The result as one JSON line.")]


@app.callback()
def logs() -> None:
    """What is kept, what must go, and whether the books balance."""
    log.configure("WARNING")


@app.command()
def status(config: ConfigFile, json: Json = False) -> None:
    """Count the stored objects of each deployment; nothing is written. Exit code 1 when one does not balance."""
    _show(at_office(config, _count), json=json)


@app.command()
def run(config: ConfigFile) -> None:
    """Do at once what is due: expired alerts and holds, lists whose time is over, what a crash left half done."""

    async def sweep(office: Office) -> int:
        return await retention.due(office.db, office.node.vault(), office.policy)

    typer.echo(f"stored objects destroyed, each with its receipt: {at_office(config, sweep)}", err=True)


@app.command()
def reconcile(config: ConfigFile, json: Json = False) -> None:
    """Balance the books of each deployment and write the result into the log. Exit code 1 when one is off."""

    async def balanced(office: Office) -> list[tuple[Deployment, Balance]]:
        vault = office.node.vault()
        return [(row, await retention.reconcile(office.db, vault, row.id)) for row in await _all(office)]

    _show(at_office(config, balanced), json=json)


async def _count(office: Office) -> list[tuple[Deployment, Balance]]:
    time = await clock.look(office.db)
    if not time.trusted:
        behind = round(time.behind.total_seconds())
        typer.echo(f"the clock was set back: it is {behind} s behind; deadlines go by the later time", err=True)
    vault = office.node.vault()
    return [(row, await balance.look(office.db, vault, row.id)) for row in await _all(office)]


async def _all(office: Office) -> list[Deployment]:
    return await deployments.list_deployments(office.db, office.config.name)


def _show(found: list[tuple[Deployment, Balance]], *, json: bool) -> None:
    off = sum(one.off for _, one in found)
    if json:
        print_json({"off": off, "deployments": [_said(row, one) for row, one in found]})
    else:
        columns = ("deployment", "title", "state", *_FIGURES, "off")
        text_table(columns, [_row(row, one) for row, one in found])
    if off:
        raise StorageError(f"{off} stored objects do not balance", hint="tell the engineer and the auditor")


def _row(row: Deployment, one: Balance) -> tuple[object, ...]:
    why = ", ".join(f"{count} {what}" for what, count in one.why.items())
    figures = (getattr(one, name) for name in _FIGURES)
    return str(row.id)[:8], row.plan.get("title", ""), row.state, *figures, f"{one.off}: {why}" if one.off else "0"


def _said(row: Deployment, one: Balance) -> dict[str, Any]:
    figures = {name: getattr(one, name) for name in (*_FIGURES, "off")}
    return {"deployment": str(row.id), "state": row.state, **figures, "why": one.why}
