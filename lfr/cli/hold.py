"""`lfr hold`: keep an alert's pictures as evidence, for a reason of the policy, and let go of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from lfr import log
from lfr.cli.office import As, ConfigFile, Office, PasswordFile, at_office
from lfr.cli.output import text_table
from lfr.domain.duties import HOLDERS
from lfr.services import holds
from lfr.services.holds import Asked
from lfr.storage.models import EvidenceHold

app = typer.Typer(no_args_is_help=True, help="Keep an alert's pictures as evidence, and let go of them.")


@app.callback()
def logs() -> None:
    """Keep an alert's pictures as evidence, and let go of them."""
    log.configure("WARNING")


@app.command()
def place(
    alert: Annotated[UUID, typer.Argument(help="The alert's id.")],
    config: ConfigFile,
    reason: Annotated[str, typer.Option(help="A reason of the policy: `lfr policy show` lists them.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    days: Annotated[float, typer.Option(help="For how long; the policy says how long at most.")],
    reference: Annotated[str, typer.Option(help="The case, complaint or request number.")] = "",
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Keep one alert's pictures beyond their time. Prints the hold's id."""

    async def kept(office: Office) -> EvidenceHold:
        by = await office.acting(name, password_file, HOLDERS)
        asked = Asked(reason, reference, owner, days)
        return await holds.place(office.db, office.node.vault(), alert, asked, policy=office.policy, by=by)

    made = at_office(config, kept)
    typer.echo(str(made.id))
    typer.echo(f"held until {made.expires_at:%Y-%m-%d %H:%M} UTC", err=True)


@app.command()
def release(
    hold: Annotated[UUID, typer.Argument(help="The hold's id.")],
    config: ConfigFile,
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """End a hold. Where the pictures' own time is over, they are destroyed at once."""

    async def freed(office: Office) -> bool:
        by = await office.acting(name, password_file, HOLDERS)
        return await holds.release(office.db, office.node.vault(), hold, by=by)

    gone = at_office(config, freed)
    typer.echo("released; its pictures are destroyed" if gone else "released; its pictures go in their time", err=True)


@app.command(name="list")
def list_(
    config: ConfigFile,
    everything: Annotated[bool, typer.Option("--all", help="Those that were released, too.")] = False,
) -> None:
    """What is held, for what, by whom, until when."""

    async def those(office: Office) -> list[EvidenceHold]:
        return await holds.list_holds(office.db, released=everything)

    columns = ("id", "alert", "reason", "reference", "owner", "until", "placed by", "released")
    text_table(columns, [_row(one) for one in at_office(config, those)])


def _row(one: EvidenceHold) -> tuple[object, ...]:
    released = f"{one.released_at:%Y-%m-%d %H:%M} UTC" if one.released_at else ""
    until = f"{one.expires_at:%Y-%m-%d %H:%M} UTC"
    return one.id, one.alert_id, one.reason, one.reference, one.owner, until, one.placed_by, released
