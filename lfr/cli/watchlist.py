"""`lfr watchlist`: import into the database; list, add and revoke on a running system."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lfr import log
from lfr.cli.client import connect, find_run, local_user
from lfr.cli.output import progress_on_stderr, text_table
from lfr.config import Config, load
from lfr.domain.errors import WatchlistError
from lfr.domain.watchlist import ImportReport, RowResult
from lfr.services import watchlist
from lfr.services.import_rows import read_picture, write_report
from lfr.services.pictures import Refused
from lfr.services.standing import standing_deployment
from lfr.storage.database import Database, migrate
from lfr.storage.node import open_node

app = typer.Typer(no_args_is_help=True, help="Import, list, add and revoke watchlist entries.")

ConfigFile = Annotated[Path, typer.Option("--config", help="The system's configuration file.")]
MOST_LINES = 500


@app.callback()
def logs() -> None:
    """Import, list, add and revoke watchlist entries."""
    log.configure("WARNING")


@app.command(name="import")
def import_(
    path: Annotated[Path, typer.Argument(help="A folder with one sub-folder per person, or a CSV: label,image.")],
    config: ConfigFile,
    report: Annotated[Path | None, typer.Option(help="Write every row's result to this CSV.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every picture, write nothing.")] = False,
) -> None:
    """Enrol many people. Each picture is enrolled, or refused with its reason; what is enrolled already is left alone.

    Exit code 1 when no picture could be enrolled.
    """
    loaded = load(config)
    with progress_on_stderr() as tell:
        result = asyncio.run(_import(loaded, path, dry_run, lambda done, total: tell("enrolling", done, total)))
    _show(result.rows)
    if report is not None:
        write_report(result.rows, report)
    reasons = Counter(row.refusal for row in result.rows if not row.enrolled)
    why = "".join(f"; {reason}: {count}" for reason, count in reasons.most_common())
    typer.echo(f"{result.enrolled} enrolled, {result.refused} refused{why}{' (dry run)' if dry_run else ''}", err=True)
    if result.enrolled and not dry_run and find_run(loaded) is not None:
        typer.echo("the running system does not know these entries yet: restart it", err=True)
    if not result.enrolled:
        raise WatchlistError("no picture was enrolled", hint="see the reasons above, or --report FILE.csv")


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


async def _import(config: Config, path: Path, dry_run: bool, progress: Callable[[int, int], None]) -> ImportReport:
    # Imported here: engines and Ray are slow to load, and the other commands of this module need neither.
    from lfr.actors.runtime import require_permitted  # noqa: PLC0415
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    pack = load_pack(config.pack)
    require_permitted(config, pack)
    located = locate(pack, default_roots())
    await migrate(config.database_url)
    vault = open_node(config.node_key_source, config.keys_path, create=True).vault()
    db = Database(config.database_url)
    engine = open_engine(located, provider=config.inference.provider, threads=config.inference.threads or 2)
    try:
        deployment = await standing_deployment(db, config, pack)
        return await watchlist.import_path(
            db, vault, engine, deployment.id, pack, path, by=local_user(), progress=progress, dry_run=dry_run
        )
    finally:
        engine.close()
        await db.dispose()


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
        refused = [row for row in shown if not row.enrolled]
        left_out, shown = len(shown) - len(refused), refused
    lines = []
    for row in shown:
        result = "enrolled" if row.enrolled else f"refused: {row.refusal}"
        detail = f" ({row.detail})" if row.detail else ""
        lines.append((row.entry, row.source, result + detail))
    text_table(("label", "picture", "result"), lines)
    if left_out:
        typer.echo(f"{left_out} enrolled rows are not shown; --report FILE.csv has them all", err=True)
