"""The Authorising Officer's signed steps: authorise, refuse, approve and amend the list, extend, restart.

Each takes a decision with its signer's credential (`Endorsed`), wherever it was signed: with a re-entered password, in
a file, or in a QR code. What it says must be exactly what stands in the deployment; nothing is taken on trust.
Every gate that belongs to a step is asked in its transaction (`terms`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lfr.domain.authority import (
    Authorisation,
    Credential,
    Decision,
    Endorsed,
    Extension,
    ListAmendment,
    ListApproval,
    Refusal,
    Restart,
    require_rank,
)
from lfr.domain.bundle import Bundle
from lfr.domain.errors import AuthorityError, Conflict, NotAllowed
from lfr.domain.lifecycle import after
from lfr.domain.mandate import text_digest
from lfr.domain.policy import Policy
from lfr.services import decisions, drafts, listed
from lfr.services.decisions import Chain, accept, chain, read
from lfr.services.deployments import must_be
from lfr.services.life import changing, move, plan_of, state_of
from lfr.services.terms import Terms, require_open, telling
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment


async def authorise(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """Accept an authority for the submitted plan; or, later, the ordinary one that confirms an urgent one (A1, A4).

    Raises AuthorityError, SignatureInvalid, GateClosed, Conflict, NotFound.
    """
    at, policy = at or now(), terms.policy
    async with telling(db, deployment_id, "authorise"), changing(db, deployment_id, version=version) as (session, row):
        said, signer = accept(given, Authorisation, row, registrar=terms.registrar, at=at)
        _same_policy(row, policy)
        _as_planned(said, row, policy, at)
        _named(row, said.officer, policy, confirming=row.urgent_confirm_by is not None)
        least = policy.authority.urgent_rank if said.urgent else policy.authority.min_rank
        if least is None:
            raise AuthorityError("this policy knows no urgent authority")
        require_rank(signer, least, policy)
        if row.urgent_confirm_by is not None:
            _confirm(row, said, at)
            await decisions.store(session, row, given, said.officer)
            return row
        after(state_of(row), "authorise")
        await require_open(session, row, "authorise", terms, at, signer=signer, urgent=said.urgent)
        await decisions.store(session, row, given, said.officer)
        move(session, row, "authorise", by=said.officer, at=at, reason="urgent" if said.urgent else "asked")
        row.urgent_confirm_by = said.confirm_by
    return row


def _as_planned(said: Authorisation, row: Deployment, policy: Policy, at: datetime) -> None:
    """Raises AuthorityError unless the authority is for this plan, word for word."""
    wanted = drafts.authorisation(row, policy, said.officer, urgent=said.urgent, at=said.at)
    for name in ("force", "plan_digest", "policy_digest", "use_case", "categories", "place", "starts_at", "ends_at"):
        if getattr(said, name) != getattr(wanted, name):
            raise AuthorityError(f"the authority names another {name.replace('_', ' ')} than the plan")
    if said.cameras != wanted.cameras:
        raise AuthorityError("the authority names other cameras or zones than the plan")
    if said.confirm_by != wanted.confirm_by:
        raise AuthorityError("an urgent authority lapses at the policy's time, an ordinary one does not")
    if said.confirm_by is not None and said.confirm_by <= at:
        raise AuthorityError("this urgent authority has lapsed already")
    if said.ends_at <= at:
        raise AuthorityError("the window of this authority is over", hint="plan a new deployment")
    _within_ceiling(said.starts_at, said.ends_at, policy)


def _within_ceiling(starts_at: datetime, ends_at: datetime, policy: Policy) -> None:
    if not timedelta(0) < ends_at - starts_at <= timedelta(hours=policy.authority.max_window_hours):
        raise AuthorityError(f"a window has at most {policy.authority.max_window_hours:g} hours (A3)")


def _confirm(row: Deployment, said: Authorisation, at: datetime) -> None:
    if said.urgent:
        raise Conflict("an urgent authority stands already", hint="an ordinary authority confirms it")
    if row.urgent_confirm_by is None or at >= row.urgent_confirm_by:
        raise AuthorityError("the urgent authority has lapsed: it was not confirmed in time")
    if row.state in {"ended", "closed"}:
        raise Conflict(f"the deployment is {row.state}")
    row.urgent_confirm_by = None


def _named(row: Deployment, officer: str, policy: Policy, *, confirming: bool = False) -> None:
    """The officer is the plan's, and has no part in it that may not go with that (A9). Raises NotAllowed.

    Whoever confirms an urgent authority was perhaps not known when it was planned.
    """
    people = plan_of(row).people
    if not confirming and officer not in people.get("authorising-officer", ()):
        raise NotAllowed(f"the plan does not name {officer} as its authorising officer")
    for pair in policy.conflicts:
        if "authorising-officer" in pair:
            other = pair[0] if pair[1] == "authorising-officer" else pair[1]
            if officer in people.get(other, ()):
                raise NotAllowed(f"{officer} has another part in this deployment: {other}")


def _same_policy(row: Deployment, policy: Policy) -> None:
    if row.policy_digest != policy.digest:
        raise Conflict(
            "the policy is not the one this deployment was planned under", hint="change the plan, then submit it again"
        )


async def refuse(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """The Authorising Officer says no, and why; the plan may be changed and submitted again. Raises as `authorise`."""
    at = at or now()
    async with changing(db, deployment_id, version=version) as (session, row):
        said, _ = accept(given, Refusal, row, registrar=terms.registrar, at=at)
        _named(row, said.officer, terms.policy)
        if said.plan_digest != row.plan_digest:
            raise AuthorityError("the refusal is about another plan")
        await decisions.store(session, row, given, said.officer)
        move(session, row, "refuse", by=said.officer, at=at)
    return row


async def approve_list(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """Approve exactly the list that stands, for the bundle that will compare it (B4, B10, D1). Then it is ready.

    May be given again while the deployment is ready: a later approval takes the place of an earlier one. Raises
    AuthorityError, SignatureInvalid, GateClosed, Conflict, NotFound.
    """
    at, policy, bundle = at or now(), terms.policy, terms.bundle
    asked = telling(db, deployment_id, "approve-list")
    async with asked, changing(db, deployment_id, version=version) as (session, row):
        await must_be(row, "authorised", "ready")
        said, signer = accept(given, ListApproval, row, registrar=terms.registrar, at=at)
        _by_authority(await chain(session, row.id), row, said, signer, policy)
        found = await listed.list_digest(session, row.id)
        _band_fits(said.band, said.entries, policy, bundle)
        if (said.list_digest, said.entries) != (found.digest, found.entries):
            raise AuthorityError("the approval is for another list than the one that stands", hint="look at it again")
        await require_open(session, row, "approve-list", terms, at, signer=signer, urgent=_urgent(row), anew=True)
        await decisions.store(session, row, given, said.officer)
        await listed.keep_leaves(session, found)
        row.list_digest, row.entries, row.band = said.list_digest, said.entries, said.band
        row.bundle = msgspec.to_builtins(bundle)
        if row.state == "ready":
            move(session, row, "unready", by=said.officer, at=at, reason="list-approved-anew")
        move(session, row, "make-ready", by=said.officer, at=at)
    return row


def _band_fits(band: int, entries: int, policy: Policy, bundle: Bundle) -> None:
    if band not in policy.watchlist.bands or bundle.threshold_for(band) is None:
        raise AuthorityError(f"there is no band that ends at {band}")
    if entries > band:
        raise AuthorityError(f"{entries} entries are more than the band of {band} holds")


def _by_authority(standing: Chain, row: Deployment, said: Decision, signer: Credential, policy: Policy) -> None:
    """The signer is the plan's officer, of the rank that this authority needs. Raises AuthorityError, NotAllowed."""
    if standing.authority is None:
        raise Conflict("nothing is authorised yet")
    least = policy.authority.urgent_rank if _urgent(row) else policy.authority.min_rank
    confirmer = standing.confirmation and read(standing.confirmation, Authorisation).officer
    _named(row, said.officer, policy, confirming=said.officer == confirmer)
    require_rank(signer, least or policy.authority.min_rank, policy)


