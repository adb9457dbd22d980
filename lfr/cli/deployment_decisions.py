"""The decisions of `lfr deployment`: signed here with the officer's re-entered password, or given as they were signed.

With --draft a decision is only drawn up, to be signed on another machine; it comes back with --from, as a file or as
pictures of its QR codes. So a van without a link is restarted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol
from uuid import UUID

import typer

from lfr.cli.office import (
    ConfigFile,
    Draft,
    From,
    Office,
    PasswordFile,
    Reason,
    Signer,
    Which,
    at_office,
    write_draft,
)
from lfr.domain.authority import Decision, Endorsed
from lfr.domain.errors import ConfigError
from lfr.domain.signing import Signed
from lfr.services import authorities, carried, drafts, oversight
from lfr.services.terms import Terms
from lfr.storage.database import Database
from lfr.storage.models import Deployment

Draw = Callable[[Office, Deployment], Awaitable[Decision]]


class Step(Protocol):
    """One of the signed steps of `lfr.services.authorities`."""

    async def __call__(
        self, db: Database, deployment_id: UUID, given: Endorsed, *, terms: Terms, version: int | None
    ) -> Deployment:
        """Take the decision."""
        ...


def _decide(
    config: Path,
    deployment: str,
    officer: str,
    password_file: Path | None,
    given: list[Path] | None,
    draft: Path | None,
    draw: Draw,
    take: Step,
    *,
    moving: bool = False,
) -> None:
    """moving: it may have changed state since it was looked at, as a running system changes it by itself."""

    async def step(office: Office) -> Deployment | None:
        row = await office.find(deployment)
        said = await draw(office, row) if officer and not given else None
        if draft is not None and said is not None:
            write_draft(said, draft)
            return None
        signed = await office.endorsed(officer, password_file, given, said)
        version = None if moving else row.version
        return await take(office.db, row.id, signed, terms=await office.terms(), version=version)

    if draft is not None and (given or not officer):
        raise ConfigError("a draft names who is to sign it", hint="give --officer NAME with --draft FILE")
    row = at_office(config, step)
    if row is not None:
        typer.echo(f"{row.id} is {row.state}", err=True)


def authorise(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    urgent: Annotated[bool, typer.Option("--urgent", help="By the lower rank; lapses unless confirmed.")] = False,
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """Authorise the submitted plan, or confirm an urgent authority."""

    async def draw(office: Office, row: Deployment) -> Decision:
        return drafts.authorisation(row, office.policy, officer, urgent=urgent)

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.authorise)


def refuse(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    reason: Reason = "",
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """Refuse the submitted plan, and say why."""

    async def draw(office: Office, row: Deployment) -> Decision:  # noqa: ARG001 - one form for all
        return drafts.refusal(row, officer, _written(reason))

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.refuse)


def approve_list(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    band: Annotated[int | None, typer.Option(help="Its size band; the smallest that holds the list without.")] = None,
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """Approve exactly the list that stands; with every gate open the deployment is then ready."""

    async def draw(office: Office, row: Deployment) -> Decision:
        return await drafts.list_approval(office.db, row.id, officer, office.policy, band=band)

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.approve_list)


def amend_list(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """Approve what was added to the approved list since, within its band."""

    async def draw(office: Office, row: Deployment) -> Decision:
        said = await drafts.list_amendment(office.db, row.id, officer)
        if said is None:
            raise ConfigError("nothing was added since the list was approved", hint="there is nothing to sign")
        return said

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.amend_list)


def extend(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    until: Annotated[str, typer.Option(help="The new end, as 2026-12-05T18:00Z.")] = "",
    reason: Reason = "",
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """Extend the window by a decision of its own, up to the policy's ceiling."""

    async def draw(office: Office, row: Deployment) -> Decision:
        return await drafts.extension(office.db, row.id, officer, _moment(until), _written(reason))

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.extend, moving=True)


def restart(
    config: ConfigFile,
    deployment: Which = "",
    officer: Signer = "",
    reason: Reason = "",
    given: From = None,
    draft: Draft = None,
    password_file: PasswordFile = None,
) -> None:
    """After a stop: let it go live again, by the decision that answers exactly this stop."""

    async def draw(office: Office, row: Deployment) -> Decision:  # noqa: ARG001 - one form for all
        return drafts.restart(row, officer, _written(reason))

    _decide(config, deployment, officer, password_file, given, draft, draw, authorities.restart, moving=True)


def oversee(
    config: ConfigFile,
    given: Annotated[list[Path], typer.Option("--from", help="The oversight body's signed statement.")],
    deployment: Which = "",
) -> None:
    """Suspend a deployment, or let it go on, by the oversight body's signed statement."""

    async def step(office: Office) -> Deployment:
        row = await office.find(deployment)
        return await oversight.apply(office.db, row.id, Signed.decode(carried.read(given)), policy=office.policy)

    row = at_office(config, step)
    typer.echo(f"{row.id} is {row.state}", err=True)


def qr(
    files: Annotated[list[Path], typer.Argument(help="A draft or a signed decision; with --read: pictures of codes.")],
    out: Annotated[Path, typer.Option(help="A folder for the pictures; with --read: the file to write.")],
    read: Annotated[bool, typer.Option("--read", help="Pictures of codes in, the file that they carry out.")] = False,
) -> None:
    """Carry a decision as QR codes: make their pictures, or read them back."""
    data = carried.read(files)
    try:
        if read:
            out.write_bytes(data)
            typer.echo(str(out))
            return
        out.mkdir(parents=True, exist_ok=True)
        pictures = carried.qr_pictures(data.strip())
        for number, picture in enumerate(pictures, start=1):
            path = out / f"{files[0].stem}-{number}of{len(pictures)}.png"
            path.write_bytes(picture)
            typer.echo(str(path))
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None


def _written(reason: str) -> str:
    if not reason.strip():
        raise ConfigError("the decision needs its reason", hint="give --reason")
    return reason


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("the new end is no time", hint="write it as 2026-12-05T18:00Z") from None
    if at.utcoffset() is None:
        raise ConfigError(f"the time {text} has no zone", hint="write it as 2026-12-05T18:00Z")
    return at.astimezone(UTC)


COMMANDS = (authorise, refuse, approve_list, amend_list, extend, restart, oversee, qr)
