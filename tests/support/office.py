"""A force for tests: a registrar, officers of every rank with real keys, a plan, and everything that is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import (
    Authorisation,
    Credential,
    Decision,
    Endorsed,
    Extension,
    ListAmendment,
    ListApproval,
)
from lfr.domain.bundle import BandThreshold, Bundle
from lfr.domain.mandate import Anchor, Mandate, text_digest
from lfr.domain.plan import CameraZone, Place, Plan, Reasons
from lfr.domain.policy import Policy, Role
from lfr.domain.signing import Signed, public_key_of, sign
from lfr.services import policies

FORCE = "north-force"
DEPLOYMENT = UUID(int=7)
STARTS = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ENDS = STARTS + timedelta(hours=6)
DAY_BEFORE = STARTS - timedelta(hours=20)
ZONE = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
CAMERA = CameraZone("north", ZONE)
PLACE = Place("High Street", ((-3.18, 51.48), (-3.17, 51.48), (-3.17, 51.49)))
LIST = "1" * 64
OPERATIONAL = policies.load("uk-default")
WRITTEN = (
    "Locate people who are wanted on warrant by the court and whom officers expect at the market on Saturday, "
    "because each was seen there within the past fortnight by named witnesses."
)


@dataclass(frozen=True)
class Officer:
    """Somebody who signs."""

    name: str
    credential: Signed
    key: Ed25519PrivateKey = field(repr=False)

    def endorse(self, said: Decision) -> Endorsed:
        """Sign a decision."""
        return Endorsed(sign(said, self.key), self.credential)


@dataclass
class Office:
    """The keys of one force, and what its people sign about one deployment."""

    policy: Policy = OPERATIONAL
    force: str = FORCE
    registrar: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    minter: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def officer(
        self,
        name: str = "olga",
        rank: str | None = "superintendent",
        roles: Sequence[Role] = ("authorising-officer",),
        *,
        valid: tuple[datetime, datetime] = (STARTS - timedelta(days=10), STARTS + timedelta(days=20)),
        force: str | None = None,
        registrar: Ed25519PrivateKey | None = None,
    ) -> Officer:
        """Somebody with a key of their own and the registrar's word for it."""
        key = Ed25519PrivateKey.generate()
        said = Credential(name, force or self.force, rank, tuple(roles), public_key_of(key), *valid)
        return Officer(name, sign(said, registrar or self.registrar), key)

    @property
    def bundle(self) -> Bundle:
        """A bundle with a threshold for each band of the policy."""
        bands = tuple(BandThreshold(band, 0.5 + band / 1e6, "test", True) for band in self.policy.watchlist.bands)
        return Bundle("double", "2" * 64, "research", bands, 2)

    def plan(self, **changed: Any) -> Plan:
        """A whole plan."""
        given: dict[str, Any] = {
            "title": "Saturday market",
            "force": self.force,
            "use_case": self.policy.use_cases[0].code,
            "categories": (self.policy.categories[0].code,),
            "reasons": Reasons(WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN, WRITTEN),
            "place": PLACE,
            "starts_at": STARTS,
            "ends_at": ENDS,
            "cameras": (CAMERA,),
            "people": {"authorising-officer": ("olga", "ian"), "operator": ("petra",), "watchlist-owner": ("wim",)},
        }
        return Plan(**(given | changed))

    def authority(self, officer: str = "olga", **changed: Any) -> Authorisation:
        """The authority for that plan, an hour before its start."""
        plan = self.plan()
        given: dict[str, Any] = {
            "deployment_id": DEPLOYMENT,
            "officer": officer,
            "at": STARTS - timedelta(hours=1),
            "force": self.force,
            "plan_digest": plan.digest,
            "policy_digest": self.policy.digest,
            "use_case": plan.use_case,
            "categories": plan.categories,
            "place": plan.place.digest,
            "starts_at": STARTS,
            "ends_at": ENDS,
            "cameras": {CAMERA.camera: CAMERA.digest},
        }
        return Authorisation(**(given | changed))

    def urgent(self, officer: str = "ian", **changed: Any) -> Authorisation:
        """An inspector's authority, which lapses three hours after the start."""
        lapses = STARTS - timedelta(hours=1) + timedelta(hours=self.policy.authority.urgent_confirm_hours)
        return self.authority(officer, **({"urgent": True, "confirm_by": lapses} | changed))

    def approval(self, officer: str = "olga", **changed: Any) -> ListApproval:
        """The approval of a list of 100."""
        given: dict[str, Any] = {
            "deployment_id": DEPLOYMENT,
            "officer": officer,
            "at": STARTS - timedelta(hours=1),
            "list_digest": LIST,
            "entries": 100,
            "band": self.policy.watchlist.bands[0],
        }
        return ListApproval(**(given | changed))

    def amendment(self, previous: str, digest: str, entries: int = 101, **changed: Any) -> ListAmendment:
        """One entry more."""
        given: dict[str, Any] = {
            "deployment_id": DEPLOYMENT,
            "officer": "olga",
            "at": STARTS,
            "previous": previous,
            "added": ("3" * 64,),
            "list_digest": digest,
            "entries": entries,
        }
        return ListAmendment(**(given | changed))

    def extension(self, authority: Endorsed, ends_at: datetime, **changed: Any) -> Extension:
        """A later end."""
        given: dict[str, Any] = {
            "deployment_id": DEPLOYMENT,
            "officer": "olga",
            "at": STARTS + timedelta(hours=1),
            "authority": text_digest(authority.said),
            "ends_at": ends_at,
            "reason": "The person was seen nearby.",
        }
        return Extension(**(given | changed))

    def mandate(self, **changed: Any) -> Mandate:
        """A mandate that rests on all of these; any field may be given otherwise."""
        officer = self.officer()
        authority = changed.get("authority") or officer.endorse(self.authority())
        given: dict[str, Any] = {
            "id": UUID(int=1),
            "force": self.force,
            "deployment_id": DEPLOYMENT,
            "mode": "operational",
            "place": PLACE.digest,
            "starts_at": STARTS,
            "ends_at": ENDS,
            "cameras": {CAMERA.camera: CAMERA.digest},
            "list_digest": LIST,
            "band": self.policy.watchlist.bands[0],
            "threshold": self.bundle.thresholds[0].threshold,
            "bundle_digest": self.bundle.digest,
            "policy_digest": self.policy.digest,
            "authority": authority,
            "list_approval": officer.endorse(self.approval()),
            "issued_at": STARTS,
        }
        return Mandate(**(given | changed))

    def minted(self, **changed: Any) -> Signed:
        """The same, signed by the minter."""
        return sign(self.mandate(**changed), self.minter)

    def anchor(self, **changed: Any) -> Anchor:
        """What a verifier of this force knows."""
        given: dict[str, Any] = {
            "force": self.force,
            "deployment_id": DEPLOYMENT,
            "place": PLACE.digest,
            "minter": public_key_of(self.minter),
            "registrar": public_key_of(self.registrar),
            "policy": self.policy,
            "bundle_digest": self.bundle.digest,
        }
        return Anchor(**(given | changed))


def changed_policy(policy: Policy, **parts: dict[str, Any]) -> Policy:
    """A policy with some fields of its parts changed: changed_policy(p, authority={"urgent_rank": None})."""
    replaced = {name: msgspec.structs.replace(getattr(policy, name), **fields) for name, fields in parts.items()}
    return msgspec.structs.replace(policy, **replaced)
