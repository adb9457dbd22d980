"""`lfr evaluate envelope`: in which conditions of the picture a pack finds whom it should."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from lfr import log
from lfr.cli.clip_options import Json, PackName, Threshold
from lfr.cli.output import print_json, print_table, progress_on_stderr


def envelope(
    faces: Annotated[
        Path, typer.Argument(help="Pictures, a folder for each person, two or more of each.", show_default=False)
    ],
    pack: PackName = "permissive",
    out: Annotated[
        Path, typer.Option(help="Folder for envelope.json and envelope.html; made if it is not there.")
    ] = Path("envelope"),
    watchlist_size: Annotated[int, typer.Option(min=1, help="People listed.")] = 200,
    transits: Annotated[int, typer.Option(min=10, help="Listed people who pass, at each level.")] = 100,
    floor: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="The lower end of TPIR's 95 % interval must reach this.")
    ] = 0.85,
    target_fpir: Annotated[
        float | None,
        typer.Option(min=1e-9, max=0.5, help="Of the threshold; without it the pack's own.", show_default=False),
    ] = None,
    threshold: Threshold = None,
    without: Annotated[
        list[Path] | None,
        typer.Option("--without", help="A truth file whose people are not used.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses people and how they move.")] = 1,
    json: Json = False,
) -> None:
    """Find the certified envelope of a pack (C5): face size, turn, blur and light, each as far as enough are found.

    Listed people pass in simulated transits while one condition is held at each of its levels; everything goes through
    the pack's own detector, shot rules, fusion and search. The exit code is 0 also where there is no envelope.
    """
    from lfr.evaluation.envelope.find import Wanted, find_envelope, report_of  # noqa: PLC0415 - heavy
    from lfr.evaluation.envelope.page import page  # noqa: PLC0415
    from lfr.evaluation.files import require_folder, write_files  # noqa: PLC0415
    from lfr.evaluation.truth import load_truth  # noqa: PLC0415
    from lfr.vision.engine import open_engine  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate, pack_digest  # noqa: PLC0415

    log.configure("WARNING")
    excluded = frozenset(name for path in without or [] for name in load_truth(path).people())
    wanted = Wanted(watchlist_size, transits, floor, target_fpir, threshold, seed, excluded)
    located = locate(load_pack(pack), default_roots())
    require_folder(out)
    engine = open_engine(located, threads=os.cpu_count() or 1)
    started = time.perf_counter()
    try:
        with progress_on_stderr() as progress:
            found = find_envelope(engine, located.pack, faces, wanted, progress)
    finally:
        engine.close()
    report = report_of(found, located.pack, pack_digest(located.pack), time.perf_counter() - started)
    figures = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    write_files(out, {"envelope.html": page(report).encode(), "envelope.json": figures})
    if json:
        print_json(report)
    else:
        _show(report, out)


def _show(report: dict[str, Any], out: Path) -> None:
    for axis in report["axes"]:
        rows = [
            (level["at"], level["found"], level["transits"], level["low"], level["high"], level["wrong"])
            for level in axis["levels"]
        ]
        print_table((axis["title"], "found", "of", "low", "high", "wrong"), rows)
    if report["envelope"] is None:
        typer.echo(report["refusal"])
    else:
        print_table(("certified envelope", ""), list(report["envelope"].items()))
    typer.echo(f"{out / 'envelope.html'}")
