"""`lfr bench`: how fast and how good, beside the loop a user would write and beside the bound. On the same cores."""

from __future__ import annotations

import json as json_lib
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lfr import log
from lfr.cli import bench_close, bench_mandate
from lfr.cli.bench_import import import_
from lfr.cli.bench_set import bench_calibration, bench_set
from lfr.cli.clip_options import Clip, Faces, Json, PaceOption, PackName, Threshold, TruthFile
from lfr.cli.output import print_json, print_table
from lfr.domain.errors import RuntimeFailed
from lfr.evaluation.clip_run import Pace
from lfr.evaluation.truth import load_truth

app = typer.Typer(no_args_is_help=True, help="Speed and accuracy beside the loop a user would write, and the bound.")


app.command(name="import")(import_)


@app.callback()
def bench() -> None:
    """Speed and accuracy beside the loop a user would write, and the bound."""


app.command()(bench_close.close)
app.command()(bench_mandate.mandate)
app.command("set")(bench_set)
app.command("calibration")(bench_calibration)


@app.command()
def pipeline(
    clip: Clip,
    truth: TruthFile,
    faces: Faces,
    pack: PackName = "permissive",
    threshold: Threshold = None,
    baseline_threshold: Annotated[
        float | None,
        typer.Option(help="The loop's threshold.", show_default="0.35; for dlib 0.50"),
    ] = None,
    pace: PaceOption = "file",
    json: Json = False,
) -> None:
    """Measure a clip four times, one after the other, each in its own process.

    First our run (lfr evaluate clip), then the loop a user would write today (every frame, every face, one at a time),
    then the bound (decoding, the same detections and as many templates, nothing else), then decoding and detecting
    every frame. The last line of stdout is JSON.
    """
    from lfr.evaluation.apart import apart  # noqa: PLC0415
    from lfr.evaluation.baseline import run_baseline  # noqa: PLC0415 - OpenCV is heavy
    from lfr.evaluation.bound import run_bound  # noqa: PLC0415
    from lfr.evaluation.clip_frames import require_clip  # noqa: PLC0415
    from lfr.evaluation.comparison import compare, default_threshold  # noqa: PLC0415
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415

    log.configure("WARNING")
    known = load_truth(truth)
    people = known.enrolment(faces)
    require_clip(clip)
    located = locate(load_pack(pack), default_roots())
    _tell("1 of 4: our pipeline")
    ours = _our_run(clip, truth, faces, pack, threshold, pace)
    _tell("2 of 4: the loop a user would write")
    baseline = apart(run_baseline, clip, people, located)
    _tell("3 of 4: the bound")
    frames, processed, templates = ours["frames"], ours["frames_processed"], ours["embeddings"]
    bound = apart(run_bound, clip, located, of=frames, processed=processed, embeddings=templates)
    _tell("4 of 4: decoding and detecting every frame")
    detector_bound = apart(run_bound, clip, located, of=frames, processed=frames, embeddings=0)
    level = default_threshold(located.pack.engine) if baseline_threshold is None else baseline_threshold
    said = {
        "pack": located.pack.name,
        "clip": clip.name,
        **compare(known, ours, baseline, level, bound, detector_bound),
    }
    if not json:
        _show(said)
    print_json(said)


@app.command()
def preflight(
    entries: Annotated[int, typer.Option(help="How many people are listed.", min=1, max=20_000)] = 20_000,
    repeats: Annotated[int, typer.Option(help="How often each step is judged.", min=1)] = 5,
    database: Annotated[str | None, typer.Option(help="An empty PostgreSQL database; SQLite by default.")] = None,
    json: Json = False,
) -> None:
    """How long it takes to say all that is missing of a deployment: gathering the facts and judging them.

    The last line of stdout is JSON; seconds are medians.
    """
    import asyncio  # noqa: PLC0415

    from lfr.cli.preflight import measure  # noqa: PLC0415

    log.configure("WARNING")
    said = asyncio.run(measure(entries, repeats, database, _tell))
    if not json:
        steps = [
            (name.removesuffix("_s").replace("_", " "), value) for name, value in said.items() if name[-2:] == "_s"
        ]
        print_table(("step", "seconds"), steps)
    print_json(said)


def _our_run(clip: Path, truth: Path, faces: Path, pack: str, threshold: float | None, pace: Pace) -> dict[str, Any]:
    command = [sys.executable, "-m", "lfr", "evaluate", "clip", str(clip), "--truth", str(truth), "--faces", str(faces)]
    command += ["--pack", pack, "--pace", pace, "--json"]
    command += [] if threshold is None else ["--threshold", str(threshold)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        raise RuntimeFailed("our run did not complete", hint="what it said stands above")
    said: dict[str, Any] = json_lib.loads(lines[-1])
    return said


def _show(said: dict[str, Any]) -> None:
    rows = [
        ("ours", said["fps"], said["found"], said["false_alerts"], said["tpir"], said["threshold"]),
        (
            f"loop ({said['baseline']})",
            said["baseline_fps"],
            said["baseline_found"],
            said["baseline_false_alerts"],
            said["baseline_tpir"],
            said["baseline_threshold"],
        ),
        ("bound", said["bound_fps"], None, None, None, None),
        ("decode + detector, every frame", said["detector_bound_fps"], None, None, None, None),
    ]
    print_table(("", "fps", "found", "false", "tpir", "threshold"), rows)
    print_table(
        ("ratio", ""), [("speedup over the loop", said["speedup"]), ("share of the bound", said["bound_share"])]
    )
    for name, curve in (("ours", said["curve"]), ("loop", said["baseline_curve"])):
        print_table((f"{name}: threshold", "found", "false"), curve)


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
