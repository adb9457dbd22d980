"""No mandate, no recognition: every way in which one can be wrong, stale or somebody else's is refused."""

from datetime import timedelta

import msgspec
import pytest

from lfr.domain.authority import Extension
from lfr.domain.errors import MandateRefused
from lfr.domain.mandate import Guard, text_digest, verify
from lfr.domain.plan import CameraZone
from lfr.domain.signing import sign
from lfr.services import policies
from tests.support.authority import LIST, START, ZONE, Clock, Force, new_key

NEXT = "5" * 64


def hours(count):
    return timedelta(hours=count)


def refused(guard, signed, camera="north", zone=ZONE.digest):
    with pytest.raises(MandateRefused) as caught:
        guard.check(signed, camera, zone)
    return caught.value.code


@pytest.fixture
def force():
    return Force()


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.rule("A1")
def test_a_good_mandate_opens_and_none_does_not(force, clock):
    guard = force.guard(clock)
    assert guard.check(force.minted(), "north", ZONE.digest).force == force.name
    assert refused(guard, None) == "none"


WRONG = {
    "signature: another node's key": lambda f: (sign(f.mandate(), new_key()), {}),
    "signature: one letter changed": lambda f: (tampered(f.minted()), {}),
    "signature: signed by the officer": lambda f: (sign(f.mandate(), f.officer), {}),
    "force: another force's": lambda f: (f.minted(force="eastshire"), {}),
    "force: brought to another force": lambda f: (f.minted(), {"force": "eastshire"}),
    "deployment: another one": lambda f: (f.minted(), {"deployment_id": Force().deployment}),
    "place: another one": lambda f: (f.minted(), {"place": "market hall"}),
    "policy: another one": lambda f: (f.minted(policy_digest="0" * 64), {}),
    "bundle: another model or threshold": lambda f: (f.minted(), {"bundle_digest": "0" * 64}),
    "authority: the registrar does not know the signer": lambda f: (f.minted(), {"registrar": "a" * 64}),
    "authority: signed with another key": lambda f: (f.minted(stranger(f)), {}),
    "authority: not an Authorising Officer": lambda f: (f.minted(f.endorse(f.authority(), roles=("operator",))), {}),
    "authority: of another force": lambda f: (f.minted(f.endorse(f.authority(), force="eastshire")), {}),
    "authority: credential expired": lambda f: (f.minted(f.endorse(f.authority(), expires_at=START - hours(1))), {}),
    "rank: an inspector": lambda f: (f.minted(f.endorse(f.authority(), rank="inspector")), {}),
    "rank: none": lambda f: (f.minted(f.endorse(f.authority(), rank=None)), {}),
    "rank: urgent, by a sergeant": lambda f: (f.minted(f.endorse(urgent(f), rank="sergeant")), {}),
    "force: the authority is another's": lambda f: (f.minted(f.endorse(f.authority(force="eastshire"))), {}),
    "deployment: the authority is for another": lambda f: (
        f.minted(f.endorse(f.authority(deployment_id=Force().deployment))), {}),
    "policy: authorised under another": lambda f: (f.minted(f.endorse(f.authority(policy_digest="0" * 64))), {}),
    "place: authorised for another": lambda f: (f.minted(f.endorse(f.authority(place="market hall"))), {}),
    "zone: one more camera than authorised": lambda f: (
        f.minted(cameras={"north": ZONE.digest, "south": "6" * 64}), {}),
    "zone: a wider zone than authorised": lambda f: (f.minted(cameras={"north": "6" * 64}), {}),
    "list: another than approved": lambda f: (f.minted(list_digest=NEXT), {}),
    "list: approved for another deployment": lambda f: (
        f.minted(None, f.endorse(f.approval(deployment_id=Force().deployment))), {}),
}  # fmt: skip


def tampered(signed):
    return msgspec.structs.replace(signed, text=signed.text.replace('"band":10000', '"band":30000'))


def stranger(force):
    given = force.endorse(force.authority())
    return msgspec.structs.replace(given, said=sign(force.authority(), new_key()))


def urgent(force, confirm=3):
    return force.authority(at=START - timedelta(minutes=9), urgent=True, confirm_by=START + hours(confirm))


@pytest.mark.rule("A1")
@pytest.mark.parametrize("case", WRONG)
def test_whatever_is_wrong_is_refused_and_named(force, clock, case):
    signed, anchor = WRONG[case](force)
    code = "deployment" if case == "list: approved for another deployment" else case.partition(":")[0]
    assert refused(force.guard(clock, **anchor), signed) == code


@pytest.mark.rule("A1")
def test_it_opens_one_camera_with_its_zone_and_no_other(force, clock):
    guard = force.guard(clock)
    wider = CameraZone("north", ((0, 0), (1, 0), (1, 1), (0, 1)))
    assert refused(guard, force.minted(), camera="south") == "camera"
    assert refused(guard, force.minted(), zone=wider.digest) == "zone"


@pytest.mark.rule("A1", "A13")
def test_what_was_taken_back_stays_so(force, clock):
    guard, signed = force.guard(clock), force.minted()
    guard.revoke(guard.check(signed, "north", ZONE.digest).id)
    assert refused(guard, signed) == "revoked"


@pytest.mark.rule("A3")
def test_it_ends_by_itself_a_millisecond_after_its_window(force, clock):
    guard, signed = force.guard(clock), force.minted()
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(3 * 3600 - 0.001)
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(0.002)
    assert refused(guard, signed) == "over"


