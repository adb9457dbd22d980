"""`lfr deployment`: a deployment from its plan to its review. Plans and looks here; decisions and running beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlmodel import col, select

from lfr import log
from lfr.cli import deployment_decisions, deployment_evidence, deployment_running
from lfr.cli.office import As, ConfigFile, Office, PasswordFile, Which, at_office
from lfr.cli.output import print_json, text_table
from lfr.config import load
from lfr.domain.errors import ConfigError
from lfr.domain.gates import WANTED, Gate, Missing, Wanted, checklist
from lfr.services import deployments, facts, plans, policies
from lfr.services.life import plan_of
from lfr.storage.columns import now
from lfr.storage.models import Deployment, SignedDecision

app = typer.Typer(no_args_is_help=True, help="A deployment from its plan to its review.")

AsJson = Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")]
Checklist = tuple[tuple[Gate, tuple[Missing, ...]], ...]
NEXT: dict[str, Wanted] = {
    "draft": "submit",
    "refused": "submit",
    "submitted": "authorise",
    "authorised": "approve-list",
    "live": "continue",
    "paused": "continue",
}
"""What somebody probably wants next in this state."""


@app.callback()
def logs() -> None:
    """A deployment from its plan to its review."""
    log.configure("WARNING")


@app.command()
def new(
    config: ConfigFile,
    plan: Annotated[Path, typer.Option("--plan", help="The plan: a YAML file; --template of `plan` prints one.")],
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Make a draft from a plan, and print its id. The plan may still be incomplete."""
    written = plans.read(plan)

    async def make(office: Office) -> Deployment:
        by = await office.acting(name, password_file)
        bundle = office.bundle()
        return await deployments.make(
            office.db,
            system=office.config.name,
            mode=office.config.mode,
            pack=bundle.pack,
            pack_digest=bundle.pack_digest,
            policy=office.policy,
            plan=written,
            by=by,
        )

    made = at_office(config, make)
    typer.echo(str(made.id))
    typer.echo("see what is missing: lfr deployment check", err=True)


