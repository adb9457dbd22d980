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
from typing import TypeVar
from uuid import UUID

from lfr.domain.authority import (
    Authorisation,
    Endorsed,
    Extension,
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

    cameras: camera -> digest of its zone. band: the list may hold at most so many entries, and `threshold` holds for
    all of them. list_digest: of the approved list with its amendments.
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

    Raises MandateRefused with a code: signature, force, deployment, place, bundle, policy, rank, authority, window,
    zone, list.
    """
    try:
        mandate = open_signed(signed, Mandate, key=anchor.minter)
    except AuthorityError as error:
        raise _refused("signature", error.message) from None
    _same("force", mandate.force, anchor.force)
    if anchor.deployment_id is not None:
        _same("deployment", mandate.deployment_id, anchor.deployment_id)
    if anchor.place is not None:
        _same("place", mandate.place, anchor.place)
    _same("policy", mandate.policy_digest, anchor.policy.digest)
    _same("bundle", mandate.bundle_digest, anchor.bundle_digest)
    _authority(mandate, anchor, at)
    _approved_list(mandate, anchor)
    return mandate


def _authority(mandate: Mandate, anchor: Anchor, at: datetime) -> None:
    policy = anchor.policy
    try:
        given, signer = endorsed(
            mandate.authority,
            Authorisation,
            registrar=anchor.registrar,
            force=anchor.force,
            role="authorising-officer",
            at=mandate.issued_at,
        )
    except AuthorityError as error:
        raise _refused("authority", error.message) from None
    least = policy.authority.urgent_rank if given.urgent else policy.authority.min_rank
    if least is None:
        raise _refused("rank", "this policy knows no urgent authority")
    try:
        require_rank(signer, least, policy)
    except AuthorityError as error:
        raise _refused("rank", error.message) from None
    if given.urgent and (given.confirm_by is None or given.confirm_by <= at):
        raise _refused("lapsed", _LAPSED)
    _same("force", given.force, mandate.force)
    _same("deployment", given.deployment_id, mandate.deployment_id)
    _same("policy", given.policy_digest, mandate.policy_digest)
    _same("place", given.place, mandate.place)
    if given.cameras != mandate.cameras:
        raise _refused("zone", "the cameras or zones are not those that were authorised")
    ends_at = _extended(mandate, anchor, given)
    if mandate.starts_at != given.starts_at or mandate.ends_at != ends_at:
        raise _refused("window", "the window is not the one that was authorised")
    ceiling = timedelta(hours=policy.authority.max_window_hours)
    if not timedelta(0) < mandate.ends_at - mandate.starts_at <= ceiling:
        raise _refused("window", f"a window has at most {policy.authority.max_window_hours:g} hours")


def _extended(mandate: Mandate, anchor: Anchor, given: Authorisation) -> datetime:
    ends_at = given.ends_at
    for link in mandate.extensions:
        decision = _link(link, Extension, mandate, anchor)
        if decision.authority != text_digest(mandate.authority.said):
            raise _refused("window", "an extension belongs to another authority")
        ends_at = decision.ends_at
    return ends_at


def _approved_list(mandate: Mandate, anchor: Anchor) -> None:
    approval = _link(mandate.list_approval, ListApproval, mandate, anchor)
    oldest = timedelta(hours=anchor.policy.watchlist.max_age_hours)
    if mandate.starts_at - approval.at > oldest:
        raise _refused("list", f"the list was approved more than {oldest.total_seconds() / 3600:g} hours before")
    digest, entries = approval.list_digest, approval.entries
    for link in mandate.amendments:
        added = _link(link, ListAmendment, mandate, anchor)
        if added.previous != digest:
            raise _refused("list", "an amendment does not follow the list before it")
        digest, entries = added.list_digest, added.entries
    _same("list", digest, mandate.list_digest)
    _same("list", approval.band, mandate.band)
    if entries > mandate.band:
        raise _refused("list", f"the list has {entries} entries, its band ends at {mandate.band}")


Linked = TypeVar("Linked", Extension, ListAmendment, ListApproval)


def _link(link: Endorsed, kind: type[Linked], mandate: Mandate, anchor: Anchor) -> Linked:
    try:
        decision, signer = endorsed(
            link,
            kind,
            registrar=anchor.registrar,
            force=anchor.force,
            role="authorising-officer",
            at=mandate.issued_at,
        )
        given = open_signed(mandate.authority.said, Authorisation)
        urgent = anchor.policy.authority.urgent_rank if given.urgent else None
        require_rank(signer, urgent or anchor.policy.authority.min_rank, anchor.policy)
    except AuthorityError as error:
        raise _refused("authority", error.message) from None
    _same("deployment", decision.deployment_id, mandate.deployment_id)
    return decision


def text_digest(signed: Signed) -> str:
    """SHA-256 of a statement's text, 64 hex digits: how one statement names another."""
    return hashlib.sha256(signed.text.encode()).hexdigest()


def _same(code: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise _refused(code, f"the {code} is not the one this mandate is for")


def _refused(code: str, message: str) -> MandateRefused:
    return MandateRefused(f"no mandate: {message}", code=code, hint="see `lfr deployment check`")


def _lapses_at(mandate: Mandate) -> float:
    """When an urgent authority lapses (A4), as Unix seconds; infinity for an ordinary one."""
    given = open_signed(mandate.authority.said, Authorisation)
    return given.confirm_by.timestamp() if given.urgent and given.confirm_by else math.inf


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
    so. Fails closed: no mandate, no answer.
    """

    anchor: Anchor
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    _admitted: dict[Signed, _Admitted] = field(default_factory=dict)
    _revoked: set[UUID] = field(default_factory=set)

    def check(self, signed: Signed | None, camera: str, zone: str) -> Mandate:
        """Raises MandateRefused; codes as in `verify`, and: none, revoked, early, over, clock, lapsed, camera."""
        if signed is None:
            raise _refused("none", "none was shown")
        held = self._admitted.get(signed)
        if held is None:
            held = self._admit(signed)
        mandate = held.mandate
        if mandate.id in self._revoked:
            raise _refused("revoked", "it was taken back")
        self._in_time(held)
        if mandate.cameras.get(camera) is None:
            raise _refused("camera", "it is not for this camera")
        if mandate.cameras[camera] != zone:
            raise _refused("zone", "this camera's zone is not the one authorised")
        return mandate

    def revoke(self, mandate_id: UUID) -> None:
        """From now on this mandate opens nothing here."""
        self._revoked.add(mandate_id)

    def _admit(self, signed: Signed) -> _Admitted:
        wall, monotonic = self.wall(), self.monotonic()
        mandate = verify(signed, self.anchor, datetime.fromtimestamp(wall, UTC))
        held = _Admitted(mandate, wall, monotonic, _lapses_at(mandate))
        self._admitted = {signed: held, **dict(list(self._admitted.items())[:_REMEMBERED])}
        return held

    def _in_time(self, held: _Admitted) -> None:
        wall, monotonic = self.wall(), self.monotonic()
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