@pytest.mark.rule("A3")
def test_before_its_window_it_opens_nothing(force, clock):
    guard, signed = force.guard(clock), force.minted()
    clock.on(-2)
    assert refused(guard, signed) == "early"
    clock.on(1.5)
    assert guard.check(signed, "north", ZONE.digest)


@pytest.mark.rule("A3")
@pytest.mark.parametrize("leap", [-3600.0, -3.0, 3.0, 3600.0])
def test_a_clock_that_is_set_closes_it(force, clock, leap):
    guard, signed = force.guard(clock), force.minted()
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(60)
    clock.wall += leap
    assert refused(guard, signed) == "clock"


@pytest.mark.rule("A3")
def test_a_clock_that_lags_a_little_buys_no_time(force, clock):
    guard, signed = force.guard(clock), force.minted()
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(3 * 3600 + 0.5)
    clock.wall -= 1.5  # by the wall the window is still open; by the steady clock it is over
    assert refused(guard, signed) == "over"


@pytest.mark.rule("A3")
def test_nobody_authorises_longer_than_the_ceiling(force, clock):
    ends = START + timedelta(hours=force.policy.authority.max_window_hours, seconds=1)
    signed = force.minted(force.endorse(force.authority(ends_at=ends)), ends_at=ends)
    assert refused(force.guard(clock), signed) == "window"


@pytest.mark.rule("A3")
def test_a_longer_window_than_authorised_needs_a_signed_extension(force, clock):
    later = START + hours(4)
    assert refused(force.guard(clock), force.minted(ends_at=later)) == "window"
    given = force.endorse(force.authority())
    longer = Extension(force.deployment, "anna", START, text_digest(given.said), later, "the crowd is still there")
    good = force.minted(given, ends_at=later, extensions=(force.endorse(longer),))
    assert force.guard(clock).check(good, "north", ZONE.digest).ends_at == later
    other = msgspec.structs.replace(longer, authority="7" * 64)
    loose = force.minted(given, ends_at=later, extensions=(force.endorse(other),))
    assert refused(force.guard(clock), loose) == "window"
    weak = force.endorse(longer, rank="inspector")
    assert refused(force.guard(clock), force.minted(given, ends_at=later, extensions=(weak,))) in {"authority", "rank"}
    ceiling = msgspec.structs.replace(longer, ends_at=START + hours(13))
    beyond = force.minted(given, ends_at=START + hours(13), extensions=(force.endorse(ceiling),))
    assert refused(force.guard(clock), beyond) == "window"


@pytest.mark.rule("A4")
def test_an_urgent_authority_of_an_inspector_holds_until_it_lapses(force, clock):
    given = force.endorse(urgent(force, confirm=2), rank="inspector")
    approval = force.endorse(force.approval(), rank="inspector")
    guard, signed = force.guard(clock), force.minted(given, approval)
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(2 * 3600 - 1)
    assert guard.check(signed, "north", ZONE.digest)
    clock.on(1)
    assert refused(guard, signed) == "lapsed"


@pytest.mark.rule("A4")
def test_an_urgent_authority_without_an_hour_to_lapse_opens_nothing(force, clock):
    given = force.endorse(force.authority(urgent=True), rank="inspector")
    assert refused(force.guard(clock), force.minted(given)) in {"authority", "lapsed"}
    assert refused(force.guard(clock), force.minted(force.endorse(urgent(force, confirm=-1)))) == "lapsed"


@pytest.mark.rule("A4")
def test_where_the_policy_knows_no_urgent_authority_there_is_none(clock):
    policy = policies.load("uk-default")
    ordinary = msgspec.structs.replace(policy.authority, urgent_rank=None)
    force = Force(policy=msgspec.structs.replace(policy, authority=ordinary))
    assert refused(force.guard(clock), force.minted(force.endorse(urgent(force)))) == "rank"


@pytest.mark.rule("B4")
def test_a_list_older_than_its_hours_is_refused(force, clock):
    oldest = hours(force.policy.watchlist.max_age_hours)
    good = force.minted(None, force.endorse(force.approval(at=START - oldest)))
    assert force.guard(clock).check(good, "north", ZONE.digest)
    stale = force.minted(None, force.endorse(force.approval(at=START - oldest - timedelta(seconds=1))))
    assert refused(force.guard(clock), stale) == "list"


@pytest.mark.rule("B10")
def test_additions_are_chained_and_never_leave_the_band(force, clock):
    link = force.amendment(LIST, NEXT)
    good = force.minted(list_digest=NEXT, amendments=(link,))
    assert force.guard(clock).check(good, "north", ZONE.digest).list_digest == NEXT
    loose = force.minted(list_digest=NEXT, amendments=(force.amendment(NEXT, NEXT),))
    assert refused(force.guard(clock), loose) == "list"
    full = force.amendment(LIST, NEXT, entries=10_001)
    assert refused(force.guard(clock), force.minted(list_digest=NEXT, amendments=(full,))) == "list"
    assert refused(force.guard(clock), force.minted(band=20_000)) == "list"


def test_it_is_verified_in_full_once_and_looked_at_on_each_call(force, clock, monkeypatch):
    counted = []
    monkeypatch.setattr("lfr.domain.mandate.verify", lambda *args: counted.append(1) or verify(*args))
    guard, signed = force.guard(clock), force.minted()
    for _ in range(20):
        guard.check(signed, "north", ZONE.digest)
    assert counted == [1]


def test_a_guard_remembers_only_a_few(force, clock):
    guard = force.guard(clock)
    for _ in range(30):
        guard.check(force.minted(), "north", ZONE.digest)
    assert isinstance(guard, Guard)
    assert len(guard._admitted) <= 8
