"""The doorman of a worker: counts whom it turns away, and does not forget over its own death what was taken back."""

from datetime import timedelta

import pytest

from lfr.actors import doorman
from lfr.actors.doorman import Doorman, Pass
from lfr.domain.errors import MandateRefused
from lfr.domain.mandate import Mandate
from lfr.domain.signing import open_signed
from tests.support.authority import START, ZONE, Clock, Force


@pytest.fixture
def force():
    return Force()


@pytest.fixture
def clock():
    return Clock()


def at_the_door(force, clock, folder):
    return Doorman(force.anchor(), folder, wall=lambda: clock.wall, monotonic=lambda: clock.steady)


def shown(mandate, *, camera="north", zone=ZONE.digest):
    return Pass(mandate, camera, zone)


def refusal(door, given):
    with pytest.raises(MandateRefused) as refused:
        door.check(given)
    return refused.value.code


@pytest.mark.rule("A1")
def test_who_shows_a_good_mandate_gets_in_and_all_others_are_counted(force, clock, tmp_path):
    door = at_the_door(force, clock, tmp_path)
    good = force.minted()
    assert door.check(shown(good)).deployment_id == force.deployment
    assert refusal(door, shown(None)) == "none"
    assert refusal(door, shown(good, camera="south")) == "camera"
    assert refusal(door, shown(good, zone="0" * 64)) == "zone"
    assert refusal(door, shown(Force().minted())) == "signature"
    assert refusal(door, shown(None)) == "none"
    assert door.refused == {"none": 2, "camera": 1, "zone": 1, "signature": 1}


@pytest.mark.rule("A13")
def test_what_was_taken_back_stays_so_over_the_death_of_the_process(force, clock, tmp_path):
    door = at_the_door(force, clock, tmp_path)
    good = force.minted()
    door.revoke(door.check(shown(good)).id)
    assert refusal(door, shown(good)) == "revoked"
    again = at_the_door(force, clock, tmp_path)
    assert refusal(again, shown(good)) == "revoked"
    assert again.check(shown(force.minted())).force == force.name


@pytest.mark.rule("A13")
def test_a_stop_takes_back_mandates_that_nobody_has_seen_yet(force, clock, tmp_path):
    unseen = force.minted()
    issued = open_signed(unseen, Mandate).issued_at
    door = at_the_door(force, clock, tmp_path)
    door.bar(force.deployment, issued.timestamp())
    assert refusal(at_the_door(force, clock, tmp_path), shown(unseen)) == "revoked"
    assert refusal(door, shown(unseen)) == "revoked"
    later = force.minted(issued_at=issued + timedelta(seconds=1))
    assert door.check(shown(later)).issued_at > issued


@pytest.mark.rule("A3")
def test_a_millisecond_after_the_end_nobody_gets_in(force, clock, tmp_path):
    door = at_the_door(force, clock, tmp_path)
    good = force.minted()
    assert door.check(shown(good))
    end = open_signed(good, Mandate).ends_at
    clock.on((end - START).total_seconds() - 0.001)
    assert door.check(shown(good))
    clock.on(0.002)
    assert refusal(door, shown(good)) == "over"


def test_a_flood_of_refusals_writes_one_line_in_ten_seconds(force, clock, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(doorman._log, "warning", lambda _, **said: told.append((said["code"], said["times"])))
    door = at_the_door(force, clock, tmp_path)
    for _ in range(100):
        refusal(door, shown(None))
    clock.on(doorman.LOG_EVERY_S)
    refusal(door, shown(None))
    assert told == [("none", 1), ("none", 101)]
