"""The running side of `lfr deployment`, through the API of the running system, since it must act; and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lfr.cli.client import START_HINT, Client, find_run
from lfr.cli.office import As, ConfigFile, Office, PasswordFile, Which, at_office, password_of
from lfr.config import load
from lfr.domain.errors import ConfigError, RuntimeFailed
from lfr.services import closing, deployments
from lfr.storage.models import Deployment

Why = Annotated[str, typer.Option("--reason", help="A code word for the log.")]


def go_live(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Begin recognition: every gate is asked again, and the running system gets its mandate."""
    _ask(config, deployment, "go-live", name, password_file, {})


def pause(
    config: ConfigFile, deployment: Which = "", reason: Why = "asked", name: As = "", password_file: PasswordFile = None
) -> None:
    """Let recognition wait; `resume` goes on."""
    _ask(config, deployment, "pause", name, password_file, {"reason": reason})


def resume(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Go on after a pause: every gate is asked again."""
    _ask(config, deployment, "resume", name, password_file, {})


def stop(
    config: ConfigFile, deployment: Which = "", reason: Why = "asked", name: As = "", password_file: PasswordFile = None
) -> None:
    """Stop recognition at once. Everybody may; only the Authorising Officer's signed decision restarts it."""
    if find_run(load(config)) is not None:
        _ask(config, deployment, "stop", name, password_file, {"reason": reason})
        return

    # Nothing runs, but what is written as live would be resumed at the next start.
    async def step(office: Office) -> Deployment:
        row = await office.find(deployment)
        by = await office.acting(name, password_file)
        return await deployments.stop(office.db, row.id, by=by, reason=reason)

    _said(at_office(config, step))


def end(
    config: ConfigFile, deployment: Which = "", reason: Why = "asked", name: As = "", password_file: PasswordFile = None
) -> None:
    """End a deployment for ever, or cancel one that never began."""
    row = _row(config, deployment)
    if row.state in {"live", "paused"}:
        _ask(config, str(row.id), "end", name, password_file, {"reason": reason})
        return

    async def step(office: Office) -> Deployment:
        by = await office.acting(name, password_file)
        return await deployments.end(office.db, row.id, by=by, reason=reason)

    _said(at_office(config, step))


def close(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Destroy everything that is not held, count it against what was made, and close an ended deployment."""

    async def step(office: Office) -> Deployment:
        row = await office.find_over(deployment)
        by = await office.acting(name, password_file)
        return await closing.close(office.db, office.node.vault(), row.id, by=by)

    _said(at_office(config, step))


def review(
    config: ConfigFile,
    file: Annotated[Path, typer.Option("--file", help="The review; its SHA-256 goes into the log.")],
    deployment: Which = "",
    record: Annotated[bool, typer.Option("--record", help="It is the published record, not the review.")] = False,
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """File the review of a deployment that is over, or its published record: the next authority waits for both."""
    document = _document(file)

    async def step(office: Office) -> Deployment:
        row = await office.find_over(deployment)
        by = await office.acting(name, password_file)
        return await closing.file(office.db, row.id, "record" if record else "review", document, by=by)

    row = at_office(config, step)
    typer.echo(f"the {'record' if record else 'review'} of {row.id} is filed", err=True)


def _document(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


def _said(row: Deployment) -> None:
    typer.echo(f"{row.id} is {row.state}", err=True)


def _row(config: Path, deployment: str) -> Deployment:
    return at_office(config, lambda office: office.find(deployment))


def _ask(config: Path, deployment: str, step: str, name: str, password_file: Path | None, body: dict[str, str]) -> None:
    row = _row(config, deployment)
    with _system(config) as client:
        if name:
            client.signed_in(name, password_of(name, password_file))
        client.post(f"/api/v1/deployments/{row.id}/{step}", body)
    _said(_row(config, str(row.id)))


def _system(config: Path) -> Client:
    loaded = load(config)
    found = find_run(loaded)
    if found is None:
        raise RuntimeFailed(f"no system named {loaded.name} is running", hint=START_HINT)
    return Client(found)


COMMANDS = (go_live, pause, resume, stop, end, close, review)
