"""`lfr check`: all that is wrong with a configuration, at once, before anything is started. It changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from lfr import log
from lfr.cli.output import print_json
from lfr.config import Config, load
from lfr.domain.errors import LfrError

if TYPE_CHECKING:
    from lfr.cli.findings import Finding

app = typer.Typer()

_MARKS = {"ok": "✓", "warning": "!", "wrong": "✗"}


@app.command()
def check(
    config: Annotated[Path, typer.Option("--config", help="The configuration file to look at.", show_default=False)],
    cameras: Annotated[bool, typer.Option(help="Also open every camera.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")] = False,
) -> None:
    """Say all that is wrong with a configuration, at once. Nothing is started and nothing is changed.

    Exit 0: it can be served (warnings may stand). Exit 1: something is wrong.
    """
    log.configure("ERROR")
    findings = asyncio.run(inspect(config, cameras=cameras))
    wrong = sum(finding.state == "wrong" for finding in findings)
    if json:
        print_json({"ok": not wrong, "checks": [msgspec.to_builtins(finding) for finding in findings]})
    else:
        for finding in findings:
            typer.echo(f"{_MARKS[finding.state]} {finding.name}{': ' if finding.detail else ''}{finding.detail}")
            if finding.hint and finding.state != "ok":
                typer.echo(f"    {finding.hint}")
        typer.echo(f"{wrong} wrong" if wrong else "ready to serve")
    if wrong:
        raise typer.Exit(1)


async def inspect(path: Path, *, cameras: bool = True) -> list[Finding]:
    """Look at everything a start needs. Without a readable configuration there is nothing else to look at."""
    from lfr.cli import findings as looks  # noqa: PLC0415 - heavy

    try:
        config = load(path)
    except LfrError as error:
        return [looks.wrong("configuration", error)]
    found = [looks.Finding("configuration", "ok", f"{config.name}, mode {config.mode}")]
    found += await asyncio.to_thread(lambda: list(looks.models(config)))
    found += [finding for look in looks.LOOKS for finding in _guarded(look, config)]
    found.append(await looks.database(config))
    if not config.cameras:
        found.append(looks.Finding("cameras", "warning", "none configured", "add one under `cameras`"))
    elif cameras:
        found += await asyncio.gather(*(asyncio.to_thread(looks.camera, config, c) for c in config.cameras))
    return found


def _guarded(look: Callable[[Config], Iterator[Finding]], config: Config) -> list[Finding]:
    """One look that fails must not keep the others from being taken."""
    from lfr.cli.findings import Finding, wrong  # noqa: PLC0415 - heavy

    found: list[Finding] = []
    name = look.__name__.replace("_", " ")
    try:
        found.extend(look(config))
    except LfrError as error:
        found.append(wrong(name, error))
    except OSError as error:
        found.append(Finding(name, "wrong", f"{error.strerror}: {error.filename}"))
    return found
