"""`lfr watchlist`: import into the database; list, add and revoke on a running system."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lfr import log
from lfr.cli.client import connect, find_run
from lfr.cli.list_import import import_into
from lfr.cli.output import progress_on_stderr, text_table
from lfr.config import load
from lfr.domain.errors import WatchlistError
from lfr.domain.watchlist import RowResult
from lfr.services.import_report import result_of, write_report
from lfr.services.import_rows import read_picture
from lfr.services.pictures import Refused

app = typer.Typer(no_args_is_help=True, help="Import, list, add and revoke watchlist entries.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The system's configuration file.")]
Which = Annotated[str, typer.Option("--deployment", help="Its id, or the first digits; the current one without.")]
Common = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE for every row that leaves this column empty; may be given again."),
]
MOST_LINES = 500


@app.callback()
def logs() -> None:
    """Import, list, add and revoke watchlist entries."""
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
) -> None:
    """Enrol many people. Each row is enrolled, or refused with its reasons; what is enrolled already is left alone.

    May be cut short and run again. Exit code 1 when no picture is on the list afterwards that was not there before.
    """
    loaded = load(config)
    with progress_on_stderr() as tell:
        _, result = asyncio.run(
            import_into(
                loaded,
                path,
                deployment=deployment,
                common=_common(common),
                dry_run=dry_run,
                progress=lambda done, total: tell("enrolling", done, total),
            )
        )
    _show(result.rows)
    if report is not None:
        write_report(result.rows, report)
    reasons = Counter(row.refusal for row in result.rows if row.refusal is not None)
    why = "".join(f"; {reason}: {count}" for reason, count in reasons.most_common())
    there = f"{result.already} enrolled already, " if result.already else ""
    end = " (dry run)" if dry_run else ""
    typer.echo(f"{result.enrolled} enrolled, {there}{result.refused} refused{why}{end}", err=True)
    if result.enrolled and not dry_run and find_run(loaded) is not None:
        typer.echo("the running system does not match these entries yet: they wait for an amendment", err=True)
    if not result.enrolled and not result.already:
        raise WatchlistError("no picture was enrolled", hint="see the reasons above, or --report FILE.csv")


def _common(given: list[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    if any(not cell for _, _, cell in pairs):
        raise WatchlistError("--set needs NAME=VALUE", hint="for instance --set category=wanted-by-court")
    return {name.strip(): cell for name, _, cell in pairs}


@app.command(name="list")
def list_(config: ConfigFile) -> None:
    """The entries of the running system."""
    rows = []
    with connect(load(config)) as client:
        for entry in client.entries():
            state = "revoked" if entry["revoked_at"] else "listed"
            added = str(entry["added_at"])[:16].replace("T", " ")
            rows.append((entry["id"], entry["label"], entry["images"], f"{added} UTC", state))
    text_table(("id", "label", "pictures", "added", "state"), rows)


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
def revoke(entry_id: Annotated[UUID, typer.Argument(help="The entry's id.")], config: ConfigFile) -> None:
    """Take one person off the running system's list; returns when no live matcher knows the entry any more."""
    with connect(load(config)) as client:
        client.revoke_entry(entry_id)
    typer.echo(f"revoked {entry_id}", err=True)


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
