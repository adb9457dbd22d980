"""`lfr models`: which packs there are, whether their files are sound, and how to get them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lfr import log
from lfr.cli.output import print_json, progress_on_stderr
from lfr.domain.errors import LicenceRefused, ModelCorrupt, ModelError, ModelMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lfr.domain.packs import Pack

app = typer.Typer(no_args_is_help=True)

Accept = Annotated[bool, typer.Option("--accept-licence", help="Say yes to a research-only licence beforehand.")]
Json = Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")]


@app.callback()
def models() -> None:
    """List, verify, import and pull model packs. Nothing is ever downloaded unless you ask for it here."""
    log.configure("ERROR")


@app.command("list")
def list_packs(json: Json = False) -> None:
    """Every described pack: what it may be used for, whether it is on this machine, how to get it."""
    from lfr.vision.model_fetch import can_pull  # noqa: PLC0415 - httpx is slow to import
    from lfr.vision.packs import load_pack, pack_names  # noqa: PLC0415

    rows: list[dict[str, Any]] = []
    for pack in map(load_pack, pack_names()):
        state = max((row["state"] for row in _states(pack)), key=_STATES.index)
        rows.append(
            {
                "name": pack.name,
                "title": pack.title,
                "use": pack.use,
                "state": state,
                "pull": can_pull(pack),
                "calibrated": pack.calibration is not None,
                "licence": pack.licence.name,
                "licence_summary": pack.licence.summary,
            }
        )
    if json:
        print_json({"packs": rows})
        return
    heads = ("pack", "use", "state", "pull", "calibrated", "what")
    _print(
        [
            heads,
            *((r["name"], r["use"], r["state"], *map(_yes, (r["pull"], r["calibrated"])), r["title"]) for r in rows),
        ]
    )
    typer.echo("\nLicences")
    for row in rows:
        typer.echo(f"{row['name']}: {row['licence']}. {row['licence_summary']}")


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="A pack's name or file; all packs when left out.")] = "",
    json: Json = False,
) -> None:
    """Look for every file and compare its hash. Fails on a wrong file, and on a missing one of the pack you name."""
    from lfr.vision.packs import load_pack, pack_names  # noqa: PLC0415

    packs = [load_pack(name)] if name else [load_pack(each) for each in pack_names()]
    rows = [row for pack in packs for row in _states(pack)]
    if json:
        print_json({"files": rows})
    else:
        _print([("pack", "file", "state", "where"), *((r["pack"], r["file"], r["state"], r["where"]) for r in rows)])
    wrong = [
        f"{r['where']} has sha256 {r['found_sha256'] or 'unreadable'}, pack {r['pack']} says {r['sha256']}"
        for r in rows
        if r["state"] == "wrong"
    ]
    if wrong:
        raise ModelCorrupt("; ".join(wrong), hint="remove it, then `lfr models pull` or `lfr models import`")
    missing = [r["file"] for r in rows if r["state"] == "missing"]
    if name and missing:
        raise ModelMissing(
            f"pack {name} lacks {', '.join(missing)}", hint="`lfr models pull` or `lfr models import PATH`"
        )


@app.command("import")
def import_models(
    path: Annotated[Path, typer.Argument(help="A model file, a folder of them, or a zip.")],
    name: Annotated[str, typer.Option("--name", help="Only for this pack (name or pack file).")] = "",
    accept_licence: Accept = False,
) -> None:
    """Take model files from this machine: known by hash, copied into your cache, verified."""
    from lfr.vision.model_store import find_models, install  # noqa: PLC0415
    from lfr.vision.packs import load_pack, pack_names  # noqa: PLC0415

    packs = [load_pack(name)] if name else [load_pack(each) for each in pack_names()]
    matches = find_models(path.expanduser(), packs)
    # Every question first: a no to the last one must not leave half of an import behind.
    agreed = [_accepted(match.pack, accept_licence) for match in matches]
    for match, accepted in zip(matches, agreed, strict=True):
        with progress_on_stderr() as progress:
            folder = install(match.pack, match.files, accepted=accepted, progress=progress)
        still = f"; still missing: {', '.join(match.missing)}" if match.missing else ""
        typer.echo(f"{match.pack.name}: {', '.join(sorted(match.files))} in {folder}{still}")


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A pack's name or file.")],
    mirror: Annotated[Path | None, typer.Option(help="Take the files (or NAME.zip) from this folder instead.")] = None,
    accept_licence: Accept = False,
) -> None:
    """Fetch a pack's files into your cache. Shows a research-only licence and asks before it accepts one."""
    from lfr.vision.model_fetch import pull as fetch  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    pack = load_pack(name)
    try:
        here = locate(pack, default_roots())
    except ModelError:
        accepted = _accepted(pack, accept_licence)
        with progress_on_stderr() as progress:
            fetch(pack, mirror=mirror.expanduser() if mirror else None, accepted=accepted, progress=progress)
        here = locate(pack, default_roots())
    typer.echo(f"{pack.name}: ready")
    for path in (here.detector, here.recogniser, *here.extra):
        typer.echo(f"  {path}")


def _accepted(pack: Pack, beforehand: bool) -> bool:
    """Show the licence of a research-only pack and ask. Raises LicenceRefused on no, and where nobody can be asked."""
    if pack.use != "research":
        return True
    typer.echo(f"{pack.title}\nLicence: {pack.licence.name}\n{pack.licence.summary}\n{pack.licence.url}", err=True)
    if beforehand:
        return True
    if not sys.stdin.isatty():
        raise LicenceRefused(
            f"pack {pack.name} is for research only and nobody is here to accept its licence",
            hint="read it above, then give --accept-licence",
        )
    if not typer.confirm(f"Do you accept this licence for pack {pack.name}?", default=False, err=True):
        raise LicenceRefused(f"the licence of pack {pack.name} was not accepted", hint="choose another pack")
    return True


_STATES = ("ready", "missing", "wrong")
"""Of a file, good to bad; a pack is as good as its worst file."""


def _states(pack: Pack) -> list[dict[str, str]]:
    """Per file: pack, file, state, where, sha256 (as the pack says)."""
    from lfr.vision.packs import default_roots, load_pack, look_for, pack_files, pack_names  # noqa: PLC0415

    known = {item.sha256 for name in pack_names() for item in pack_files(load_pack(name))}
    rows = []
    for item in pack_files(pack):
        path, passed = look_for(pack, item.file, item.sha256, default_roots())
        # A file of this name with another known pack's hash is that pack's, not a damaged one of ours.
        wrong = [(where, digest) for where, digest in passed if digest not in known]
        state, where, found = "missing", "", ""
        if path is not None:
            state, where, found = "ready", str(path), item.sha256
        elif wrong:
            state, where, found = "wrong", str(wrong[0][0]), wrong[0][1]
        rows.append(
            {
                "pack": pack.name,
                "file": item.file,
                "state": state,
                "where": where,
                "sha256": item.sha256,
                "found_sha256": found,
            }
        )
    return rows


def _print(rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns, nothing cut off: paths and hashes are there to be copied."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _yes(value: bool) -> str:
    return "yes" if value else "no"
