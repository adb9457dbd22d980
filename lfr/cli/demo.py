"""`lfr demo`: the whole system on a simulated street, with nothing but what its packages bring."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
import webbrowser
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import psutil
import typer

from lfr import log
from lfr.cli.output import print_json
from lfr.cli.running import run_until_done, served
from lfr.config import Config, load
from lfr.domain.errors import RuntimeFailed, WatchlistError
from lfr.resources import configs

if TYPE_CHECKING:
    from lfr.actors.runtime import Runtime

app = typer.Typer()

NOTE = (
    "Simulated street. The same photograph is listed and shown (a volunteer's public-domain portrait), so an alert "
    "here proves that the parts work together, not how accurate they are. The embedded detector misses faces under "
    "about 80 pixels."
)
ROOM = 4
"""How many people may be listed while the demonstration runs."""

_POLL_S = 0.1
_USER = "demo"


@dataclass
class _Progress:
    """What the JSON line says, as far as it is known."""

    alerts: int = 0
    seconds_to_first_alert: float | None = None
    transits: int = 0
    url: str | None = None


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.")] = False,
    until_alert: Annotated[
        bool,
        typer.Option("--until-alert", help="End at the first alert: exit 0; without one within --timeout: exit 1."),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="End with one JSON line on stdout; the rest goes to stderr.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds from the start of the command, with --until-alert.")
    ] = 120.0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where to serve on this machine; 0 takes a free port.")
    ] = 0,
    without_entry: Annotated[
        bool, typer.Option("--without-entry", help="List nobody: there must be no alert.")
    ] = False,
) -> None:
    """See it work: people walk down a simulated street, one of them is listed, an alert appears in the browser.

    Everything runs on this machine, nothing is downloaded, and all data is deleted at the end.
    """
    progress = _Progress()
    with tempfile.TemporaryDirectory(prefix="lfr-demo-") as folder:
        base = load(configs() / "demo.yaml")
        config = msgspec.structs.replace(base, data_dir=folder, api=msgspec.structs.replace(base.api, port=port))
        log.configure(config.log_level)
        deadline = psutil.Process().create_time() + timeout if until_alert else None
        listed, browser = not without_entry, not headless and _has_browser()
        run_until_done(_demo(config, progress, deadline, listed=listed, browser=browser, json=json))
    if until_alert and not progress.alerts:
        _say(f"no alert within {timeout:g} s")
        raise typer.Exit(1)


async def _demo(
    config: Config, progress: _Progress, deadline: float | None, *, listed: bool, browser: bool, json: bool
) -> None:
    from lfr.actors.runtime import Runtime  # noqa: PLC0415 - Ray is heavy
    from lfr.actors.standing_run import StandingRun  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415 - heavy

    located = locate(load_pack(config.pack), default_roots())
    _say("starting: this takes up to half a minute")
    async with Runtime(config, located, notes=(NOTE,)) as runtime:
        run = await StandingRun.open(runtime)
        if listed:
            await _list_the_volunteer(runtime, run.deployment_id)
        password = await _add_the_user(runtime)
        async with served(runtime) as (url, serving):
            progress.url = url
            runtime.announce(url)
            await run.go_live(room=ROOM)
            _say(f"open {url} and sign in as {_USER} with the one-time password {password}")
            _say(NOTE)
            if browser:
                webbrowser.open(url)
            await _watch(runtime, run.deployment_id, progress, serving, deadline)
            if json:  # said while the API still serves, so that whoever reads the line can look
                print_json(asdict(progress))


async def _list_the_volunteer(runtime: Runtime, deployment_id: UUID) -> None:
    from lfr.services import watchlist  # noqa: PLC0415
    from lfr.vision.source.cutouts import listed_portrait  # noqa: PLC0415

    rows = await watchlist.enrol(
        runtime.db,
        runtime.vault,
        runtime.engine,
        deployment_id,
        runtime.pack,
        "Consenting volunteer",
        [("portrait.png", listed_portrait())],
        by="demo",
        policy=runtime.policy,
    )
    if not any(row.enrolled for row in rows):
        raise WatchlistError(
            f"the volunteer's portrait was refused: {rows[0].refusal}",
            hint="is the pack `embedded` as it was delivered?",
        )


async def _add_the_user(runtime: Runtime) -> str:
    from lfr.services import users  # noqa: PLC0415

    # The account ends with the demonstration, so nobody is made to change its password first.
    return await users.add_user(runtime.db, _USER, "engineer", must_change=False, by="demo")


async def _watch(
    runtime: Runtime, deployment_id: UUID, progress: _Progress, serving: asyncio.Task[None], deadline: float | None
) -> None:
    """Until a signal ends the serving; with a deadline, until the first alert is durable or the time is over."""
    while not serving.done() and (deadline is None or time.time() < deadline):
        await _count(runtime, deployment_id, progress)
        if deadline is not None and progress.alerts:
            break
        await asyncio.wait({serving}, timeout=_POLL_S)
    await _count(runtime, deployment_id, progress)
    with contextlib.suppress(RuntimeFailed):  # a busy supervisor must not cost us the line that is due
        progress.transits = sum(camera.transits for camera in (await runtime.control.status()).cameras)


async def _count(runtime: Runtime, deployment_id: UUID, progress: _Progress) -> None:
    from lfr.services import alerts  # noqa: PLC0415

    progress.alerts = len(await alerts.list_alerts(runtime.db, deployment_id, limit=1000))
    if progress.alerts and progress.seconds_to_first_alert is None:
        progress.seconds_to_first_alert = round(time.time() - psutil.Process().create_time(), 2)


def _has_browser() -> bool:
    """Whether there is a screen to open a browser on."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
