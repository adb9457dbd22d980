"""Runs that sign for themselves: demonstrations, research and evaluations, under a policy that allows it.

They take every step that a force takes, with the same statements and the same gates; only the keys are made for the run
and are gone with it. `open` before people are enrolled, `approve` after it, then `mandates.mint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Credential, Decision, Endorsed
from lfr.domain.errors import AuthorityError, Conflict
from lfr.domain.plan import CameraZone, Plan, Reasons
from lfr.domain.policy import ROLES, Mode, Policy
from lfr.domain.signing import Signed, instant, public_key_of, sign
from lfr.services import authorities, deployments, drafts
from lfr.services.life import bundle_of, plan_of
from lfr.services.terms import Terms
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Deployment
from lfr.storage.node import Node

OFFICER = "run-officer"
"""How the log names whoever a run signs as."""

WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
"""The zone of a camera for which none was planned: the whole picture."""


@dataclass(frozen=True, slots=True)
class Run:
    """A deployment that its own run authorises. registrar: public key, 64 hex digits."""

    deployment_id: UUID
    registrar: str
    credential: Signed
    key: Ed25519PrivateKey = field(repr=False)

    def endorse(self, said: Decision) -> Endorsed:
        """Sign a decision with the run's key."""
        return Endorsed(sign(said, self.key), self.credential)


async def open(  # noqa: A001 - the noun's own verb
    db: Database,
    node: Node,
    *,
    system: str,
    mode: Mode,
    force: str,
    pack: str,
    pack_digest: str,
    policy: Policy,
    cameras: Sequence[CameraZone] = (),
    at: datetime | None = None,
) -> Run:
    """The deployment of a run: the one that is under way with this pack, policy and cameras, else a new draft; what an
    earlier run left under way is ended then.

    Raises AuthorityError where the policy leaves authorities to people, Conflict while people's deployment is live.
    """
    require_self_signed(policy, mode)
    at = at or now()
    found = await _under_way(db, system)
    if found is not None and not _fits(found, mode, pack_digest, policy, cameras, at):
        await deployments.end(db, found.id, by=deployments.SYSTEM, reason="superseded", at=at)
        found = None
    if found is None:
        found = await deployments.make(
            db,
            system=system,
            mode=mode,
            pack=pack,
            pack_digest=pack_digest,
            policy=policy,
            plan=_plan(system, force, policy, cameras),
            by=deployments.SYSTEM,
            at=at,
        )
    key = Ed25519PrivateKey.generate()
    rank = policy.authority.ranks[-1]
    issued = instant(at)
    expires = issued + timedelta(hours=2 * policy.authority.max_window_hours)
    credential = Credential(OFFICER, force, rank, ROLES, public_key_of(key), issued, expires)
    return Run(found.id, node.registrar_key, sign(credential, node.registrar), key)


def require_self_signed(policy: Policy, mode: Mode) -> None:
    """Raises AuthorityError."""
    if mode == "operational" or not policy.authority.self_signed or "operational" in policy.modes:
        raise AuthorityError(
            f"under policy {policy.name} nothing authorises itself",
            hint="plan a deployment with `lfr deployment new`, and have it authorised",
        )


async def _under_way(db: Database, system: str) -> Deployment | None:
    """The newest deployment that a run made and that is not over."""
    there = [row for row in await deployments.list_deployments(db, system) if row.state not in deployments.OVER]
    own = [row for row in there if plan_of(row).people.get("authorising-officer") == (OFFICER,)]
    for row in there:
        if row not in own and row.state in {"live", "paused"}:
            raise Conflict(f"deployment {row.id} is {row.state}", hint="end it first")
    return next(iter(own), None)


def _fits(
    row: Deployment, mode: Mode, pack_digest: str, policy: Policy, cameras: Sequence[CameraZone], at: datetime
) -> bool:
    same = (row.mode, row.pack_digest, row.policy_digest) == (mode, pack_digest, policy.digest)
    if row.state == "draft":
        return same
    return same and plan_of(row).cameras == tuple(cameras) and row.ends_at is not None and at < row.ends_at


def _plan(system: str, force: str, policy: Policy, cameras: Sequence[CameraZone]) -> Plan:
    said = "A run of the system that signs its own authority, under a policy for volunteers and simulated people only."
    return Plan(
        title=system,
        force=force,
        use_case=policy.use_cases[0].code,
        categories=tuple(one.code for one in policy.categories if not one.disabled),
        reasons=Reasons(said, "Consent of everybody who is listed.", said, said, said, said),
        cameras=tuple(cameras),
        people=dict.fromkeys(ROLES, (OFFICER,)),
    )


async def approve(
    db: Database,
    run: Run,
    *,
    terms: Terms,
    cameras: Sequence[CameraZone] = (),
    room: int = 0,
    at: datetime | None = None,
) -> Deployment:
    """Plan the window from now on, submit, authorise, and approve the list as it stands: then it is ready.

    cameras: which the run has, in the zones it will use. room: how many entries may be added later without a new
    approval; the band, and with it the threshold, is chosen for entries + room. What was decided in an earlier run of
    the same deployment stays. Raises AuthorityError, GateClosed, Conflict.
    """
    at = at or now()
    row = await deployments.get_deployment(db, run.deployment_id)
    if row.state == "draft":
        row = await _authorised(db, run, row, terms, cameras, at)
    if row.state == "stopped" and row.stop_id is not None:
        again = drafts.restart(row, OFFICER, "The run was started again.", at=at)
        row = await authorities.restart(db, row.id, run.endorse(again), terms=terms, at=at)
    if row.state not in {"authorised", "ready"}:
        return row
    approval = await drafts.list_approval(db, row.id, OFFICER, terms.policy, room=room, at=at)
    same = (approval.list_digest, approval.band, terms.bundle) == (row.list_digest, row.band, bundle_of(row))
    if row.state == "ready" and same:
        return row
    return await authorities.approve_list(db, row.id, run.endorse(approval), terms=terms, at=at)


async def _authorised(
    db: Database, run: Run, row: Deployment, terms: Terms, cameras: Sequence[CameraZone], at: datetime
) -> Deployment:
    starts_at = instant(at)
    plan = msgspec.structs.replace(
        plan_of(row),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=terms.policy.authority.max_window_hours),
        cameras=tuple(cameras) or plan_of(row).cameras,
    )
    row = await deployments.change_plan(
        db, row.id, plan, version=row.version, policy=terms.policy, by=deployments.SYSTEM
    )
    row = await deployments.submit(db, row.id, terms=terms, by=deployments.SYSTEM, at=at)
    authority = drafts.authorisation(row, terms.policy, OFFICER, at=at)
    return await authorities.authorise(db, row.id, run.endorse(authority), terms=terms, at=at)


async def amend(db: Database, run: Run, *, terms: Terms, at: datetime | None = None) -> Deployment:
    """Approve what was added to the list since. Raises AuthorityError: beyond the band, or an approved entry changed.

    Mint a fresh mandate afterwards.
    """
    at = at or now()
    said = await drafts.list_amendment(db, run.deployment_id, OFFICER, at=at)
    if said is None:
        return await deployments.get_deployment(db, run.deployment_id)
    return await authorities.amend_list(db, run.deployment_id, run.endorse(said), terms=terms, at=at)
