"""The root of the `lfr` command: what commands there are, and what a failure looks like.

A command's module is imported when that command is used, so that `lfr --help` does not wait for Ray, OpenCV or ONNX.
Exit codes: 0 done, 1 a clear error, 2 wrong usage, 70 a bug of ours, 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from lfr import __version__
from lfr.domain.errors import LfrError


class _Place(NamedTuple):
    """Where a command lives. group: whether it has commands of its own."""

    module: str
    group: bool
    help: str


_COMMANDS = {
    "demo": _Place(
        "lfr.cli.demo", False, "See it work: a simulated street, one listed volunteer, an alert in the browser."
    ),
    "serve": _Place("lfr.cli.serve", False, "Run a van or a region from a configuration file."),
    "check": _Place("lfr.cli.check", False, "Say all that is wrong with a configuration, at once."),
    "status": _Place("lfr.cli.status", False, "What a running system is doing: cameras, actors, alerts."),
    "deployment": _Place(
        "lfr.cli.deployment", True, "Plan a deployment, have it authorised, go live, stop, end and close it."
    ),
    "watchlist": _Place("lfr.cli.watchlist", True, "Import, list, add and revoke watchlist entries."),
    "retention": _Place("lfr.cli.retention", True, "What is kept, what must go, and whether the books balance."),
    "hold": _Place("lfr.cli.hold", True, "Keep an alert's pictures as evidence, and let go of them."),
    "ledger": _Place("lfr.cli.ledger", True, "Who was listed: for the data protection officer alone."),
    "camera": _Place("lfr.cli.camera", True, "Try a camera before it is used."),
    "models": _Place("lfr.cli.models", True, "List, verify, import and pull model packs."),
    "user": _Place("lfr.cli.user", True, "Who may sign in."),
    "key": _Place("lfr.cli.key", True, "What decisions are signed with, and who vouches for it."),
    "policy": _Place("lfr.cli.policy", True, "What a force has bound itself to: show, check, compare, announce."),
    "document": _Place("lfr.cli.document", True, "The assessments and policies that a deployment rests on."),
    "evaluate": _Place("lfr.cli.evaluate", True, "Score the system on a clip or a face set whose truth is known."),
    "simulate": _Place(
        "lfr.cli.simulate", False, "Make a clip of people walking past a camera, with its truth, from face pictures."
    ),
    "bench": _Place("lfr.cli.bench", True, "Speed and accuracy beside the loop a user would write, and the bound."),
    "node": _Place("lfr.cli.node", True, "Make this machine a node of a regional cluster."),
}


class _Root(TyperGroup):
    """Shows every command from the table above and imports only the one that is used."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        for name, place in _COMMANDS.items():
            self.add_command(TyperCommand(name, help=place.help), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in the place of its stand-in, then go on as usual."""
        if args and args[0] in _COMMANDS:
            self.add_command(_load(args[0]), args[0])
        return super().resolve_command(ctx, args)


def _load(name: str) -> Any:
    place = _COMMANDS[name]
    group = typer.main.get_group(importlib.import_module(place.module).app)
    command = group if place.group else next(iter(group.commands.values()))
    command.name = name
    return command


app = typer.Typer(cls=_Root, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lfr {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Live facial recognition with its safeguards in the code path.

    A first look: lfr demo. A van of your own: copy configs/van.yaml, then lfr check --config FILE and
    lfr serve --config FILE. LFR_DEBUG=1 shows a traceback where a command fails.
    """


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        typer.main.get_command(app).main(args=arguments, prog_name="lfr")
    except Exception as error:
        raise SystemExit(_report(error)) from None
    except KeyboardInterrupt:  # outside of any command: an import, say
        raise SystemExit(130) from None


def _report(error: Exception) -> int:
    """Say on stderr what went wrong, in one line and a hint. Returns the exit code.

    An unexpected error is told by its type and place only: its words could hold what must not be shown.
    """
    if os.environ.get("LFR_DEBUG") == "1":
        traceback.print_exception(error)
    known = _known(error)
    if known is not None:
        _say(known.message, known.hint)
        return 1
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        _say("the disk is full", "make room, then run this again; nothing half-written was kept")
        return 1
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("lfr"):
        _say(f"the package {error.name} is not installed", "install this project again: scripts/install")
        return 1
    python, system = platform.python_version(), platform.system()
    _say(
        f"internal error: {type(error).__name__} at {_place(error)} (lfr {__version__}, Python {python}, {system})",
        "this is a bug: please report that line; LFR_DEBUG=1 shows the traceback",
    )
    return 70


def _known(error: BaseException) -> LfrError | None:
    """The error of ours in it, also inside a group of errors or in an actor's."""
    if isinstance(error, LfrError):
        # An error from an actor is of two types at once and may hold the actor's traceback in its words.
        cause = getattr(error, "cause", None)
        return cause if isinstance(cause, LfrError) else error
    if isinstance(error, BaseExceptionGroup):
        return next((found for found in map(_known, error.exceptions) if found is not None), None)
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, LfrError) else None


def _place(error: BaseException) -> str:
    """The innermost line of ours, or of anybody where none of ours is in it."""
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parents[1]) + os.sep
    ours = [frame for frame in frames if frame.filename.startswith(package) and frame.filename != __file__]
    return next((f"{Path(f.filename).name}:{f.lineno}" for f in reversed(ours or frames)), "an unknown place")


def _say(message: str, hint: str) -> None:
    first = message.splitlines()[0] if message else "failed"
    print(f"error: {first}", file=sys.stderr)
    if hint:
        print(f"hint: {hint.splitlines()[0]}", file=sys.stderr)
    sys.stderr.flush()
