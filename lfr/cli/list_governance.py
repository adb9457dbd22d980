"""The commands of `lfr watchlist` that keep a list in order: on the database itself, whether or not a system runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lfr.cli.office import As, ConfigFile, From, Office, PasswordFile, Reason, Signer, at_office
from lfr.cli.output import print_json, text_table
from lfr.config import load
from lfr.domain.duties import CHECKERS, KEEPERS
from lfr.domain.errors import ConfigError, WatchlistError
from lfr.services import alike as look_alikes
from lfr.services import confirmations, import_report, policies, status_feed, watchlist
from lfr.services import special as special_entries
from lfr.storage.columns import now

Which = Annotated[str, typer.Option("--deployment", help="Its id, or the first digits; the current one without.")]
AsJson = Annotated[bool, typer.Option("--json", help="Nothing but one JSON line on stdout.")]
Entries = Annotated[list[UUID] | None, typer.Argument(help="The entries' ids.")]


def confirm(
    config: ConfigFile,
    entries: Entries = None,
    all_: Annotated[bool, typer.Option("--all", help="Every entry that is not confirmed yet.")] = False,
    deployment: Which = "",
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Confirm as a second person that the pictures show whom the entries name (B7). Look at them first."""

    async def step(office: Office) -> int:
        row = await office.find(deployment)
        by = await office.acting(name, password_file, CHECKERS)
        wanted = list(entries or ())
        if all_:
            every = await watchlist.list_entries(office.db, office.node.vault(), row.id)
            wanted = [one.id for one in every if one.revoked_at is None and one.checked_by is None]
        if not wanted:
            raise WatchlistError("no entry is named", hint="give ids, or --all")
        return await confirmations.confirm(office.db, row.id, dict.fromkeys(wanted), by=by)

    typer.echo(f"{at_office(config, step)} confirmed", err=True)


def alike(config: ConfigFile, deployment: Which = "", name: As = "", password_file: PasswordFile = None) -> None:
    """Compare everybody on the list with everybody else, and flag look-alikes and siblings on both sides (B7)."""

    async def step(office: Office) -> None:
        row = await office.find(deployment)
        by = await office.acting(name, password_file, KEEPERS)
        vault = office.node.vault()
        found = await flag_alike(office, row.id, by)
        names = await watchlist.labels(office.db, vault, row.id, found.keys())
        lines = [(names[one], names[other], f"{score:.3f}") for one, (other, score) in found.items()]
        text_table(("entry", "is much alike to", "score"), sorted(lines))
        typer.echo(f"{len(found)} of the list are much alike to somebody else on it", err=True)

    at_office(config, step)


async def flag_alike(office: Office, deployment_id: UUID, by: str) -> dict[UUID, tuple[UUID, float]]:
    """Flag look-alikes at the threshold of the list's band, less the policy's margin. Raises ConfigError."""
    from lfr.vision.packs import load_pack  # noqa: PLC0415 - OpenCV is heavy

    facts = await watchlist.governance(office.db, deployment_id, office.policy, now())
    band = facts.band or max(office.policy.watchlist.bands)
    threshold = office.bundle().threshold_for(band)
    if threshold is None:
        raise ConfigError(f"no threshold is fixed for a list of {band} people", hint="see `lfr policy check`")
    return await look_alikes.flag(
        office.db,
        office.node.vault(),
        deployment_id,
        metric=load_pack(office.config.pack).recogniser.metric,
        threshold=threshold.threshold,
        margin=office.policy.watchlist.alike_score_margin,
        by=by,
    )


def recheck(
    feed: Annotated[Path, typer.Argument(help="CSV (nominal_ref,status) or JSON; a status is current or withdrawn.")],
    config: ConfigFile,
    deployment: Which = "",
    name: As = "",
    password_file: PasswordFile = None,
) -> None:
    """Take in the source system's statuses: current ones are fresh again, withdrawn people are off at once (B4)."""
    try:
        data = feed.read_bytes()
    except OSError as error:
        raise WatchlistError(f"cannot read {feed}: {error.strerror}", hint="check the file") from None

    async def step(office: Office) -> status_feed.FeedResult:
        row = await office.find(deployment)
        by = await office.acting(name, password_file, KEEPERS)
        return await status_feed.apply(office.db, office.node.vault(), row.id, data, by=by)

    found = at_office(config, step)
    typer.echo(f"feed {found.digest}")
    typer.echo(
        f"{found.confirmed} still current, {len(found.withdrawn)} withdrawn and taken off, "
        f"{found.unnamed} entries not named, {found.unknown} references not on this list",
        err=True,
    )


def digest(config: ConfigFile, deployment: Which = "", json: AsJson = False) -> None:
    """The digest that an Authorising Officer signs for the list as it stands, and how the list stands."""

    async def step(office: Office) -> None:
        row = await office.find(deployment)
        whole = await watchlist.digest(office.db, row.id)
        facts = await watchlist.governance(office.db, row.id, office.policy, now())
        said = {
            "deployment": str(row.id),
            "digest": whole.digest,
            "entries": whole.entries,
            "images": whole.images,
            "approved_digest": row.list_digest,
            "pending": facts.pending,
            "stale": facts.stale,
            "unchecked": facts.unchecked,
            "expired": facts.expired,
            "overheld": facts.overheld,
            "alike": facts.alike,
            "unsigned": facts.minors_undecided + facts.children_unapproved + facts.low_undecided,
        }
        if not json:
            text_table(("list", ""), [(name, "none" if value is None else value) for name, value in said.items()])
        else:
            print_json(said)

    at_office(config, step)


def template(config: ConfigFile) -> None:
    """A CSV with every column, and what goes into it; required ones are marked. Delete the second line before use."""
    typer.echo(import_report.template(policies.load(load(config).policy)), nl=False)


def special(
    config: ConfigFile,
    entry: Annotated[UUID | None, typer.Argument(help="The entry to sign for; without one, a list of them.")] = None,
    deployment: Which = "",
    officer: Signer = "",
    reason: Reason = "",
    given: From = None,
    password_file: PasswordFile = None,
) -> None:
    """Sign for a child, or for a case below the seriousness floor (B3, B8); the youngest need two officers."""

    async def step(office: Office) -> None:
        row = await office.find(deployment)
        if entry is None and not given:
            found = await special_entries.waiting(office.db, row.id, office.policy)
            text_table(("entry", "needs a signature"), list(found.items()))
            return
        said = None
        if officer and entry is not None:
            said = await special_entries.draft(office.db, row.id, entry, officer, reason)
        signed = await office.endorsed(officer, password_file, given, said)
        done = await special_entries.decide(
            office.db, row.id, signed, policy=office.policy, registrar=office.registrar.public
        )
        typer.echo("signed" if done else "signed; a second officer must sign, too", err=True)

    at_office(config, step)