@app.command()
def plan(
    config: ConfigFile,
    deployment: Which = "",
    template: Annotated[bool, typer.Option("--template", help="Print a commented plan to be filled in.")] = False,
    file: Annotated[Path | None, typer.Option("--file", help="Give the draft this plan instead.")] = None,
    version: Annotated[int | None, typer.Option(help="Refuse if somebody has changed it since this version.")] = None,
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Print the plan of a deployment as YAML, change it with --file, or print a template."""
    if template:
        loaded = load(config)
        typer.echo(plans.template(loaded, policies.load(loaded.policy)), nl=False)
        return
    if file is None:
        row = at_office(config, lambda office: office.find(deployment))
        typer.echo(msgspec.yaml.encode(plan_of(row)).decode(), nl=False)
        return
    written = plans.read(file)

    async def change(office: Office) -> Deployment:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await deployments.change_plan(office.db, row.id, written, version=version, policy=office.policy, by=by)

    said(at_office(config, change))


@app.command(name="list")
def list_(config: ConfigFile) -> None:
    """All deployments of this system, the newest first."""
    rows = at_office(config, lambda office: deployments.list_deployments(office.db, office.config.name))
    lines = [
        (str(row.id)[:8], plan_of(row).title or "-", row.state, window(row), row.entries or 0, row.made_by)
        for row in rows
    ]
    text_table(("id", "title", "state", "window (UTC)", "listed", "made by"), lines)


@app.command()
def show(config: ConfigFile, deployment: Which = "", as_json: AsJson = False) -> None:
    """One deployment: its state, window, list and decisions."""

    async def look(office: Office) -> tuple[Deployment, list[SignedDecision]]:
        row = await office.find(deployment)
        query = (
            select(SignedDecision)
            .where(col(SignedDecision.deployment_id) == row.id)
            .order_by(col(SignedDecision.ordinal))
        )
        async with office.db.session() as session:
            return row, list((await session.exec(query)).all())

    row, decided = at_office(config, look)
    if as_json:
        print_json(_told(row, decided))
        return
    told = {name: value for name, value in _told(row, []).items() if value is not None and name != "decisions"}
    text_table(("", ""), [(name.replace("_", " "), value) for name, value in told.items() if value != ""])
    lines = [
        (one.ordinal, one.kind.split("/")[0].removeprefix("lfr."), one.officer, f"{one.made_at:%Y-%m-%d %H:%M}")
        for one in decided
    ]
    if lines:
        text_table(("", "decision", "by", "kept at (UTC)"), lines)


def _told(row: Deployment, decided: list[SignedDecision]) -> dict[str, object]:
    def text(value: object) -> object:
        return str(value) if value is not None and not isinstance(value, (int, str)) else value

    shown = ("id", "state", "state_reason", "version", "mode", "policy", "pack", "plan_digest", "starts_at", "ends_at",
             "urgent_confirm_by", "stop_id", "list_digest", "entries", "band", "live_at", "ended_at", "closed_at",
             "review_at", "record_at")  # fmt: skip
    told: dict[str, object] = {"title": plan_of(row).title}
    told |= {name: text(getattr(row, name)) for name in shown}
    told["decisions"] = [
        {"ordinal": one.ordinal, "kind": one.kind, "officer": one.officer, "at": str(one.made_at)} for one in decided
    ]
    return told


@app.command()
def submit(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Lay the plan before the Authorising Officer."""

    async def step(office: Office) -> Deployment:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await deployments.submit(office.db, row.id, terms=await office.terms(), by=by, version=row.version)

    said(at_office(config, step))


@app.command()
def check(
    config: ConfigFile,
    deployment: Which = "",
    wanted: Annotated[str, typer.Option("--for", help=f"One of: {', '.join(WANTED)}; the next step without.")] = "",
    as_json: AsJson = False,
) -> None:
    """Every gate as a checklist: what is there, and what is missing, by which rule, and who can mend it.

    Exit code 1 when something is missing; warnings alone do not count.
    """
    if wanted and wanted not in WANTED:
        raise ConfigError(f"there is no step {wanted[:40]!r} to check for", hint=f"one of: {', '.join(WANTED)}")

    async def look(office: Office) -> tuple[Deployment, Wanted, Checklist]:
        row = await office.find(deployment)
        step = msgspec.convert(wanted or NEXT.get(row.state, "go-live"), Wanted)
        terms = await office.terms()
        found = await facts.gather(
            office.db, row.id, policy=terms.policy, bundle=terms.bundle, system=terms.system, at=now()
        )
        return row, step, checklist(found, step)

    row, step, gates = at_office(config, look)
    missing = [one for _, found in gates for one in found]
    if as_json:
        print_json({
            "id": str(row.id), "state": row.state, "for": step,
            "missing": [msgspec.to_builtins(one) for one in missing if one.blocks],
            "warnings": [msgspec.to_builtins(one) for one in missing if not one.blocks],
        })  # fmt: skip
    else:
        typer.echo(f"{plan_of(row).title or row.id} is {row.state}; for {step}:")
        for line in _checked(gates):
            typer.echo(line)
    if any(one.blocks for one in missing):
        raise typer.Exit(1)


def _checked(gates: Checklist) -> Iterator[str]:
    for gate, found in gates:
        if not found:
            yield f"  ✓ {gate.title}"
        for one in found:
            yield f"  {'✗' if one.blocks else '!'} {gate.title} ({one.rule}): {one.what} [{one.who}]"


@app.command()
def withdraw(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Take a submitted plan back, to change it."""

    async def step(office: Office) -> Deployment:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await deployments.withdraw(office.db, row.id, by=by, version=row.version)

    said(at_office(config, step))


def said(row: Deployment) -> None:
    """What became of it, on stderr."""
    typer.echo(f"{row.id} is {row.state}", err=True)


def window(row: Deployment) -> str:
    """Start and end, short."""
    if row.starts_at is None or row.ends_at is None:
        return "-"
    return f"{row.starts_at:%Y-%m-%d %H:%M} to {row.ends_at:%H:%M}"


for command in (*deployment_decisions.COMMANDS, *deployment_evidence.COMMANDS, *deployment_running.COMMANDS):
    app.command()(command)
