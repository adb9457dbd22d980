"""`lfr camera`: try a camera before it is used."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec
import typer

from lfr import log
from lfr.cli.office import As, ConfigFile, PasswordFile, password_of
from lfr.cli.output import print_json, print_table
from lfr.config import Camera, camera_address, public_url

if TYPE_CHECKING:
    from lfr.vision.source.inspection import Inspection

app = typer.Typer(no_args_is_help=True)


@app.callback()
def camera() -> None:
    """Try a camera before it is used; say that one which was moved shows what it should."""


@app.command()
def check(
    url: Annotated[
        str, typer.Argument(help="As in a configuration; '${NAME}' in it is filled in, so that no password is typed.")
    ],
    pack: Annotated[str, typer.Option("--pack", help="Also detect faces with this pack and report their sizes.")] = "",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="How long to look.")] = 5.0,
    secrets_file: Annotated[str, typer.Option(help="A file of NAME=value lines for the url.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")] = False,
) -> None:
    """Open a source and say what it sends: codec, size, rate, clock; with --pack face sizes. No picture is kept."""
    from lfr.vision.engine import open_engine  # noqa: PLC0415 - OpenCV and the engines are heavy
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415
    from lfr.vision.source import open_source  # noqa: PLC0415
    from lfr.vision.source.inspection import inspect  # noqa: PLC0415

    log.configure("ERROR")
    asked = Camera(id="check", url=url)
    address = camera_address(asked, secrets_file)
    with ExitStack() as stack:
        engine = stack.enter_context(closing(open_engine(locate(load_pack(pack), default_roots())))) if pack else None
        source = stack.enter_context(closing(open_source(asked, address)))
        seen = inspect(source, public_url(url), asked.times, seconds=seconds, engine=engine)
    if json:
        print_json(msgspec.to_builtins(seen))
    else:
        _show(seen)


@app.command("confirm-view")
def confirm_view(
    camera: Annotated[str, typer.Argument(help="The camera's id, as in the configuration.")],
    config: ConfigFile,
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Say that a camera which was moved shows what it should: it recognises again, with this view as the usual one.

    Look at its tile first; the log says who did.
    """
    from lfr.cli.client import connect  # noqa: PLC0415
    from lfr.config import load  # noqa: PLC0415

    log.configure("WARNING")
    with connect(load(config), timeout_s=10.0) as client:
        if name:
            client.signed_in(name, password_of(name, password_file))
        client.post(f"/api/v1/cameras/{quote(camera, safe='')}/confirm-view")
    typer.echo(f"{camera}: its view is confirmed", err=True)


def _show(seen: Inspection) -> None:
    rows: list[tuple[str, str]] = [
        ("codec", seen.codec or "unknown"),
        ("picture", f"{seen.width} x {seen.height}"),
        ("frames per second", f"{seen.fps:g}"),
        ("frames", f"{seen.frames} in {seen.seconds:g} s ({seen.dropped} overtaken, {seen.stale} stale)"),
        ("health", seen.health),
    ]
    if seen.camera_clock_ms is not None:
        rows.append(("camera's clock", f"{seen.camera_clock_ms:g} ms behind ours, with the way here"))
    if seen.delay_ms is not None and seen.jitter_ms is not None:
        rows.append(("arrival", f"{seen.delay_ms:g} ms behind the quickest frame, jitter {seen.jitter_ms:g} ms"))
    if seen.faces is not None:
        found = seen.faces
        rows.append(("faces", f"{found.detections} in {found.frames} frames"))
        if found.median_px is not None:
            rows.append(("face width", f"{found.smallest_px:g} to {found.largest_px:g} px, median {found.median_px:g}"))
    print_table(("", seen.url), rows)
