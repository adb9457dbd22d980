"""What `lfr evaluate clip` and `lfr bench pipeline` both ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfr.evaluation.clip_run import Pace

Clip = Annotated[Path, typer.Argument(help="The clip, a video file.", show_default=False)]
TruthFile = Annotated[
    Path,
    typer.Option(
        "--truth", help="What really happens in the clip, JSON. Only the scorer reads it.", show_default=False
    ),
]
Faces = Annotated[
    Path, typer.Option("--faces", help="The folder that the truth's picture paths are relative to.", show_default=False)
]
PackName = Annotated[str, typer.Option("--pack", help="A pack's name or file; lfr models list shows them.")]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", help="Our threshold; without it the pack's calibrated one.", show_default=False),
]
PaceOption = Annotated[
    Pace,
    typer.Option("--pace", help="file: every frame, as fast as it goes. live: the clip's rate, newest frame wins."),
]
Json = Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")]
