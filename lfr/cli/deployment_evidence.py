"""The evidence side of `lfr deployment`: approvals from outside, signs at the place, the notice. Listed in COMMANDS."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from lfr.cli.office import As, ConfigFile, Office, PasswordFile, Which, at_office, password_of
from lfr.cli.output import text_table
from lfr.domain.authority import Approval
from lfr.domain.errors import ConfigError
from lfr.domain.gates import ApprovalFact, SignsState
from lfr.domain.signing import instant
from lfr.services import approvers, notices, officers, signs
from lfr.storage.columns import now
from lfr.storage.models import SignEvidence

Where = Annotated[str, typer.Option("--at", help="Where you stand: latitude,longitude in degrees.")]


def approve(
    code: Annotated[str, typer.Argument(help="Which of the policy's approvers.")],
    config: ConfigFile,
    deployment: Which = "",
    given: Annotated[Path | None, typer.Option("--from", help="The approval as the approver signed it.")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the approver's service; no answer is a no.")] = False,
    cafile: Annotated[str, typer.Option(help="The certificate authority of that service, where it is private.")] = "",
    officer: Annotated[str, typer.Option("--officer", help="The second officer; asks for the password.")] = "",
    hours: Annotated[float, typer.Option(help="How long a second officer's approval holds.", min=0.1)] = 24.0,
    refuse: Annotated[bool, typer.Option("--refuse", help="The second officer says no.")] = False,
    conditions: Annotated[str, typer.Option(help="On which conditions.")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Take an approval from outside the chain of command: from a file, a service, or a second officer."""
    if (given is not None) + ask + bool(officer) != 1:
        raise ConfigError("where does the approval come from?", hint="one of: --from FILE, --ask, --officer NAME")

    async def step(office: Office) -> ApprovalFact:
        row = await office.find(deployment)
        by = await office.acting("", None)
        policy, registrar = office.policy, office.registrar.public
        if ask:
            async with approvers.http_client(cafile=cafile) as http:
                return await approvers.ask(office.db, http, row.id, code, policy=policy, registrar=registrar, by=by)
        if given is not None:
            return await approvers.take(office.db, row.id, _read(given), policy=policy, registrar=registrar, by=by)
        signer = await officers.signer(office.db, office.registrar, officer, password_of(officer, password_file))
        at = instant(now())
        said = Approval(
            deployment_id=row.id,
            approver=code,
            plan_digest=row.plan_digest,
            decision="refuse" if refuse else "approve",
            at=at,
            expires_at=at + timedelta(hours=hours),
            conditions=conditions,
        )
        signed = signer.endorse(said).encode()
        return await approvers.take(office.db, row.id, signed, policy=policy, registrar=registrar, by=by)

    found = at_office(config, step)
    what = "refused" if found.decision == "refuse" else f"approved until {found.expires_at:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"{found.approver}: {what}", err=True)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(approvers.ANSWER_MOST + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


def announce(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Record that the notice of a deployment is published; `lfr policy notice --deployment` prints it."""

    async def step(office: Office) -> None:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        await notices.published(office.db, row.id, policy=office.policy, by=by)

    at_office(config, step)
    typer.echo("the notice counts from now on", err=True)


def photograph(
    item: Annotated[str, typer.Argument(help="What it shows: an item of the policy's signs.")],
    picture: Annotated[Path, typer.Argument(help="The photograph: JPEG, PNG, WebP or BMP.")],
    config: ConfigFile,
    where: Where,
    deployment: Which = "",
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Keep a photograph of a sign or notice at the place, sealed; it goes when the deployment is closed."""
    latitude, longitude = _degrees(where)
    try:
        data = picture.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {picture}: {error.strerror}") from None

    async def step(office: Office) -> SignEvidence:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await signs.add_photo(
            office.db, office.node.vault(), row.id, item, data,
            policy=office.policy, by=by, latitude=latitude, longitude=longitude,
        )  # fmt: skip

    made = at_office(config, step)
    typer.echo(f"kept {made.id}", err=True)


def confirm_signs(
    config: ConfigFile, where: Where = "", deployment: Which = "", name: As = "", password_file: PasswordFile = None
) -> None:
    """Say that all signs still stand; see `signs` for when that is due."""
    latitude, longitude = _degrees(where) if where else (None, None)

    async def step(office: Office) -> SignsState:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await signs.confirm(
            office.db, row.id, policy=office.policy, by=by, latitude=latitude, longitude=longitude
        )

    _say(at_office(config, step))


def signs_(config: ConfigFile, deployment: Which = "") -> None:
    """Which signs are photographed, and when they must be looked at again."""

    async def look(office: Office) -> SignsState:
        row = await office.find(deployment)
        return await signs.state(office.db, row.id, policy=office.policy)

    _say(at_office(config, look))


def _say(state: SignsState) -> None:
    for item in state.missing:
        note = "photographed, but not at the place" if item in state.elsewhere else "not photographed"
        typer.echo(f"✗ {item}: {note}")
    if state.due_at is not None and state.overdue_at is not None and state.seen_at is not None:
        at = [f"{one:%H:%M}" for one in (state.seen_at, state.due_at, state.overdue_at)]
        text_table(("seen (UTC)", "look again by", "recognition pauses at"), [at])
    elif not state.missing:
        typer.echo("the policy asks for no signs")


def _degrees(where: str) -> tuple[float, float]:
    found = re.fullmatch(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*", where)
    if found is None:
        raise ConfigError(f"{where[:40]!r} is no place", hint="write it as 53.8003,-1.4995 (latitude,longitude)")
    return float(found.group(1)), float(found.group(2))


signs_.__name__ = "signs"
COMMANDS = (approve, announce, photograph, confirm_signs, signs_)
