"""A force with its keys, and a mandate that holds: what tests of authority start from, and then bend."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Authorisation, Credential, Decision, Endorsed, ListAmendment, ListApproval
from lfr.domain.mandate import Anchor, Guard, Mandate
from lfr.domain.plan import CameraZone
from lfr.domain.policy import Policy, Role
from lfr.domain.signing import Signed, public_key_of, sign
from lfr.services import policies

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ZONE = CameraZone("north", ((0.2, 0.2), (0.8, 0.2), (0.8, 0.9), (0.2, 0.9)))
LIST, BUNDLE, PLAN = "1" * 64, "2" * 64, "3" * 64


def new_key() -> Ed25519PrivateKey:
    """A fresh signing key."""
    return Ed25519PrivateKey.generate()


@dataclass
class Clock:
    """Both clocks of a process, set by hand. Seconds."""

    wall: float = START.timestamp()
    steady: float = 1000.0

    def on(self, seconds: float) -> None:
        """Time passes."""
        self.wall += seconds
        self.steady += seconds


@dataclass
class Force:
    """One force: its policy, its registrar's key, its node's key, and one deployment from 9 to 12."""

    policy: Policy = field(default_factory=lambda: policies.load("uk-default"))
    name: str = "westshire"
    registrar: Ed25519PrivateKey = field(default_factory=new_key)
    node: Ed25519PrivateKey = field(default_factory=new_key)
    officer: Ed25519PrivateKey = field(default_factory=new_key)
    deployment: UUID = field(default_factory=uuid4)

    def credential(self, **changed: object) -> Signed:
        """The registrar's word for a superintendent who may authorise."""
        roles: tuple[Role, ...] = ("authorising-officer",)
        given = Credential(
            "anna", self.name, "superintendent", roles, public_key_of(self.officer),
            START - timedelta(days=30), START + timedelta(days=300),
        )  # fmt: skip
        return sign(msgspec.structs.replace(given, **changed), self.registrar)

    def endorse(self, decision: Decision, **credential: object) -> Endorsed:
        """The officer signs."""
        return Endorsed(sign(decision, self.officer), self.credential(**credential))

    def authority(self, **changed: object) -> Authorisation:
        """An ordinary authority for one camera, from 9 to 12."""
        given = Authorisation(
            deployment_id=self.deployment, officer="anna", at=START - timedelta(hours=3), force=self.name,
            plan_digest=PLAN, policy_digest=self.policy.digest, use_case="wanted-persons",
            categories=("wanted-by-court",), place="station square", starts_at=START,
            ends_at=START + timedelta(hours=3), cameras={"north": ZONE.digest},
        )  # fmt: skip
        return msgspec.structs.replace(given, **changed)

    def approval(self, **changed: object) -> ListApproval:
        """The approval of a list of 12 people, an hour before the start."""
        given = ListApproval(self.deployment, "anna", START - timedelta(hours=1), LIST, entries=12, band=10_000)
        return msgspec.structs.replace(given, **changed)

    def amendment(self, previous: str, digest: str, **changed: object) -> Endorsed:
        """One more person, chained to the list before."""
        at = START - timedelta(minutes=2)
        given = ListAmendment(self.deployment, "anna", at, previous, ("4" * 64,), digest, entries=13)
        return self.endorse(msgspec.structs.replace(given, **changed))

    def mandate(
        self, authority: Endorsed | None = None, approval: Endorsed | None = None, **changed: object
    ) -> Mandate:
        """A mandate that holds, save for what is changed."""
        given = Mandate(
            id=uuid4(), force=self.name, deployment_id=self.deployment, mode="operational", place="station square",
            starts_at=START, ends_at=START + timedelta(hours=3), cameras={"north": ZONE.digest}, list_digest=LIST,
            band=10_000, threshold=0.4, bundle_digest=BUNDLE, policy_digest=self.policy.digest,
            authority=authority or self.endorse(self.authority()),
            list_approval=approval or self.endorse(self.approval()), issued_at=START,
        )  # fmt: skip
        return msgspec.structs.replace(given, **changed)

    def minted(self, *args: Endorsed, **changed: object) -> Signed:
        """The same, signed by the node."""
        return sign(self.mandate(*args, **changed), self.node)

    def anchor(self, **changed: object) -> Anchor:
        """What this force's processes know without being told."""
        given: dict[str, object] = {
            "force": self.name, "deployment_id": self.deployment, "place": "station square",
            "minter": public_key_of(self.node), "registrar": public_key_of(self.registrar), "policy": self.policy,
            "bundle_digest": BUNDLE,
        }  # fmt: skip
        return Anchor(**(given | changed))  # type: ignore[arg-type]

    def guard(self, clock: Clock, **changed: object) -> Guard:
        """The doorman of one process."""
        return Guard(self.anchor(**changed), lambda: clock.wall, lambda: clock.steady)
