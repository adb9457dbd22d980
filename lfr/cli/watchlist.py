"""`lfr watchlist`: who is on a list, and how they got there. What keeps it in order: `lfr.cli.list_governance`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lfr import log
from lfr.cli.client import connect, find_run
from lfr.cli.list_governance import Which, alike, confirm, digest, recheck, special, template
from lfr.cli.list_import import import_into
from lfr.cli.office import As, ConfigFile, Office, PasswordFile, at_office, password_of
from lfr.cli.output import progress_on_stderr, text_table
from lfr.config import load
from lfr.domain.duties import LISTERS
from lfr.domain.errors import WatchlistError
from lfr.domain.watchlist import EntrySummary, RowResult
from lfr.services import watchlist
from lfr.services.import_report import result_of, write_report
from lfr.services.import_rows import read_picture
from lfr.services.pictures import Refused

app = typer.Typer(no_args_is_help=True, help="Who is listed: import, check, sign for, take off.")

Common = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE for every row that leaves this column empty; may be given again."),
]
MOST_LINES = 500


@app.callback()
def logs() -> None:
    """Who is listed: import, check, sign for, take off."""
    log.configure("WARNING")


@app.command(name="import")
def import_(
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder with one sub-folder per person, a CSV beside its pictures, a ZIP of both, or records."
        ),
    ],
    config: ConfigFile,
    deployment: Which = "",
    common: Common = None,
    report: Annotated[Path | None, typer.Option(help="Write every row, with every reason, to this CSV.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row and picture, write nothing.")] = False,
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Enrol many people. Each row is enrolled, or refused with its reasons; what is enrolled already is left alone.

    May be cut short and run again. Exit code 1 when no picture is on the list afterwards that was not there before.
    """
    with progress_on_stderr() as tell:
        result = import_into(
            config,
            path,
            deployment=deployment,
            common=_common(common),
            dry_run=dry_run,
            name=name,
            password_file=password_file,
            progress=lambda done, total: tell("enrolling", done, total),
        )
    _show(result.rows)
    if report is not None:
        write_report(result.rows, report)
    reasons = Counter(row.refusal for row in result.rows if row.refusal is not None)
    why = "".join(f"; {reason}: {count}" for reason, count in reasons.most_common())
    there = f"{result.already} enrolled already, " if result.already else ""
    end = " (dry run)" if dry_run else ""
    typer.echo(f"{result.enrolled} enrolled, {there}{result.refused} refused{why}{end}", err=True)
    if result.enrolled and not dry_run and find_run(load(config)) is not None:
        typer.echo("the running system does not match these entries yet: they wait for an amendment", err=True)
    if not result.enrolled and not result.already:
        raise WatchlistError("no picture was enrolled", hint="see the reasons above, or --report FILE.csv")


def _common(given: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    if any(not cell for _, _, cell in pairs):
        raise WatchlistError("--set needs NAME=VALUE", hint="for instance --set category=wanted-by-court")
    return {name.strip(): cell for name, _, cell in pairs}


@app.command(name="list")
def list_(config: ConfigFile, deployment: Which = "") -> None:
    """The entries of a deployment."""

    async def look(office: Office) -> list[EntrySummary]:
        row = await office.find(deployment)
        return await watchlist.list_entries(office.db, office.node.vault(), row.id)

    rows = []
    for entry in at_office(config, look):
        state = "revoked" if entry.revoked_at else "listed" if entry.checked_by else "not confirmed"
        added = f"{entry.added_at:%Y-%m-%d %H:%M} UTC"
        alike = "yes" if entry.alike else ""
        rows.append((entry.id, entry.label, entry.category, entry.age_band, entry.images, added, state, alike))
    text_table(("id", "label", "category", "age", "pictures", "added", "state", "alike"), rows)


@app.command()
def add(
    label: Annotated[str, typer.Argument(help="Whom the pictures show.")],
    pictures: Annotated[list[Path], typer.Argument(help="One or more picture files.")],
    config: ConfigFile,
) -> None:
    """Put one person on the running system's list; returns when every live matcher knows."""
    with connect(load(config)) as client:
        answered = client.add_entry(label, [(file.name, _read(file)) for file in pictures])
    rows = [
        RowResult(label, row["source"], row["enrolled"], row["refusal"], row["detail"], row["entry_id"])
        for row in answered
    ]
    _show(rows)
    if not any(row.enrolled for row in rows):
        raise WatchlistError("no picture was enrolled", hint="see the reasons above")


@app.command()
def revoke(
    entry_id: Annotated[UUID, typer.Argument(help="The entry's id.")],
    config: ConfigFile,
    deployment: Which = "",
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Take one person off, at once and offline; returns when no live matcher here knows the entry any more."""
    if find_run(load(config)) is not None and not deployment:
        with connect(load(config)) as client:
            if name:
                client.signed_in(name, password_of(name, password_file))
            client.revoke_entry(entry_id)
    else:

        async def step(office: Office) -> None:
            row = await office.find(deployment)
            by = await office.acting(name, password_file, LISTERS)
            await watchlist.revoke(office.db, row.id, entry_id, by=by)

        at_office(config, step)
    typer.echo(f"revoked {entry_id}", err=True)


for command in (confirm, alike, recheck, digest, template, special):
    app.command()(command)


def _read(file: Path) -> bytes:
    data = read_picture(file)
    if isinstance(data, Refused):
        raise WatchlistError(f"{file}: {data.detail}", hint="give picture files: JPEG, PNG, WebP or BMP")
    return data


def _show(rows: Iterable[RowResult]) -> None:
    """One line per row; of very long lists the refused rows only."""
    shown = list(rows)
    left_out = 0
    if len(shown) > MOST_LINES:
        refused = [row for row in shown if row.refusal is not None]
        left_out, shown = len(shown) - len(refused), refused
    lines = []
    for row in shown:
        result = result_of(row) + (f": {row.refusal}" if row.refusal else "")
        said = "; ".join(filter(None, ("" if row.already else row.detail, *row.warnings)))
        detail = f" ({said})" if said else ""
        lines.append((row.entry, row.source, result + detail))
    text_table(("label", "picture", "result"), lines)
    if left_out:
        typer.echo(f"{left_out} enrolled rows are not shown; --report FILE.csv has them all", err=True)
