"""What it costs to ask for a mandate on every call (A1): a real one, with its authority, list and amendments.

A call carries the mandate as a fresh object, so that is what is checked here: taken apart as Ray would, then looked up,
held against clock, window, camera and revocations. The first time it is verified in full, signature by signature.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.authority import Authorisation, Credential, Decision, Endorsed, ListAmendment, ListApproval
from lfr.domain.mandate import Anchor, Guard, Mandate
from lfr.domain.plan import CameraZone
from lfr.domain.policy import Policy
from lfr.domain.signing import Signed, instant, public_key_of, sign

CHECKS_PER_FRAME = 5
"""Detection and embedding ask when the call comes and when its turn has come, the matcher once. Without a face: 2."""

_FORCE, _OFFICER, _DIGEST = "bench", "bench-officer", "0" * 64


@dataclass(frozen=True, slots=True)
class MandateCost:
    """check_us: one check of a mandate that was seen before, as a call brings it. carry_us: taking the call's copy
    apart, which calls without a mandate would not. verify_ms: the first time. bytes: of the signed mandate.
    """

    amendments: int
    bytes: int
    check_us: float
    carry_us: float
    verify_ms: float

    def share(self, frames_per_second: float) -> float:
        """Of one core's time, at so many processed frames a second with faces in each."""
        return CHECKS_PER_FRAME * (self.check_us + self.carry_us) * 1e-6 * frames_per_second


def measure(policy: Policy, *, amendments: int = 0, seconds: float = 1.0) -> MandateCost:
    """Measure on this machine, for about so many seconds."""
    signed, anchor, zone = _mandate(policy, amendments)
    carried = pickle.dumps(signed, protocol=5)
    verify = _each(lambda: _guard(anchor).check(signed, zone.camera, zone.digest), seconds / 4)
    guard = _guard(anchor)
    guard.check(signed, zone.camera, zone.digest)
    carry = _each(lambda: pickle.loads(carried), seconds / 4)  # noqa: S301 - our own bytes
    both = _each(
        lambda: guard.check(pickle.loads(carried), zone.camera, zone.digest),  # noqa: S301 - as above
        seconds / 2,
    )
    return MandateCost(
        amendments=amendments,
        bytes=len(signed.encode()),
        check_us=round((both - carry) * 1e6, 1),
        carry_us=round(carry * 1e6, 1),
        verify_ms=round(verify * 1e3, 2),
    )


def _guard(anchor: Anchor) -> Guard:
    return Guard(anchor, time.time, time.monotonic)


def _each(call: Callable[[], object], seconds: float) -> float:
    """The median time of a call, in seconds."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(took) < 5:
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


def _mandate(policy: Policy, amendments: int) -> tuple[Signed, Anchor, CameraZone]:
    """One that holds now, from keys made for the purpose."""
    registrar, officer, minter = (Ed25519PrivateKey.generate() for _ in range(3))
    at, deployment = instant(datetime.now(UTC)), uuid4()
    ends_at = at + timedelta(hours=policy.authority.max_window_hours)
    zone = CameraZone("north", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    credential = sign(
        Credential(
            officer=_OFFICER,
            force=_FORCE,
            rank=policy.authority.ranks[-1],
            roles=("authorising-officer",),
            key=public_key_of(officer),
            issued_at=at,
            expires_at=ends_at,
        ),
        registrar,
    )

    def endorsed(said: Decision) -> Endorsed:
        return Endorsed(sign(said, officer), credential)

    authority = Authorisation(
        deployment_id=deployment,
        officer=_OFFICER,
        at=at,
        force=_FORCE,
        plan_digest=_DIGEST,
        policy_digest=policy.digest,
        use_case=policy.use_cases[0].code,
        categories=(policy.categories[0].code,),
        place=_DIGEST,
        starts_at=at,
        ends_at=ends_at,
        cameras={zone.camera: zone.digest},
    )
    band = max(policy.watchlist.bands)
    digests = [f"{number:064x}" for number in range(amendments + 1)]
    added = [
        ListAmendment(deployment, _OFFICER, at, before, (after,), after, 2 + number)
        for number, (before, after) in enumerate(pairwise(digests))
    ]
    mandate = Mandate(
        id=uuid4(),
        force=_FORCE,
        deployment_id=deployment,
        mode=policy.modes[0],
        place=_DIGEST,
        starts_at=at,
        ends_at=ends_at,
        cameras={zone.camera: zone.digest},
        list_digest=digests[-1],
        band=band,
        threshold=0.5,
        bundle_digest=_DIGEST,
        policy_digest=policy.digest,
        authority=endorsed(authority),
        list_approval=endorsed(ListApproval(deployment, _OFFICER, at, digests[0], 1, band)),
        issued_at=at,
        amendments=tuple(endorsed(one) for one in added),
    )
    anchor = Anchor(_FORCE, None, None, public_key_of(minter), public_key_of(registrar), policy, _DIGEST)
    return sign(mandate, minter), anchor, zone
