"""A1: whatever is wrong with a mandate, it opens nothing, and says by its code what was wrong."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lfr.domain.errors import MandateRefused
from lfr.domain.mandate import SKEW_S, Guard, verify
from lfr.domain.signing import Signed, sign
from tests.support.office import (
    CAMERA,
    ENDS,
    FORCE,
    LIST,
    STARTS,
    Office,
    changed_policy,
)

HOUR = timedelta(hours=1)
OFFICE = Office()


class Clock:
    """A wall and a monotonic clock that go together until somebody sets the wall clock."""

    def __init__(self, at=STARTS) -> None:
        self.wall, self.mono = at.timestamp(), 1000.0

    def goes(self, seconds: float) -> None:
        self.wall += seconds
        self.mono += seconds

    def guard(self, office: Office = OFFICE, **anchor) -> Guard:
        return Guard(office.anchor(**anchor), lambda: self.wall, lambda: self.mono)


def refused(signed: Signed | None, *, guard: Guard | None = None, camera="north", zone=CAMERA.digest) -> str:
    """The code with which it is refused."""
    with pytest.raises(MandateRefused) as error:
        (guard or Clock().guard()).check(signed, camera, zone)
    assert error.value.hint
    assert pickle.loads(pickle.dumps(error.value)).code == error.value.code
    return error.value.code


@pytest.mark.rule("A1")
def test_a_good_mandate_opens_what_it_is_for() -> None:
    mandate = Clock().guard().check(OFFICE.minted(), "north", CAMERA.digest)
    assert mandate.list_digest == LIST


def forged(change: Callable[[Signed], Signed]) -> str:
    return refused(change(OFFICE.minted()))


def _flipped(signed: Signed) -> Signed:
    raw = bytearray(base64.b64decode(signed.signature))
    raw[7] ^= 1
    return msgspec.structs.replace(signed, signature=base64.b64encode(bytes(raw)).decode())


def by(rank: str | None = "superintendent", **given) -> dict[str, object]:
    """A mandate whose authority was signed by this officer."""
    return {"authority": OFFICE.officer(rank=rank, **given).endorse(OFFICE.authority())}


VARIANTS: dict[str, tuple[str, Callable[[], str]]] = {
    "none": ("none", lambda: refused(None)),
    "forged signature": ("signature", lambda: forged(_flipped)),
    "changed text": (
        "signature",
        lambda: forged(lambda s: msgspec.structs.replace(s, text=s.text.replace(LIST, "f" * 64))),
    ),
    "another minter": (
        "signature",
        lambda: refused(sign(OFFICE.mandate(), Ed25519PrivateKey.generate())),
    ),
    "another kind of statement": (
        "signature",
        lambda: refused(sign(OFFICE.authority(), OFFICE.minter)),
    ),
    "another force's system": ("force", lambda: refused(OFFICE.minted(), guard=Clock().guard(force="south-force"))),
    "a mandate in another force's name": ("force", lambda: refused(OFFICE.minted(force="south-force"))),
    "an authority in another force's name": (
        "force",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority(force="south-force")))),
    ),
    "an officer of another force": ("authority", lambda: refused(OFFICE.minted(**by(force="south-force")))),
    "another registrar": (
        "authority",
        lambda: refused(OFFICE.minted(**by(registrar=Ed25519PrivateKey.generate()))),
    ),
    "a credential not yet valid": (
        "authority",
        lambda: refused(OFFICE.minted(**by(valid=(STARTS + HOUR, ENDS)))),
    ),
    "a credential that has run out": (
        "authority",
        lambda: refused(OFFICE.minted(**by(valid=(STARTS - 9 * HOUR, STARTS - HOUR)))),
    ),
    "rank too low": ("rank", lambda: refused(OFFICE.minted(**by("chief-inspector")))),
    "no rank": ("rank", lambda: refused(OFFICE.minted(**by(None)))),
    "a rank the policy does not know": ("rank", lambda: refused(OFFICE.minted(**by("emperor")))),
    "not an authorising officer": ("authority", lambda: refused(OFFICE.minted(**by(roles=("operator",))))),
    "signed in another's name": (
        "authority",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority("petra")))),
    ),
    "a decision of a later time": (
        "authority",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority(at=STARTS + HOUR)))),
    ),
    "another deployment's system": (
        "deployment",
        lambda: refused(OFFICE.minted(), guard=Clock().guard(deployment_id=UUID(int=8))),
    ),
    "an authority for another deployment": (
        "deployment",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority(deployment_id=UUID(int=8))))),
    ),
    "a list approval for another deployment": (
        "deployment",
        lambda: refused(
            OFFICE.minted(list_approval=OFFICE.officer().endorse(OFFICE.approval(deployment_id=UUID(int=8))))
        ),
    ),
    "another place's system": ("place", lambda: refused(OFFICE.minted(), guard=Clock().guard(place="f" * 64))),
    "an authority for another place": (
        "place",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority(place="f" * 64)))),
    ),
    "another camera": ("camera", lambda: refused(OFFICE.minted(), camera="south")),
    "a camera nobody authorised": (
        "zone",
        lambda: refused(OFFICE.minted(cameras={"north": CAMERA.digest, "south": CAMERA.digest}), camera="south"),
    ),
    "another zone": ("zone", lambda: refused(OFFICE.minted(), zone="f" * 64)),
    "a zone nobody authorised": ("zone", lambda: refused(OFFICE.minted(cameras={"north": "f" * 64}), zone="f" * 64)),
    "another bundle": ("bundle", lambda: refused(OFFICE.minted(), guard=Clock().guard(bundle_digest="f" * 64))),
    "another policy": ("policy", lambda: refused(OFFICE.minted(policy_digest="f" * 64))),
    "an authority under another policy": (
        "policy",
        lambda: refused(OFFICE.minted(authority=OFFICE.officer().endorse(OFFICE.authority(policy_digest="f" * 64)))),
    ),
    "a mode the policy is not for": ("mode", lambda: refused(OFFICE.minted(mode="demo"))),
    "another list": ("list", lambda: refused(OFFICE.minted(list_digest="f" * 64))),
    "a band nobody approved": ("list", lambda: refused(OFFICE.minted(band=20000))),
    "a band the policy does not have": (
        "list",
        lambda: refused(
            OFFICE.minted(band=11, list_approval=OFFICE.officer().endorse(OFFICE.approval(band=11, entries=3)))
        ),
    ),
    "more entries than the band holds": (
        "list",
        lambda: refused(OFFICE.minted(list_approval=OFFICE.officer().endorse(OFFICE.approval(entries=10001)))),
    ),
    "a list of more than 24 hours ago": (
        "list",
        lambda: refused(
            OFFICE.minted(
                list_approval=OFFICE.officer().endorse(OFFICE.approval(at=STARTS - 24 * HOUR - timedelta(seconds=1)))
            )
        ),
    ),
    "a list approved by somebody of lower rank": (
        "rank",
        lambda: refused(OFFICE.minted(list_approval=OFFICE.officer(rank="inspector").endorse(OFFICE.approval()))),
    ),
    "a later end than authorised": ("window", lambda: refused(OFFICE.minted(ends_at=ENDS + HOUR))),
    "an earlier start than authorised": ("window", lambda: refused(OFFICE.minted(starts_at=STARTS - HOUR))),
    "a window beyond the ceiling": (
        "window",
        lambda: refused(
            OFFICE.minted(
                ends_at=STARTS + 13 * HOUR,
                authority=OFFICE.officer().endorse(OFFICE.authority(ends_at=STARTS + 13 * HOUR)),
            )
        ),
    ),
    "a window that ends before it starts": (
        "window",
        lambda: refused(
            OFFICE.minted(ends_at=STARTS, authority=OFFICE.officer().endorse(OFFICE.authority(ends_at=STARTS)))
        ),
    ),
    "issued later than now": ("clock", lambda: refused(OFFICE.minted(issued_at=STARTS + HOUR))),
}


@pytest.mark.rule("A1")
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_refused_with_its_code(name: str) -> None:
    code, attempt = VARIANTS[name]
    assert attempt() == code


@pytest.mark.rule("A3")
class TestTime:
    def test_before_its_window_it_opens_nothing(self) -> None:
        clock = Clock(STARTS - timedelta(seconds=5))
        signed = OFFICE.minted(issued_at=STARTS - timedelta(seconds=5))
        guard = clock.guard()
        assert refused(signed, guard=guard) == "early"
        clock.goes(5)
        guard.check(signed, "north", CAMERA.digest)

    def test_a_millisecond_after_the_end_it_opens_nothing(self) -> None:
        clock, signed = Clock(), OFFICE.minted()
        guard = clock.guard()
        guard.check(signed, "north", CAMERA.digest)
        clock.goes((ENDS - STARTS).total_seconds() - 0.001)
        guard.check(signed, "north", CAMERA.digest)
        clock.goes(0.002)
        assert refused(signed, guard=guard) == "over"

    def test_a_clock_that_is_set_back_gives_no_longer_window(self) -> None:
        clock, signed = Clock(), OFFICE.minted()
        guard = clock.guard()
        guard.check(signed, "north", CAMERA.digest)
        clock.goes((ENDS - STARTS).total_seconds() - 60)
        clock.wall -= 3600
        assert refused(signed, guard=guard) == "clock"
        assert refused(OFFICE.minted(id=UUID(int=2)), guard=guard) == "clock"  # nor does a mandate it has not seen yet

    def test_a_clock_that_is_set_back_a_little_still_ends_by_the_monotonic_one(self) -> None:
        clock, signed = Clock(), OFFICE.minted()
        guard = clock.guard()
        guard.check(signed, "north", CAMERA.digest)
        clock.goes((ENDS - STARTS).total_seconds())
        clock.wall -= SKEW_S / 2
        assert refused(signed, guard=guard) == "over"

    def test_a_clock_that_is_set_forward_refuses_and_a_fresh_mandate_opens_again(self) -> None:
        clock, signed = Clock(), OFFICE.minted()
        guard = clock.guard()
        guard.check(signed, "north", CAMERA.digest)
        clock.wall += 600
        assert refused(signed, guard=guard) == "clock"
        fresh = OFFICE.minted(id=UUID(int=2), issued_at=STARTS + timedelta(seconds=600))
        guard.check(fresh, "north", CAMERA.digest)

    def test_a_clock_slower_than_the_minter_by_more_than_the_skew_is_refused(self) -> None:
        clock = Clock(STARTS - timedelta(seconds=SKEW_S + 1))
        assert refused(OFFICE.minted(), guard=clock.guard()) == "clock"


@pytest.mark.rule("A1")
def test_what_was_taken_back_stays_so() -> None:
    guard, signed = Clock().guard(), OFFICE.minted()
    mandate = guard.check(signed, "north", CAMERA.digest)
    guard.revoke(mandate.id)
    assert refused(signed, guard=guard) == "revoked"
    guard.revoke(UUID(int=9))  # one that was never seen
    assert refused(OFFICE.minted(id=UUID(int=9)), guard=guard) == "revoked"


@pytest.mark.rule("A4")
class TestUrgent:
    inspector = OFFICE.officer("ian", "inspector")
    authority = inspector.endorse(OFFICE.urgent())
    approval = inspector.endorse(OFFICE.approval("ian"))

    def minted(self, **changed) -> Signed:
        return OFFICE.minted(**({"authority": self.authority, "list_approval": self.approval} | changed))

    def confirmed(self, at=STARTS, rank="superintendent", **changed):
        return OFFICE.officer(rank=rank).endorse(OFFICE.authority(at=at, **changed))

    def test_it_opens_until_it_lapses(self) -> None:
        clock, signed = Clock(), self.minted()
        guard = clock.guard()
        guard.check(signed, "north", CAMERA.digest)
        clock.goes(3 * 3600 - 1)
        guard.check(signed, "north", CAMERA.digest)
        clock.goes(2)
        assert refused(signed, guard=guard) == "lapsed"

    def test_after_the_time_to_confirm_nobody_admits_it(self) -> None:
        assert refused(self.minted(), guard=Clock(STARTS + 3 * HOUR).guard()) == "lapsed"

    def test_a_confirmation_keeps_it_open_and_what_was_approved_under_it_valid(self) -> None:
        signed = self.minted(confirmation=self.confirmed(), issued_at=STARTS + HOUR)
        clock = Clock(STARTS + HOUR)
        guard = clock.guard()
        opened = guard.check(signed, "north", CAMERA.digest)
        assert opened.confirmation is not None
        clock.goes(4 * 3600)
        assert guard.check(signed, "north", CAMERA.digest) == opened

    def test_a_list_approved_after_the_confirmation_needs_the_full_rank(self) -> None:
        late = self.inspector.endorse(OFFICE.approval("ian", at=STARTS + timedelta(minutes=30)))
        signed = self.minted(confirmation=self.confirmed(), issued_at=STARTS + HOUR, list_approval=late)
        assert refused(signed, guard=Clock(STARTS + HOUR).guard()) == "rank"

    @pytest.mark.parametrize(
        ("code", "change"),
        [
            ("lapsed", {"at": STARTS + 3 * HOUR}),
            ("rank", {"rank": "inspector"}),
            ("authority", {"plan_digest": "f" * 64}),
            ("authority", {"ends_at": ENDS + HOUR}),
            ("authority", {"urgent": True, "confirm_by": STARTS + HOUR}),
        ],
    )
    def test_a_confirmation_of_something_else_confirms_nothing(self, code: str, change: dict[str, object]) -> None:
        signed = self.minted(confirmation=self.confirmed(**change), issued_at=STARTS + 3 * HOUR)
        assert refused(signed, guard=Clock(STARTS + 3 * HOUR).guard()) == code

    def test_an_ordinary_authority_has_nothing_to_confirm(self) -> None:
        assert refused(OFFICE.minted(confirmation=self.confirmed())) == "authority"

    def test_it_cannot_give_itself_longer_than_the_policy(self) -> None:
        for lapses in (None, STARTS + 4 * HOUR):
            longer = self.inspector.endorse(OFFICE.urgent(confirm_by=lapses))
            assert refused(self.minted(authority=longer)) == "authority"

    def test_a_lower_rank_than_the_urgent_one_is_refused(self) -> None:
        sergeant = OFFICE.officer("ian", "sergeant").endorse(OFFICE.urgent())
        assert refused(self.minted(authority=sergeant)) == "rank"

    def test_a_policy_without_urgent_authority_knows_none(self) -> None:
        office = Office(changed_policy(OFFICE.policy, authority={"urgent_rank": None}))
        chief = office.officer("ian", "chief-constable")
        signed = office.minted(
            authority=chief.endorse(office.urgent()), list_approval=chief.endorse(office.approval("ian"))
        )
        assert refused(signed, guard=Clock().guard(office)) == "rank"


@pytest.mark.rule("A3")
class TestExtension:
    officer = OFFICE.officer()
    authority = officer.endorse(OFFICE.authority())

    def minted(self, *links, ends_at=ENDS) -> Signed:
        return OFFICE.minted(
            authority=self.authority, extensions=tuple(links), ends_at=ends_at, issued_at=STARTS + 2 * HOUR
        )

    def extended(self, hours: float, **changed):
        return self.officer.endorse(OFFICE.extension(self.authority, ENDS + hours * HOUR, **changed))

    def test_signed_extensions_move_the_end_up_to_the_ceiling(self) -> None:
        signed = self.minted(self.extended(2), self.extended(6), ends_at=STARTS + 12 * HOUR)
        clock = Clock(STARTS + 2 * HOUR)
        guard = clock.guard()
        clock.goes(9 * 3600)
        assert guard.check(signed, "north", CAMERA.digest).ends_at == STARTS + 12 * HOUR

    def test_beyond_the_ceiling_none_does(self) -> None:
        signed = self.minted(self.extended(6.01), ends_at=ENDS + 6.01 * HOUR)
        assert refused(signed, guard=Clock(STARTS + 2 * HOUR).guard()) == "window"

    def test_an_end_without_its_extension_is_refused(self) -> None:
        assert refused(self.minted(ends_at=ENDS + HOUR), guard=Clock(STARTS + 2 * HOUR).guard()) == "window"

    def test_an_extension_of_another_authority_is_refused(self) -> None:
        elsewhere = OFFICE.officer().endorse(OFFICE.authority(at=STARTS))
        other = self.officer.endorse(OFFICE.extension(elsewhere, ENDS + HOUR))
        signed = self.minted(other, ends_at=ENDS + HOUR)
        assert refused(signed, guard=Clock(STARTS + 2 * HOUR).guard()) == "window"

    def test_an_extension_that_ends_earlier_is_refused(self) -> None:
        signed = self.minted(self.extended(-1), ends_at=ENDS - HOUR)
        assert refused(signed, guard=Clock(STARTS + 2 * HOUR).guard()) == "window"

    def test_an_extension_by_a_lower_rank_is_refused(self) -> None:
        low = OFFICE.officer(rank="inspector").endorse(OFFICE.extension(self.authority, ENDS + HOUR))
        assert refused(self.minted(low, ends_at=ENDS + HOUR), guard=Clock(STARTS + 2 * HOUR).guard()) == "rank"


@pytest.mark.rule("A1")
class TestAmendments:
    officer = OFFICE.officer()

    def minted(self, *links, list_digest: str) -> Signed:
        return OFFICE.minted(amendments=tuple(self.officer.endorse(link) for link in links), list_digest=list_digest)

    def test_a_chain_leads_from_the_approved_list_to_the_present_one(self) -> None:
        links = [OFFICE.amendment(LIST, "4" * 64), OFFICE.amendment("4" * 64, "5" * 64, 102)]
        opened = Clock().guard().check(self.minted(*links, list_digest="5" * 64), "north", CAMERA.digest)
        assert opened.list_digest == "5" * 64

    @pytest.mark.parametrize("missing", [0, 1])
    def test_a_missing_link_breaks_it(self, missing: int) -> None:
        links = [OFFICE.amendment(LIST, "4" * 64), OFFICE.amendment("4" * 64, "5" * 64, 102)]
        del links[missing]
        assert refused(self.minted(*links, list_digest="5" * 64)) == "list"

    def test_links_in_another_order_break_it(self) -> None:
        links = [OFFICE.amendment("4" * 64, "5" * 64, 102), OFFICE.amendment(LIST, "4" * 64)]
        assert refused(self.minted(*links, list_digest="5" * 64)) == "list"

    def test_it_never_leads_beyond_the_band(self) -> None:
        link = OFFICE.amendment(LIST, "4" * 64, 10001)
        assert refused(self.minted(link, list_digest="4" * 64)) == "list"


@pytest.mark.rule("A1")
def test_verify_knows_no_window_but_everything_else() -> None:
    """An actor may be given tomorrow's mandate: the guard asks for the time on each call."""
    assert verify(OFFICE.minted(), OFFICE.anchor(), ENDS + HOUR).force == FORCE


def test_older_mandates_are_verified_again_when_they_come_back() -> None:
    clock = Clock()
    guard = clock.guard()
    signed = [OFFICE.minted(id=UUID(int=n)) for n in range(1, 12)]
    for one in [*signed, *signed]:
        guard.check(one, "north", CAMERA.digest)
    assert len(guard._admitted) <= 8
