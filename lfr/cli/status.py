"""`lfr status`: what a running system is doing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli.output import print_json, print_table, text_table

app = typer.Typer()


@app.command()
def status(
    config: Annotated[
        Path, typer.Option("--config", help="The configuration the system runs with.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")] = False,
) -> None:
    """What a running system is doing: cameras, actors with pid and restarts, ages, threshold."""
    from lfr.cli.client import connect  # noqa: PLC0415
    from lfr.config import load  # noqa: PLC0415

    log.configure("WARNING")
    with connect(load(config), timeout_s=10.0) as client:
        said: dict[str, Any] = client.get("/api/v1/status")
    if json:
        print_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:
    facts = ("state", "mode", "pack", "threshold", "threshold_basis", "watchlist_entries", "nonmatch_age_p95_ms")
    text_table((said["name"], ""), [(fact, "-" if said[fact] is None else str(said[fact])) for fact in facts])
    counters = ("health", "fps", "read", "processed", "dropped", "transits", "alerts", "latency_p95_ms")
    print_table(("camera", *counters), [(c["id"], *(c[name] for name in counters)) for c in said["cameras"]])
    print_table(
        ("actor", "pid", "restarts", "alive", "node"),
        [(a["name"], a["pid"], a["restarts"], "yes" if a["alive"] else "NO", a["node"]) for a in said["actors"]],
    )
    for note in said["notes"]:
        typer.echo(note)
