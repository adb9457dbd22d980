"""`lfr serve`: run a van or a region."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lfr import log
from lfr.config import Config, load
from lfr.domain.errors import Conflict

if TYPE_CHECKING:
    from lfr.vision.packs import LocatedPack

ROOM = 10
"""How many people may be listed while a run that signs for itself is under way."""

app = typer.Typer()


@app.command()
def serve(
    config: Annotated[
        Path, typer.Option("--config", help="A configuration file, see configs/van.yaml.", show_default=False)
    ],
    self_signed: Annotated[
        bool,
        typer.Option("--self-signed", help="Go live at once, under an authority the run signs itself."),
    ] = False,
) -> None:
    """Run a van or a region from a configuration file until Ctrl-C or SIGTERM.

    It recognises nobody before a deployment goes live, or when one was live at its last end and its window still lasts.
    Under a policy for volunteers (demonstration, research) --self-signed goes live at once. Logs are JSON lines on
    stderr. lfr check --config FILE says beforehand what is wrong.
    """
    from lfr.cli.running import run_until_done  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415 - heavy

    settings = load(config)
    log.configure(settings.log_level)
    located = locate(load_pack(settings.pack), default_roots())
    run_until_done(_serve(settings, located, self_signed=self_signed))


async def _serve(config: Config, located: LocatedPack, *, self_signed: bool) -> None:
    from lfr.actors.runtime import Runtime, require_permitted  # noqa: PLC0415 - Ray is heavy
    from lfr.actors.standing_run import StandingRun  # noqa: PLC0415
    from lfr.api.server import check_address  # noqa: PLC0415
    from lfr.cli.client import find_run  # noqa: PLC0415
    from lfr.cli.running import served  # noqa: PLC0415

    require_permitted(config, located.pack)
    check_address(config)  # before Ray takes seconds to start
    running = find_run(config)
    if running is not None:
        raise Conflict(
            f"{config.name} is running already (pid {running.pid})", hint="stop it first, or use another name"
        )
    async with Runtime(config, located) as runtime, served(runtime) as (url, serving):
        runtime.announce(url, config.api.tls_cert)
        if self_signed:
            await (await StandingRun.open(runtime)).go_live(room=ROOM)
        print(f"{config.name} ({config.mode}) at {url}", file=sys.stderr, flush=True)
        await serving