def _urgent(row: Deployment) -> bool:
    """Whether it rests on an urgent authority that nobody confirmed yet."""
    return row.urgent_confirm_by is not None


async def amend_list(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """Add entries to the approved list, chained to its digest, never beyond its band. A removal needs none of this.

    Raises AuthorityError, SignatureInvalid, Conflict, NotFound.
    """
    at, policy = at or now(), terms.policy
    asked = telling(db, deployment_id, "approve-list")
    async with asked, changing(db, deployment_id, version=version) as (session, row):
        await must_be(row, "ready", "live", "paused", "stopped")
        said, signer = accept(given, ListAmendment, row, registrar=terms.registrar, at=at)
        _by_authority(await chain(session, row.id), row, said, signer, policy)
        if row.band is None or said.previous != row.list_digest:
            raise AuthorityError("the amendment does not follow the approved list", hint="look at it again")
        found = await listed.list_digest(session, row.id)
        before = found.leaves - set(said.added)
        if said.list_digest != found.digest or listed.digest_of(before) != said.previous:
            raise AuthorityError("the amendment is for another list than the one that stands")
        if said.entries != found.entries or len(found.leaves) > row.band:
            raise AuthorityError(f"the band of this approval ends at {row.band} entries")
        await require_open(session, row, "approve-list", terms, at, signer=signer, urgent=_urgent(row))
        await decisions.store(session, row, given, said.officer)
        await listed.keep_leaves(session, found)
        row.list_digest, row.entries = said.list_digest, said.entries
    return row


async def extend(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """A later end, up to the policy's ceiling (A3). Raises AuthorityError, SignatureInvalid, Conflict, NotFound."""
    at, policy = at or now(), terms.policy
    async with changing(db, deployment_id, version=version) as (session, row):
        await must_be(row, "authorised", "ready", "live", "paused", "stopped")
        said, signer = accept(given, Extension, row, registrar=terms.registrar, at=at)
        standing = await chain(session, row.id)
        _by_authority(standing, row, said, signer, policy)
        known = {text_digest(one.said) for one in (standing.authority, standing.confirmation) if one is not None}
        if said.authority not in known:
            raise AuthorityError("the extension belongs to another authority")
        if row.starts_at is None or row.ends_at is None or at >= row.ends_at:
            raise AuthorityError("the window is over", hint="plan a new deployment")
        if said.ends_at <= row.ends_at:
            raise AuthorityError("an extension must end later than what it extends")
        _within_ceiling(row.starts_at, said.ends_at, policy)
        await decisions.store(session, row, given, said.officer)
        row.ends_at = said.ends_at
    return row


async def restart(
    db: Database,
    deployment_id: UUID,
    given: Endorsed,
    *,
    terms: Terms,
    version: int | None = None,
    at: datetime | None = None,
) -> Deployment:
    """After a stop: leave to start again, by the decision that answers exactly this stop (A13).

    Raises AuthorityError, SignatureInvalid, Conflict, NotFound.
    """
    at = at or now()
    async with changing(db, deployment_id, version=version) as (session, row):
        await must_be(row, "stopped")
        said, signer = accept(given, Restart, row, registrar=terms.registrar, at=at)
        _by_authority(await chain(session, row.id), row, said, signer, terms.policy)
        if said.stop != row.stop_id:
            raise AuthorityError("this decision answers another stop")
        await decisions.store(session, row, given, said.officer)
        move(session, row, "restart", by=said.officer, at=at)
        row.stop_id = None
    return row
