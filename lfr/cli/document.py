"""`lfr document`: the assessments and policies that a deployment rests on, by the hash of the approved file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lfr import log
from lfr.cli.client import local_user
from lfr.cli.office import ConfigFile, Office, at_office
from lfr.cli.output import text_table
from lfr.domain.errors import ConfigError
from lfr.services import documents
from lfr.services.documents import NewDocument
from lfr.storage.columns import now
from lfr.storage.models import Document

app = typer.Typer(no_args_is_help=True, help="The documents that a deployment rests on.")

Day = Annotated[str | None, typer.Option(help="A day, as 2026-12-31.")]


@app.callback()
def logs() -> None:
    """The documents that a deployment rests on."""
    log.configure("WARNING")


@app.command()
def add(
    code: Annotated[str, typer.Argument(help="Which of the policy's documents: dpia, eia ...")],
    file: Annotated[Path, typer.Argument(help="The file as it was approved; only its hash is kept.")],
    config: ConfigFile,
    version: Annotated[str, typer.Option(help="Its version.")],
    approved_by: Annotated[str, typer.Option(help="Who approved it.")],
    approved_on: Day = None,
    expires_on: Day = None,
    covers_public: Annotated[bool, typer.Option(help="It speaks of people who are not listed.")] = False,
    url: Annotated[str, typer.Option(help="Where it is published.")] = "",
) -> None:
    """Register an approved document and print its id, which plans name under `documents`."""
    new = NewDocument(
        code=code,
        version=version,
        sha256=documents.file_digest(file),
        approved_at=_day(approved_on) or now(),
        approved_by=approved_by,
        url=url,
        covers_public=covers_public,
        expires_at=_day(expires_on),
    )

    async def make(office: Office) -> Document:
        return await documents.add(office.db, office.config.force, new, policy=office.policy, by=local_user())

    made = at_office(config, make)
    typer.echo(str(made.id))
    typer.echo(f"registered {made.title}, valid until {made.expires_at:%Y-%m-%d}", err=True)


def _day(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ConfigError(f"{given[:20]!r} is no day", hint="write it as 2026-12-31") from None


@app.command(name="list")
def list_(
    config: ConfigFile,
    current: Annotated[bool, typer.Option("--current", help="Ids only, of those a new plan should name.")] = False,
) -> None:
    """All registered documents of the force."""
    if current:

        async def ids(office: Office) -> tuple[UUID, ...]:
            return await documents.current(office.db, office.config.force, now())

        for one in at_office(config, ids):
            typer.echo(str(one))
        return

    async def look(office: Office) -> Sequence[Document]:
        return await documents.registered(office.db, office.config.force)

    rows = [
        (one.id, one.code, one.version, f"{one.approved_at:%Y-%m-%d}", _until(one), one.approved_by, one.sha256[:16])
        for one in at_office(config, look)
    ]
    text_table(("id", "document", "version", "approved", "until", "by", "sha256"), rows)


def _until(one: Document) -> str:
    if one.withdrawn_at is not None:
        return f"withdrawn {one.withdrawn_at:%Y-%m-%d}"
    return f"{one.expires_at:%Y-%m-%d}" + (" (over)" if one.expires_at <= now() else "")


@app.command()
def withdraw(document: Annotated[UUID, typer.Argument(help="Its id.")], config: ConfigFile) -> None:
    """From now on nothing may rest on this document."""
    at_office(config, lambda office: documents.withdraw(office.db, document, by=local_user()))
    typer.echo("withdrawn: no deployment that rests on it can start or go on", err=True)
