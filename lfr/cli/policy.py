"""`lfr policy`: what a force has bound itself to; whether it agrees with itself; how two versions differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from lfr.cli.office import Office, at_office
from lfr.cli.output import print_json, text_table
from lfr.domain.errors import ConfigError
from lfr.domain.notice import notice as public_notice
from lfr.domain.periods import periods
from lfr.domain.policy import Policy
from lfr.domain.policy_check import faults, open_points
from lfr.services import notices, policies

app = typer.Typer(no_args_is_help=True, help="What a force has bound itself to.")

Named = Annotated[str, typer.Argument(help="A policy's name, or its YAML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="The whole policy as one JSON line on stdout.")]


@app.callback()
def policy() -> None:
    """What a force has bound itself to: show, check, compare, announce."""


@app.command()
def show(named: Named = "uk-default", as_json: AsJson = False) -> None:
    """Who may authorise, for what, whom to list, and how long anything is kept."""
    held = policies.load(named)
    if as_json:
        print_json({"digest": held.digest, **msgspec.to_builtins(held)})
        return
    for title, rows in _tables(held):
        typer.echo(title)
        text_table(("", ""), rows)
        typer.echo("")


def _tables(held: Policy) -> list[tuple[str, list[tuple[str, str]]]]:
    authority, rules = held.authority, held.watchlist
    return [
        (
            held.title,
            [("name", held.name), ("version", held.version), ("modes", ", ".join(held.modes)), ("digest", held.digest)],
        ),
        (
            "Authority",
            [
                ("rank", f"{authority.min_rank} or above"),
                ("urgent", authority.urgent_rank or "never"),
                ("window", f"at most {authority.max_window_hours:g} h"),
                ("named", ", ".join(held.people) or "nobody in particular"),
                ("documents", ", ".join(one.code for one in held.documents) or "none"),
                ("approvers", ", ".join(f"{one.code} ({one.when})" for one in held.approvers) or "none"),
            ],
        ),
        ("Use cases", [(one.code, one.title) for one in held.use_cases]),
        ("Categories", [(one.code, one.title) for one in held.categories if not one.disabled]),
        ("Sources", [(one.code, one.title) for one in held.sources]),
        (
            "Watchlist",
            [
                ("bands", ", ".join(f"{band:,}" for band in rules.bands)),
                ("cap", f"{rules.cap:,}"),
                ("age", f"at most {rules.max_age_hours:g} h before the start"),
                ("under age", "listed by decision" if held.ages.minors else "not listed"),
            ],
        ),
        ("Kept", [(one.what, one.how_long) for one in periods(held)]),
    ]


@app.command()
def check(named: Annotated[list[str], typer.Argument(help="Policies by name, or YAML files.")]) -> None:
    """Everything in which a policy contradicts itself, at once; and what is still to be filled in.

    Exit code 1 when something is wrong; open points alone do not count.
    """
    wrong = 0
    for one in named:
        try:
            held = policies.read(one)
        except ConfigError as error:
            wrong += 1
            typer.echo(f"{one}: {error.message}")
            continue
        found = faults(held)
        wrong += len(found)
        typer.echo(f"{one}: {held.name} {held.version}, {len(found)} faults" if found else f"{one}: no fault")
        for fault in found:
            typer.echo(f"  ✗ {fault}")
        for point in open_points(held):
            typer.echo(f"  ! {point}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A policy's name, or its YAML file.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
) -> None:
    """Every key in which two policies differ. Exit code 1 when they do."""
    found = policies.differences(policies.load(before), policies.load(after))
    for one in found:
        typer.echo(one.where)
        typer.echo(f"  - {_told(one.before)}")
        typer.echo(f"  + {_told(one.after)}")
    if found:
        raise typer.Exit(1)


def _told(value: object) -> str:
    if value is None:
        return "(not there)"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


@app.command()
def notice(
    named: Annotated[str, typer.Argument(help="A policy's name, or its YAML file; the configuration's without.")] = "",
    config: Annotated[Path | None, typer.Option("--config", help="The system's configuration file.")] = None,
    deployment: Annotated[
        str, typer.Option("--deployment", help="Announce this deployment: its id, its first digits, or `current`.")
    ] = "",
) -> None:
    """The public notice as Markdown: of the policy alone, or of one deployment (with --config)."""
    if config is None:
        if deployment:
            raise ConfigError("a deployment is found through its system", hint="give --config FILE, too")
        typer.echo(public_notice(policies.load(named or "uk-default")), nl=False)
        return

    async def text(office: Office) -> str:
        held = policies.load(named) if named else office.policy
        if not deployment:
            return public_notice(held)
        row = await office.find("" if deployment == "current" else deployment)
        return notices.text_for(row, held)

    typer.echo(at_office(config, text), nl=False)
