"""The mandate: the signed capability without which no template is computed (A1), and the guard that asks for it.

It is minted by the supervisor when every gate is open, and it carries the authority, the list's approval and the
amendments that it rests on. Inference and matcher each verify it by themselves for every camera stream: once in full,
then on each call by its window, its camera and whether it was taken back.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from lfr.domain.authority import (
    Authorisation,
    Credential,
    Decision,
    Endorsed,
    Extension,
    Kind,
    ListAmendment,
    ListApproval,
    endorsed,
    require_rank,
)
from lfr.domain.errors import AuthorityError, MandateRefused
from lfr.domain.policy import Code, Mode, Policy
from lfr.domain.signing import Signed, Statement, open_signed

SKEW_S = 2.0
"""How far the wall clock may move against the monotonic one before nothing is trusted any more (A3, M2)."""

_REMEMBERED = 7
"""Older mandates that need no second full verification while calls under way still carry them."""

EARLY_S = 1.0
"""Clocks of two nodes may differ by so much at the start of a window."""


class Mandate(Statement, frozen=True, tag="lfr.mandate/1"):
    """Leave to recognise: by this force, in this deployment, at this place, with these cameras, in this window.

    place: digest of the planned place; cameras: camera -> digest of its zone. band: the list may hold at most so many
    entries, and `threshold` holds for all of them. list_digest: of the approved list with its amendments. confirmation:
    the ordinary authority that confirmed an urgent one (A4).
    """

    id: UUID
    force: Code
    deployment_id: UUID
    mode: Mode
    place: str
    starts_at: datetime
    ends_at: datetime
    cameras: dict[str, str]
    list_digest: str
    band: int
    threshold: float
    bundle_digest: str
    policy_digest: str
    authority: Endorsed
    list_approval: Endorsed
    issued_at: datetime
    confirmation: Endorsed | None = None
    extensions: tuple[Endorsed, ...] = ()
    amendments: tuple[Endorsed, ...] = ()


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a verifier knows without being told by the mandate.

    minter: the public key that mandates are signed with here. registrar: that of the force's registrar.
    bundle_digest: of the pack and thresholds this process really runs with.
    """

    force: str
    deployment_id: UUID | None
    place: str | None
    minter: str
    registrar: str
    policy: Policy
    bundle_digest: str


_LAPSED = "the urgent authority has lapsed: it was not confirmed in time"


def verify(signed: Signed, anchor: Anchor, at: datetime) -> Mandate:
    """The mandate, if everything in it holds at `at`, its window apart (the guard sees to that on each call).

    Raises MandateRefused with a code: signature, clock, force, mode, deployment, place, bundle, policy, rank,
    authority, lapsed, window, zone, list.
    """
    try:
        mandate = open_signed(signed, Mandate, key=anchor.minter)
    except AuthorityError as error:
        raise _refused("signature", error.message) from None
    if mandate.issued_at - at > timedelta(seconds=SKEW_S):
        raise _refused("clock", "the clock says that it was not issued yet")
    _same("force", mandate.force, anchor.force)
    if anchor.deployment_id is not None:
        _same("deployment", mandate.deployment_id, anchor.deployment_id)
    if anchor.place is not None:
        _same("place", mandate.place, anchor.place)
    _same("policy", mandate.policy_digest, anchor.policy.digest)
    if mandate.mode not in anchor.policy.modes:
        raise _refused("mode", f"the policy is not for {mandate.mode} use")
    _same("bundle", mandate.bundle_digest, anchor.bundle_digest)
    _approved_list(mandate, anchor, _authority(mandate, anchor, at))
    return mandate


def _authority(mandate: Mandate, anchor: Anchor, at: datetime) -> _Chain:
    given, _ = _decided(mandate.authority, Authorisation, mandate, anchor, _authority_rank)
    latest = given.at + timedelta(hours=anchor.policy.authority.urgent_confirm_hours)
    if given.urgent and (given.confirm_by is None or given.confirm_by > latest):
        raise _refused("authority", "an urgent authority must lapse within the policy's time")
    confirmed = _confirmed(mandate, anchor, given)
    if given.confirm_by is not None and confirmed is None and given.confirm_by <= at:
        raise _refused("lapsed", _LAPSED)
    _same("force", given.force, mandate.force)
    _same("policy", given.policy_digest, mandate.policy_digest)
    _same("place", given.place, mandate.place)
    if given.cameras != mandate.cameras:
        raise _refused("zone", "the cameras or zones are not those that were authorised")
    chain = _Chain(given, confirmed)
    if mandate.starts_at != given.starts_at or mandate.ends_at != _extended(mandate, anchor, chain):
        raise _refused("window", "the window is not the one that was authorised")
    ceiling = timedelta(hours=anchor.policy.authority.max_window_hours)
    if not timedelta(0) < mandate.ends_at - mandate.starts_at <= ceiling:
        raise _refused("window", f"a window has at most {anchor.policy.authority.max_window_hours:g} hours")
    return chain


