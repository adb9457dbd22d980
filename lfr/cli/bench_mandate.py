"""`lfr bench mandate`: what it costs to ask for the mandate on every call (A1)."""

from __future__ import annotations

from typing import Annotated

import typer

from lfr.cli.clip_options import Json
from lfr.cli.output import print_json, print_table

FRAMES_PER_SECOND = 15


def mandate(
    amendments: Annotated[int, typer.Option(min=0, max=1000, help="How often the list was added to.")] = 20,
    policy: Annotated[str, typer.Option(help="A policy's name or file.")] = "uk-default",
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long to measure.")] = 4.0,
    json: Json = False,
) -> None:
    """Time the checks of one frame with faces: detection and embedding ask twice each, the matcher once.

    The share is of one core at 15 processed frames a second. The last line of stdout is JSON.
    """
    from lfr.evaluation import mandate_cost  # noqa: PLC0415
    from lfr.services import policies  # noqa: PLC0415 - SQLAlchemy is slow to load

    found = mandate_cost.measure(policies.load(policy), amendments=amendments, seconds=seconds)
    said = {
        "amendments": found.amendments,
        "bytes": found.bytes,
        "verify_ms": found.verify_ms,
        "check_us": found.check_us,
        "carry_us": found.carry_us,
        "frame_us": round(mandate_cost.CHECKS_PER_FRAME * (found.check_us + found.carry_us), 1),
        "core_share": round(found.share(FRAMES_PER_SECOND), 5),
    }
    if not json:
        print_table(("mandate", ""), list(said.items()))
    print_json(said)
