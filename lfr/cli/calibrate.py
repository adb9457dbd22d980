"""`lfr evaluate calibrate`: the curve a pack's thresholds come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer

from lfr.cli.clip_options import PackName
from lfr.cli.output import progress_on_stderr
from lfr.domain.errors import SourceError


def calibrate(
    faces: Annotated[Path, typer.Argument(help="Pictures, one folder for each person.", show_default=False)],
    pack: PackName = "permissive",
    without: Annotated[
        list[Path] | None,
        typer.Option(
            "--without",
            help="A truth file whose people are not used: no clip is scored by a threshold made on it.",
            show_default=False,
        ),
    ] = None,
    walkers: Annotated[int, typer.Option(help="How many people pass by.", min=1)] = 800,
    listed: Annotated[int, typer.Option(help="How many other people they are compared with.", min=1)] = 1200,
    seed: Annotated[int, typer.Option(help="Chooses people and walks.")] = 1,
    target_fpir: Annotated[
        float, typer.Option(min=1e-9, max=0.5, help="Written into the result: false alerts per transit.")
    ] = 0.02,
) -> None:
    """Measure how high unlisted people score, and print the `calibration` of a pack file as YAML.

    Made transits go through the pack's own detector, recogniser, shot rules and fusion. Nothing is kept but the curve.
    """
    from lfr.evaluation import calibrate as measuring  # noqa: PLC0415 - heavy
    from lfr.evaluation.set_bound import set_engines  # noqa: PLC0415
    from lfr.evaluation.tail import fit_tail  # noqa: PLC0415
    from lfr.evaluation.truth import load_truth  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    excluded: set[str] = set()
    for path in without or []:
        excluded |= load_truth(path).people()
    located = locate(load_pack(pack), default_roots())
    people = measuring.identities(faces, excluded)
    if len(people) < walkers + listed:
        raise SourceError(
            f"{len(people)} people are left, {walkers + listed} are needed", hint="lower --walkers and --listed"
        )
    np.random.default_rng(seed).shuffle(people)
    engines = set_engines(located)
    try:
        with progress_on_stderr() as progress:
            tail = measuring.measure(
                engines,
                located.pack,
                people[:walkers],
                people[walkers : walkers + listed],
                seed,
                lambda done, total: progress("walk", done, total),
            )
    finally:
        for engine in engines:
            engine.close()
    method = f"made transits of {tail.seen} people against {listed} others, none of them in a scored clip"
    found = fit_tail(tail, method, target_fpir)
    typer.echo(msgspec.yaml.encode({"calibration": found}).decode(), nl=False)
