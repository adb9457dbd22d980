"""`lfr bench set` and `lfr bench calibration`: how fast a set is evaluated, and whether stated intervals are honest."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli.clip_options import Json, PackName
from lfr.cli.evaluate_set import Folder
from lfr.cli.output import print_json, print_table, progress_on_stderr

Seed = Annotated[int, typer.Option(min=0, help="Chooses halves and lists.")]


def bench_set(
    folder: Folder,
    pack: PackName = "permissive",
    limit: Annotated[int, typer.Option(min=1, help="How many pictures to measure with.")] = 500,
    json: Json = False,
) -> None:
    """Pictures a second: evaluation's own path, beside detecting and embedding each decoded picture once."""
    from lfr.evaluation.labelled_set import read_set  # noqa: PLC0415 - heavy
    from lfr.evaluation.set_bound import measure_speed  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    log.configure("WARNING")
    located = locate(load_pack(pack), default_roots())
    pictures = read_set(folder).pictures[:limit]
    with progress_on_stderr() as progress:
        found = measure_speed(located, pictures, lambda done, total: progress("turn", done, total))
    said = {
        "pack": located.pack.name,
        "images": found.pictures,
        "images_per_s": round(found.ours, 2),
        "bound_per_s": round(found.bound, 2),
        "bound_share": round(found.share, 3),
        "bound_workers": found.bound_workers,
        "bound_threads": found.bound_threads,
    }
    _say(said, json)


def bench_calibration(
    folder: Folder,
    pack: PackName = "permissive",
    target: Annotated[float, typer.Option("--target-fpir", min=1e-6, max=0.5, help="FPIR to derive for.")] = 0.01,
    splits: Annotated[int, typer.Option(min=1, help="How often the set is split in halves.")] = 200,
    entries: Annotated[
        int | None, typer.Option(min=1, help="People on each half's list.", show_default="a tenth of all")
    ] = None,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Derive a threshold on one half of a set, try it on the other, and count how often the stated interval held.

    At 95 % an honest interval holds in 90 to 99 of 100 splits. The plain binomial interval of the second half stands
    beside it: it forgets that the threshold itself is uncertain.
    """
    from lfr.domain.intervals import wilson  # noqa: PLC0415
    from lfr.evaluation.embed_set import embed_set  # noqa: PLC0415 - heavy
    from lfr.evaluation.honesty import try_splits  # noqa: PLC0415
    from lfr.evaluation.labelled_set import read_set  # noqa: PLC0415
    from lfr.evaluation.openset import Material  # noqa: PLC0415
    from lfr.evaluation.set_bound import set_engines  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    log.configure("WARNING")
    located = locate(load_pack(pack), default_roots())
    people = read_set(folder)
    engines = set_engines(located)
    try:
        with progress_on_stderr() as progress:
            embedded = embed_set(
                engines, located.pack, people.pictures, lambda done, total: progress("embed", done, total)
            )
            material = Material(people, embedded.templates, embedded.seen, located.pack.recogniser.metric)
            found = try_splits(
                material, target=target, splits=splits, seed=seed, entries=entries,
                progress=lambda done, total: progress("split", done, total),
            )  # fmt: skip
    finally:
        for engine in engines:
            engine.close()
    low, high = wilson(found.covered, found.splits)
    said = {
        "pack": located.pack.name,
        "identities": len(people.people),
        "target_fpir": target,
        "watchlist_size": found.entries,
        "splits": found.splits,
        "covered": found.covered,
        "coverage": round(found.share, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "honest": 0.90 <= found.share <= 0.99,
        "plain_interval_coverage": round(found.naive / found.splits, 4),
        "mean_fpir": round(float(found.fpir.mean()), 6),
    }
    _say(said, json)


def _say(said: dict[str, Any], json: bool) -> None:
    if json:
        print_json(said)
    else:
        print_table((f"pack {said['pack']}", ""), [(name, value) for name, value in said.items() if name != "pack"])
