"""`lfr evaluate set`: how good a pack is on a labelled face set, with the evidence beside every figure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli.clip_options import Json, PackName
from lfr.cli.output import print_json, print_table, progress_on_stderr

Folder = Annotated[Path, typer.Argument(help="Pictures, one folder for each person.", show_default=False)]


def evaluate_set(
    folder: Folder,
    pack: PackName = "permissive",
    pairs: Annotated[
        Path | None, typer.Option(help="Pairs of pictures in LFW's form, for the 1:1 line.", show_default=False)
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(help="A CSV with a column `identity`. Read after all scores are made.", show_default=False),
    ] = None,
    group_by: Annotated[
        list[str] | None,
        typer.Option("--group-by", help="A column of groups; again for more.", show_default="those ending in _label"),
    ] = None,
    watchlist_size: Annotated[
        int | None, typer.Option(min=1, help="People on each list.", show_default="500 or half of the people")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses lists, resamples and folds.")] = 1,
    draws: Annotated[int, typer.Option(min=20, help="How many lists are drawn and pooled.")] = 20,
    transits: Annotated[
        int, typer.Option(min=0, help="Unlisted people who pass by as made transits; as many listed ones do too.")
    ] = 0,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="The library's own path on the same pictures and lists, too.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the report (HTML, PDF, JSON) here.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Open-set identification of a pack on a labelled face set, by draws of lists, with 95 % intervals.

    Progress goes to stderr; with --json the last line of stdout is the result. Templates stay in memory. Only the
    report's files on this machine name anybody: suspects, so that a person can look at them.
    """
    from lfr.evaluation.baseline_set import embed_baseline  # noqa: PLC0415 - heavy
    from lfr.evaluation.embed_set import embed_set  # noqa: PLC0415 - heavy
    from lfr.evaluation.files import require_folder  # noqa: PLC0415
    from lfr.evaluation.groups import read_groups  # noqa: PLC0415
    from lfr.evaluation.labelled_set import read_set  # noqa: PLC0415
    from lfr.evaluation.openset import check_lists, usual_entries  # noqa: PLC0415
    from lfr.evaluation.set_bound import set_engines  # noqa: PLC0415
    from lfr.evaluation.set_json import as_json  # noqa: PLC0415
    from lfr.evaluation.set_run import Plan, evaluate_set  # noqa: PLC0415
    from lfr.evaluation.verification import read_pairs  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    log.configure("WARNING")
    started = time.perf_counter()
    located = locate(load_pack(pack), default_roots())
    people = read_set(folder)
    known_groups = read_groups(groups, people.people, group_by or ()) if groups else None
    known_pairs = read_pairs(pairs, people) if pairs else None
    plan = Plan(watchlist_size or max(1, usual_entries(people)), seed, draws, transits)
    check_lists(people, plan.entries, images=1)
    if out is not None:
        require_folder(out)
    engines = set_engines(located)
    try:
        with progress_on_stderr() as progress:
            embedded = embed_set(
                engines, located.pack, people.pictures, lambda done, total: progress("embed", done, total)
            )
            theirs = None
            if baseline:
                theirs = embed_baseline(located, people.pictures, lambda done, total: progress("baseline", done, total))
            found = evaluate_set(
                engines, located.pack, people, embedded, plan,
                pairs=known_pairs, groups=known_groups, baseline=theirs, progress=progress, started=started,
            )  # fmt: skip
    finally:
        for engine in engines:
            engine.close()
    said = as_json(found)
    said["report"] = None
    if out is not None:
        from lfr.evaluation.report.write import write_report  # noqa: PLC0415 - heavy

        said["report"] = [path.name for path in write_report(found, said, folder.name, out)]
    if json:
        print_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:
    counts = ("images", "identities", "watchlist_size", "draws", "fte", "rank1", "accuracy_1to1", "seconds")
    print_table((f"pack {said['pack']}", ""), [(name, said[name]) for name in counts])
    print_table(
        ("FPIR", "TPIR", "95 % from", "to", "threshold", "errors", "of", "evidence"),
        [
            (target, p["tpir"], p["low"], p["high"], round(p["threshold"], 4), p["errors"], p["nonmated"], _enough(p))
            for target, p in said["tpir_at_fpir"].items()
        ],
    )
    for column, groups in {**said["by_group"], **said["by_intersection"]}.items():
        print_table(
            (column, "people", "TPIR", "95 % from", "to", "state", "FPIR", "95 % from", "to", "state"),
            [
                (name, g["people"], g["tpir"], g["low"], g["high"], g["tpir_state"], *_fpir(g))
                for name, g in groups.items()
            ],
        )
    print_table(("what is odd in the set", ""), [*said["problems"].items(), *said["suspects"].items()])
    for point in said["tpir_at_fpir"].values():
        if not point["supported"]:
            print(point["evidence"])


def _fpir(group: dict[str, Any]) -> tuple[Any, ...]:
    return group["fpir"], group["fpir_low"], group["fpir_high"], group["fpir_state"]


def _enough(point: dict[str, Any]) -> str:
    return "enough" if point["supported"] else "too thin"
