"""`lfr key`: what decisions are signed with: keys in files, signing elsewhere, and the registrar's credentials."""

from __future__ import annotations

import asyncio
import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from lfr.cli.client import local_user
from lfr.cli.office import ConfigFile, Office, PasswordFile, at_office, password_of
from lfr.cli.output import text_table
from lfr.domain.authority import Endorsed
from lfr.domain.errors import ConfigError, NotSignedIn
from lfr.domain.policy import ROLES
from lfr.domain.signing import Signed, sign
from lfr.services import key_files, officers
from lfr.storage.columns import now

app = typer.Typer(no_args_is_help=True, help="Signing keys, and who vouches for them.")

Out = Annotated[Path | None, typer.Option("--out", help="Where to write it; stdout without.")]


@app.callback()
def key() -> None:
    """Signing keys, and who vouches for them."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The key file to make; keep it on a stick, not in the van.")],
    password_file: PasswordFile = None,
) -> None:
    """Make a signing key in a file, under a password, and print its public half."""
    typer.echo(asyncio.run(key_files.new(file, _new_password(password_file))))
    typer.echo(f"made {file}; have it registered: lfr key register NAME PUBLIC --config FILE", err=True)


def _new_password(file: Path | None) -> str:
    if file is not None or not sys.stdin.isatty():
        return password_of("the key", file)
    first = getpass.getpass("a password for the key: ")
    if getpass.getpass("the same again: ") != first:
        raise NotSignedIn("the two passwords differ", hint="try again")
    return first


@app.command(name="sign")
def sign_(
    file: Annotated[Path, typer.Argument(help="The statement: what --draft wrote.")],
    key_file: Annotated[Path, typer.Option("--key", help="The key file.")],
    out: Out = None,
    credential: Annotated[
        Path | None, typer.Option(help="The signer's credential, to go along; else it is looked up where it arrives.")
    ] = None,
    password_file: PasswordFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; I have read it.")] = False,
) -> None:
    """Read a statement, sign it, and write it as a file for --from. Needs no database and no network."""
    said = key_files.draft(file)
    told = {name: _told(value) for name, value in msgspec.to_builtins(said, str_keys=True).items() if value is not None}
    for name, value in told.items():
        typer.echo(f"{name.replace('_', ' ')}: {value}", err=True)
    if not yes and not _agreed():
        raise typer.Exit(1)
    opened = asyncio.run(key_files.unlock(key_file, password_of("the key", password_file)))
    signed = sign(said, opened)
    given = signed.encode() if credential is None else Endorsed(signed, _credential(credential)).encode()
    _write(given, out)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise NotSignedIn("nobody was asked whether to sign this", hint="read what stands above, then give --yes")
    return typer.confirm("sign this?", err=True)


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each[:12] if isinstance(each, str) else each}" for name, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _credential(file: Path) -> Signed:
    try:
        return Signed.decode(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="An officer's account, or a key file.")],
    config: Annotated[Path | None, typer.Option("--config", help="The system's configuration; not for a file.")] = None,
) -> None:
    """An officer's keys and how long each is vouched for; the public half of a key file."""
    if config is None:
        typer.echo(key_files.public_of(Path(name)))
        return

    async def look(office: Office) -> list[officers.OfficerSummary]:
        return await officers.keys_of(office.db, office.registrar, name)

    rows = [(one.public, one.held, _day(one.made_at), _day(one.expires_at)) for one in at_office(config, look)]
    text_table(("public key", "held", "made (UTC)", "vouched for until (UTC)"), rows)


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else "-"


@app.command()
def register(
    name: Annotated[str, typer.Argument(help="The officer's account.")],
    public: Annotated[str, typer.Argument(help="The public key, 64 hex digits.")],
    config: ConfigFile,
) -> None:
    """Let an officer sign with a key that is held elsewhere; the one under the password is retired."""
    at_office(config, lambda office: officers.register(office.db, office.registrar, name, public, by=local_user()))
    typer.echo(f"{name.strip().lower()} signs with a key that is held elsewhere", err=True)


@app.command()
def vouch(
    name: Annotated[str, typer.Argument(help="The officer's name, as accounts have it.")],
    public: Annotated[str, typer.Argument(help="The officer's public key, 64 hex digits.")],
    config: ConfigFile,
    role: Annotated[list[str], typer.Option(help=f"One or more of: {', '.join(ROLES)}.")],
    rank: Annotated[str | None, typer.Option(help="The officer's rank, a code of the policy.")] = None,
    out: Out = None,
) -> None:
    """As the force's registrar: sign that this key belongs to an officer of this rank and these roles.

    For systems whose configuration names this registrar: they take the file with `lfr key import`.
    """
    unknown = [one for one in role if one not in ROLES]
    if unknown:
        raise ConfigError(f"there is no role {unknown[0][:40]!r}", hint=f"one of: {', '.join(ROLES)}")

    async def make(office: Office) -> Signed:
        if rank is not None and rank not in office.policy.authority.ranks:
            raise ConfigError(f"the policy knows no rank {rank[:40]!r}")
        at = now()
        signed = office.registrar.vouch(name.strip().lower(), rank=rank, roles=role, public=public.lower(), at=at)
        office.registrar.read(signed)
        return signed

    _write(at_office(config, make).encode(), out)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="A credential that the force's registrar signed.")], config: ConfigFile
) -> None:
    """Keep a credential that a registrar elsewhere signed."""
    signed = _credential(file)

    async def keep(office: Office) -> str:
        return await officers.import_credential(office.db, office.registrar, signed, by=local_user())

    typer.echo(f"{at_office(config, keep)} is vouched for", err=True)


@app.command()
def renew(
    config: ConfigFile, name: Annotated[list[str] | None, typer.Argument(help="Whose; all without.")] = None
) -> None:
    """Renew credentials that are missing, half over, or no longer true."""
    done = at_office(config, lambda office: officers.renew(office.db, office.registrar, name or None))
    typer.echo(f"{done} officers are vouched for", err=True)


@app.command()
def registrar(config: ConfigFile) -> None:
    """Print the public key of the registrar: what other systems of the force put into `registrar:`."""
    typer.echo(at_office(config, _registrar))


async def _registrar(office: Office) -> str:
    return office.registrar.public


def _write(data: bytes, out: Path | None) -> None:
    if out is None:
        typer.echo(data.decode())
        return
    try:
        out.write_bytes(data + b"\n")
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from None
    typer.echo(f"wrote {out}", err=True)
