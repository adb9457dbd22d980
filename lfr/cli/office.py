"""What the deployment commands share: the opened system, who acts, and who signs."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from lfr.cli.client import local_user
from lfr.config import Config, load
from lfr.domain.authority import Decision, Endorsed
from lfr.domain.bundle import Bundle
from lfr.domain.duties import require_role
from lfr.domain.errors import ConfigError, NotFound, NotSignedIn
from lfr.domain.policy import Policy, Role
from lfr.domain.signing import text_of
from lfr.services import attempts, carried, deployments, machine, officers, policies, registrar
from lfr.services.registrar import Registrar
from lfr.services.terms import Terms
from lfr.storage.database import Database, migrate
from lfr.storage.models import Deployment
from lfr.storage.node import Node, open_node

ConfigFile = Annotated[Path, typer.Option("--config", help="The system's configuration file.")]
Which = Annotated[str, typer.Argument(help="The deployment's id, or its first digits; the current one without.")]
As = Annotated[str, typer.Option("--as", help="The account that acts; its password is asked for.")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="Holds the password; - is stdin.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in your own words; it is signed.")]
Signer = Annotated[str, typer.Option("--officer", help="Who signs; asks for the password again.")]
From = Annotated[
    list[Path] | None,
    typer.Option("--from", help="A decision signed elsewhere: a file, or pictures of its QR codes in any order."),
]
Draft = Annotated[
    Path | None, typer.Option("--draft", help="Write the decision here, to be signed elsewhere; change nothing.")
]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Office:
    """One configured system, opened on its database; nothing needs to run."""

    config: Config
    db: Database
    node: Node
    policy: Policy
    registrar: Registrar

    async def find(self, wanted: str) -> Deployment:
        """Raises NotFound, Conflict."""
        return await deployments.find(self.db, self.config.name, wanted)

    async def find_over(self, wanted: str) -> Deployment:
        """The same, but without an id the newest that has ended. Raises NotFound, Conflict."""
        if wanted:
            return await self.find(wanted)
        rows = await deployments.list_deployments(self.db, self.config.name)
        ended = [row for row in rows if row.ended_at is not None]
        if not ended:
            raise NotFound(f"{self.config.name} has no deployment that is over", hint="`lfr deployment list`")
        return max(ended, key=lambda row: row.ended_at or row.made_at)

    def bundle(self) -> Bundle:
        """What this configuration recognises with. Raises PackNotFound, ConfigError."""
        # Imported here: packs bring OpenCV, and most commands need none.
        from lfr.matching.bundle import bundle_of  # noqa: PLC0415
        from lfr.vision.packs import load_pack, pack_digest  # noqa: PLC0415

        pack, options = load_pack(self.config.pack), self.config.matcher
        return bundle_of(
            pack,
            pack_digest(pack),
            self.policy,
            confirm_shots=options.confirm_shots,
            target_fpir=options.target_fpir,
            fixed=options.threshold,
        )

    async def terms(self) -> Terms:
        """What a step is judged by, at this moment. Raises PackNotFound, ConfigError, StorageError."""
        system = await machine.look(self.db, self.config, self.registrar.public)
        return Terms(self.policy, self.bundle(), system)

    async def acting(self, name: str, password_file: Path | None, needs: Collection[Role] = ()) -> str:
        """The account's name, once its password was right; this machine's user without one.

        needs: the account must have one of these roles. Raises NotSignedIn, NotAllowed.
        """
        if not name:
            return local_user()
        proven = await attempts.prove(self.db, name, password_of(name, password_file))
        async with self.db.transaction() as session:
            account = await attempts.settled(session, proven)
            if needs:
                require_role(account.roles, needs)
        return proven.name

    async def endorsed(
        self, officer: str, password_file: Path | None, given: list[Path] | None, said: Decision | None
    ) -> Endorsed:
        """A decision as it was signed elsewhere, or `said`, signed now with the officer's re-entered password."""
        if given:
            return await officers.vouched(self.db, self.registrar, carried.read(given))
        if said is None:
            raise ConfigError("who decides?", hint="give --officer NAME, or --from FILE for what was signed elsewhere")
        signer = await officers.signer(self.db, self.registrar, officer, password_of(officer, password_file))
        return signer.endorse(said)


def password_of(name: str, file: Path | None) -> str:
    """From the file, or asked for. Raises NotSignedIn where nobody can be asked."""
    if file is not None:
        raw = sys.stdin.readline() if str(file) == "-" else _read(file)
        return raw.rstrip("\n")
    if not sys.stdin.isatty():
        raise NotSignedIn(f"the password of {name} is needed", hint="give --password-file FILE, or - for stdin")
    return getpass.getpass(f"password of {name}: ")


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        raise NotSignedIn(f"cannot read the password file {file}", hint="one line, readable by this user") from None


def at_office(config: Path, use: Callable[[Office], Awaitable[Answer]]) -> Answer:
    """Open the system of a configuration, use it, and close it again."""

    async def run() -> Answer:
        loaded = load(config)
        loaded.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        await migrate(loaded.database_url)
        node = open_node(loaded.node_key_source, loaded.keys_path, create=True)
        db = Database(loaded.database_url)
        try:
            return await use(Office(loaded, db, node, policies.load(loaded.policy), registrar.of(node, loaded)))
        finally:
            await db.dispose()

    return asyncio.run(run())


def write_draft(said: Decision, path: Path) -> None:
    """An unsigned decision as a file, for signing elsewhere. Raises ConfigError."""
    try:
        path.write_text(text_of(said) + "\n")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    typer.echo(f"wrote {path}; sign it with `lfr key sign {path.name} --key FILE`, then give it with --from", err=True)
