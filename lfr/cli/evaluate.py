"""`lfr evaluate`: how well the system does where the truth is known."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from lfr import log
from lfr.cli.attack import attack
from lfr.cli.calibrate import calibrate
from lfr.cli.clip_options import Clip, Faces, Json, PaceOption, PackName, Threshold, TruthFile
from lfr.cli.envelope import envelope
from lfr.cli.evaluate_set import evaluate_set
from lfr.cli.evaluate_threshold import threshold as threshold_for_list
from lfr.cli.output import print_json, print_table, progress_on_stderr
from lfr.evaluation.curve import run_curve
from lfr.evaluation.score import score_clip
from lfr.evaluation.truth import load_truth

app = typer.Typer(no_args_is_help=True, help="Score the system on a clip or a face set whose truth is known.")


@app.callback()
def evaluate() -> None:
    """Score the system on a clip or a face set whose truth is known.

    A clip needs a truth file by design: it is not a tool to search footage.
    """


app.command()(calibrate)
app.command("set")(evaluate_set)
app.command("threshold")(threshold_for_list)
app.command()(envelope)
app.command()(attack)


@app.command()
def clip(
    clip: Clip,
    truth: TruthFile,
    faces: Faces,
    pack: PackName = "permissive",
    threshold: Threshold = None,
    pace: PaceOption = "file",
    json: Json = False,
) -> None:
    """Run a clip through the same actors as live and score the alerts.

    Progress and logs go to stderr. The exit code is 0 whenever the run completed, whatever the score.
    """
    from lfr.actors.clip import run_clip  # noqa: PLC0415 - Ray is heavy
    from lfr.evaluation.clip_frames import require_clip  # noqa: PLC0415 - OpenCV is heavy
    from lfr.vision.packs import default_roots, load_pack, locate  # noqa: PLC0415 - heavy

    log.configure("WARNING")
    known = load_truth(truth)
    people = known.enrolment(faces)
    require_clip(clip)
    located = locate(load_pack(pack), default_roots())
    with progress_on_stderr() as progress:
        run = asyncio.run(run_clip(clip, people, located, threshold=threshold, pace=pace, progress=progress))
    points = run_curve(known, run)
    said = {"pack": located.pack.name, **score_clip(known, run)}
    said["curve"] = [[point.threshold, point.found, point.false_alerts] for point in points]
    if json:
        print_json(said)
    else:
        _show(said)


def _show(said: dict[str, Any]) -> None:
    rates = [(name, said[name]) for name in ("tpir", "fpir")]
    counts = (
        "watchlist_tracks",
        "found",
        "duplicate_alerts",
        "false_alerts",
        "truth_tracks",
        "enrolled",
        "enrol_failed",
    )
    work = ("frames", "frames_processed", "frames_dropped", "detections", "embeddings", "transits", "seconds", "fps")
    print_table(("accuracy", ""), [*rates, *((name, said[name]) for name in counts), ("threshold", said["threshold"])])
    print_table(("work", ""), [("pace", said["pace"]), *((name, said[name]) for name in work)])
    times = ("latency_ms", "first_shot_to_alert_ms", "nonmatch_age_ms")
    print_table(
        ("times, ms", "p50", "p95", "p99", "max"),
        [(name, *(said[name].get(column) for column in ("p50", "p95", "p99", "max"))) for name in times],
    )
    print_table(("found against false alerts: threshold", "found", "false"), said["curve"])