@dataclass(frozen=True, slots=True)
class _Chain:
    """The authority, and the one that confirmed it where it was urgent."""

    given: Authorisation
    confirmed: Authorisation | None

    def rank(self, decision: Decision, policy: Policy) -> str | None:
        """What an extension or a list approval needs: the urgent rank only for as long as nobody had confirmed."""
        by_urgent = self.given.urgent and (self.confirmed is None or decision.at < self.confirmed.at)
        return policy.authority.urgent_rank if by_urgent else policy.authority.min_rank


def _authority_rank(given: Decision, policy: Policy) -> str | None:
    urgent = isinstance(given, Authorisation) and given.urgent
    return policy.authority.urgent_rank if urgent else policy.authority.min_rank


def _confirmed(mandate: Mandate, anchor: Anchor, given: Authorisation) -> Authorisation | None:
    if mandate.confirmation is None:
        return None
    confirmed, _ = _decided(mandate.confirmation, Authorisation, mandate, anchor, _authority_rank)
    same = msgspec.structs.replace(
        confirmed, officer=given.officer, at=given.at, urgent=given.urgent, confirm_by=given.confirm_by
    )
    if confirmed.urgent or not given.urgent or same != given:
        raise _refused("authority", "the confirmation is not for what was urgently authorised")
    if given.confirm_by is None or confirmed.at >= given.confirm_by:
        raise _refused("lapsed", _LAPSED)
    return confirmed


def _extended(mandate: Mandate, anchor: Anchor, chain: _Chain) -> datetime:
    ends_at = chain.given.ends_at
    known = {text_digest(one.said) for one in (mandate.authority, mandate.confirmation) if one is not None}
    for link in mandate.extensions:
        decision, _ = _decided(link, Extension, mandate, anchor, chain.rank)
        if decision.authority not in known:
            raise _refused("window", "an extension belongs to another authority")
        if decision.ends_at <= ends_at:
            raise _refused("window", "an extension must end later than what it extends")
        ends_at = decision.ends_at
    return ends_at


def _approved_list(mandate: Mandate, anchor: Anchor, chain: _Chain) -> None:
    approval, _ = _decided(mandate.list_approval, ListApproval, mandate, anchor, chain.rank)
    oldest = timedelta(hours=anchor.policy.watchlist.max_age_hours)
    if mandate.starts_at - approval.at > oldest:
        raise _refused("list", f"the list was approved more than {oldest.total_seconds() / 3600:g} hours before")
    digest, entries = approval.list_digest, approval.entries
    for link in mandate.amendments:
        added, _ = _decided(link, ListAmendment, mandate, anchor, chain.rank)
        if added.previous != digest:
            raise _refused("list", "an amendment does not follow the list before it")
        digest, entries = added.list_digest, added.entries
    _same("list", digest, mandate.list_digest)
    _same("list", approval.band, mandate.band)
    if mandate.band not in anchor.policy.watchlist.bands:
        raise _refused("list", "the policy has no such band")
    if entries > mandate.band:
        raise _refused("list", f"the list has {entries} entries, its band ends at {mandate.band}")


def _decided(
    link: Endorsed, kind: type[Kind], mandate: Mandate, anchor: Anchor, least: Callable[[Decision, Policy], str | None]
) -> tuple[Kind, Credential]:
    """A decision within the mandate: by an Authorising Officer of this force and of the rank it needs."""
    try:
        decision, signer = endorsed(
            link,
            kind,
            registrar=anchor.registrar,
            force=anchor.force,
            role="authorising-officer",
            at=mandate.issued_at,
        )
    except AuthorityError as error:
        raise _refused("authority", error.message) from None
    _same("deployment", decision.deployment_id, mandate.deployment_id)
    if decision.at - mandate.issued_at > timedelta(seconds=SKEW_S):
        raise _refused("authority", "it rests on a decision of a later time")
    rank = least(decision, anchor.policy)
    if rank is None:
        raise _refused("rank", "this policy knows no urgent authority")
    try:
        require_rank(signer, rank, anchor.policy)
    except AuthorityError as error:
        raise _refused("rank", error.message) from None
    return decision, signer


def text_digest(signed: Signed) -> str:
    """SHA-256 of a statement's text, 64 hex digits: how one statement names another."""
    return hashlib.sha256(signed.text.encode()).hexdigest()


def _same(code: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise _refused(code, f"the {code} is not the one this mandate is for")


def _refused(code: str, message: str) -> MandateRefused:
    return MandateRefused(f"no mandate: {message}", code=code, hint="see `lfr deployment check`")


def lapses_at(mandate: Mandate) -> float:
    """When an urgent authority lapses (A4), as Unix seconds; infinity for an ordinary one."""
    given = open_signed(mandate.authority.said, Authorisation)
    return given.confirm_by.timestamp() if given.confirm_by and mandate.confirmation is None else math.inf


@dataclass(slots=True)
class _Admitted:
    mandate: Mandate
    wall: float
    monotonic: float
    lapses: float


@dataclass
class Guard:
    """One process's doorman. Every detection, embedding and search passes `check`; the answer is the mandate.

    wall, monotonic: clocks in seconds. A mandate is verified in full when it is first seen; what was taken back stays
    so. A wall clock that was set back since any mandate was admitted admits none (A3). Fails closed: no mandate, no
    answer.
    """

    anchor: Anchor
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    _admitted: dict[Signed, _Admitted] = field(default_factory=dict)
    _revoked: set[UUID] = field(default_factory=set)
    _latest: tuple[float, float] | None = None
    _barred: dict[UUID, float] = field(default_factory=dict)

    def check(self, signed: Signed | None, camera: str, zone: str) -> Mandate:
        """Raises MandateRefused; codes as in `verify`, and: none, revoked, early, over, clock, lapsed, camera."""
        mandate = self.open(signed)
        if mandate.cameras.get(camera) is None:
            raise _refused("camera", "it is not for this camera")
        if mandate.cameras[camera] != zone:
            raise _refused("zone", "this camera's zone is not the one authorised")
        return mandate

    def open(self, signed: Signed | None) -> Mandate:
        """All of `check` but camera and zone: for what belongs to a deployment, not to a camera (its list)."""
        if signed is None:
            raise _refused("none", "none was shown")
        held = self._admitted.get(signed)
        if held is None:
            held = self._admit(signed)
        mandate = held.mandate
        if mandate.id in self._revoked or mandate.issued_at.timestamp() <= self._barred.get(mandate.deployment_id, -1):
            raise _refused("revoked", "it was taken back")
        self._in_time(held)
        return mandate

    def revoke(self, mandate_id: UUID) -> None:
        """From now on this mandate opens nothing here."""
        self._revoked.add(mandate_id)

    def bar(self, deployment_id: UUID, until: float) -> None:
        """No mandate of this deployment issued up to `until` (Unix seconds) opens anything here, known or not (A13)."""
        self._barred[deployment_id] = max(until, self._barred.get(deployment_id, until))

    def _admit(self, signed: Signed) -> _Admitted:
        wall, monotonic = self._now()
        mandate = verify(signed, self.anchor, datetime.fromtimestamp(wall, UTC))
        self._latest = wall, monotonic
        held = _Admitted(mandate, wall, monotonic, lapses_at(mandate))
        self._admitted = {signed: held, **dict(list(self._admitted.items())[:_REMEMBERED])}
        return held

    def _now(self) -> tuple[float, float]:
        wall, monotonic = self.wall(), self.monotonic()
        if self._latest is not None and wall < self._latest[0] + monotonic - self._latest[1] - SKEW_S:
            raise _refused("clock", "the clock was set back")
        return wall, monotonic

    def _in_time(self, held: _Admitted) -> None:
        wall, monotonic = self._now()
        passed = monotonic - held.monotonic
        if abs(wall - held.wall - passed) > SKEW_S:
            raise _refused("clock", "the clock was set while it was in use")
        starts, ends = held.mandate.starts_at.timestamp(), held.mandate.ends_at.timestamp()
        if wall < starts - EARLY_S:
            raise _refused("early", "its window has not begun")
        latest = max(wall, held.wall + passed)
        if latest >= ends:
            raise _refused("over", "its window is over")
        if latest >= held.lapses:
            raise _refused("lapsed", _LAPSED)
