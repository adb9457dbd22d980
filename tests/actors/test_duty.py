"""The running side of a deployment, on a real database with a real authority; only those who recognise are played."""

import time
from datetime import timedelta

import msgspec
import pytest

from lfr.actors.duty import Charge, Duty, Sight
from lfr.actors.journal import Crashes
from lfr.actors.watchdog import PATIENCE_S, Reading
from lfr.domain.errors import Conflict, LfrError, MandateRefused, StorageError
from lfr.domain.lifecycle import URGENT_LAPSED, WINDOW_OVER
from lfr.domain.signing import instant
from lfr.services import authorities, deployments, drafts, standing
from lfr.services.life import plan_of
from lfr.storage.columns import now
from tests.actors.conftest import CAMERA


class Hands:
    """Whoever recognises: remembers what it was told, refuses when it is told to."""

    def __init__(self):
        self.told = []
        self.refuses: LfrError | None = None

    async def begin(self, mandate, zones):
        self.told.append("begin")
        if self.refuses is not None:
            raise self.refuses
        self.mandate, self.zones = mandate, zones

    async def grant(self, mandate, zones):
        self.told.append(f"grant {','.join(zones)}")

    async def revoke(self, mandate_id):
        self.told.append("revoke")

    async def bar(self, deployment_id, until):
        self.told.append("bar")

    async def say(self, word, cameras):
        self.told.append(f"say {word}")

    def heard(self):
        told, self.told = self.told, []
        return told


class Station:
    """A duty and what it sees; `tend` looks once. Time is the machine's, moved on by `later`."""

    def __init__(self, ground, folder, *, begun=False):
        self.ground = ground
        self.hands = Hands()
        self.recorded = []
        self.crashes = Crashes(folder)
        self.later = 0.0
        self.seen = {}
        self.duty = Duty(
            Charge("van", ground.policy, ground.terms), ground.db, ground.node, self.hands, self.crashes, self.record,
            begun=begun,
        )  # fmt: skip

    async def record(self, kind, subject, payload):
        self.recorded.append((kind, payload))

    async def tend(self, *, on=2.5, mandate="held", word="live", **seen):
        self.later += on
        steady, wall = time.monotonic() + self.later, time.time() + self.later
        answered = dict.fromkeys(("inference", "matcher", "audit-writer"), steady)
        crashes = self.crashes.since(wall - 600)
        given = {"wall": wall, "steady": steady, "answered": answered, "seeing": steady, "crashes": crashes}
        held = self.duty.held.mandate.id if self.duty.held and mandate == "held" else None
        await self.duty.tend(Reading(**(given | seen)), {"north": Sight(held, word)})
        return self.hands.heard()

    async def live(self):
        await self.ground.enrol(3)
        await self.ground.ready(room=4)
        await self.duty.go_live(self.ground.run.deployment_id, "system")
        assert self.hands.heard() == ["begin"]
        return self

    async def state(self):
        row = await self.ground.row()
        return row.state, row.state_reason


@pytest.fixture
def station(ground, tmp_path):
    return Station(ground, tmp_path / "run")


@pytest.mark.rule("A1")
async def test_going_live_gives_the_mandate_with_the_planned_zones_and_is_recorded(station):
    await station.live()
    assert station.hands.zones == {"north": CAMERA}
    assert station.recorded == [("recognition.started", {"cameras": 1, "entries": 1, "threshold": 0.7})]
    assert await station.state() == ("live", "asked")
    assert await station.tend() == []


@pytest.mark.rule("A1")
async def test_nothing_begins_before_the_list_is_approved(station):
    with pytest.raises(Conflict):
        await station.duty.go_live(station.ground.run.deployment_id, "system")
    assert station.hands.heard() == []
    assert await station.tend(word="no mandate") == []


@pytest.mark.rule("M1")
async def test_a_cause_pauses_it_and_when_it_is_gone_it_goes_on_with_a_fresh_mandate(station):
    await station.live()
    first = station.duty.held.mandate.id
    assert await station.tend(behind_s=PATIENCE_S + 1) == ["revoke", "say paused"]
    assert await station.state() == ("paused", "log-writer")
    assert await station.tend(behind_s=PATIENCE_S + 1, word="paused") == []
    assert await station.tend(word="paused") == ["begin"]
    assert await station.state() == ("live", "asked")
    assert station.duty.held.mandate.id != first
    kind, gap = station.recorded[-1]
    assert (kind, gap["reason"]) == ("recognition.gap", "log-writer")


@pytest.mark.rule("M1")
async def test_everything_is_verified_anew_before_it_goes_on(station):
    await station.live()
    await station.tend(behind_s=PATIENCE_S + 1)
    station.ground.clock_ok = False
    assert await station.tend(word="paused") == []
    assert await station.state() == ("paused", "log-writer")
    station.ground.clock_ok = True
    assert await station.tend() == ["begin"]


@pytest.mark.rule("M1")
async def test_after_three_crashes_a_person_must_confirm(station):
    await station.live()
    station.crashes.add(time.time(), 3)
    assert await station.tend(word="paused") == ["revoke"]
    assert await station.state() == ("paused", "crashes")
    station.later += 700  # even when they are long ago
    assert await station.tend(word="paused") == []
    await station.duty.resume("system")
    assert station.hands.heard() == ["begin"]
    assert await station.state() == ("live", "asked")


async def test_what_a_person_paused_a_person_resumes(station):
    await station.live()
    await station.duty.pause("operator", "system")
    assert station.hands.heard() == ["revoke"]
    for _ in range(3):
        assert await station.tend(word="paused") == []
    with pytest.raises(Conflict, match="a person paused it"):
        await station.duty.resume("system")
    await station.duty.resume("local:petra")
    assert await station.state() == ("live", "asked")
    with pytest.raises(Conflict, match="the deployment is live"):
        await station.duty.resume("local:petra")


@pytest.mark.rule("A3")
async def test_at_the_windows_end_everything_is_taken_away_and_it_is_over(station):
    await station.live()
    await station.tend(on=12 * 3600 - 60)
    assert await station.state() == ("live", "asked")
    told = await station.tend(on=61)
    assert told[0] == "bar"
    assert await station.state() == ("ended", WINDOW_OVER)
    assert station.recorded[-1] == ("recognition.stopped", {"reason": WINDOW_OVER})
    assert station.duty.held is None


@pytest.mark.rule("A3")
async def test_a_clock_set_back_moves_no_end(station):
    await station.live()
    steady = time.monotonic()
    ends = station.duty.held.ends
    assert ends > steady
    told = await station.tend(steady=ends + 0.001, wall=time.time() - 3600, seeing=ends, answered={})
    assert "bar" in told
    assert "begin" not in told
    assert station.duty.held is None
    assert await station.state() == ("ended", WINDOW_OVER)


@pytest.mark.rule("A4")
async def test_an_urgent_authority_that_nobody_confirmed_takes_everything_away_when_it_lapses(station):
    await urgently_live(station)
    await station.tend(on=4 * 3600 - 60)
    assert await station.state() == ("live", "asked")
    assert "bar" in await station.tend(on=61)
    assert await station.state() == ("ended", URGENT_LAPSED)


@pytest.mark.rule("A4")
async def test_a_confirmation_in_time_lets_it_go_on_to_the_windows_end(station):
    await urgently_live(station)
    station.hands.heard()
    ground = station.ground
    row, terms = await ground.row(), await ground.terms()
    ordinary = drafts.authorisation(row, ground.policy, standing.OFFICER)
    await authorities.authorise(ground.db, row.id, ground.run.endorse(ordinary), terms=terms)
    assert await station.tend() == ["begin"]
    assert await station.tend(on=5 * 3600) == []
    assert await station.state() == ("live", "asked")


async def urgently_live(station):
    """Live by an authority that lapses after four hours."""
    ground = station.ground
    await ground.enrol(3)
    terms, run, at = await ground.terms(), ground.run, instant(now())
    row = await ground.row()
    plan = msgspec.structs.replace(plan_of(row), starts_at=at, ends_at=at + timedelta(hours=12))
    row = await deployments.change_plan(
        ground.db, row.id, plan, version=row.version, policy=ground.policy, by=deployments.SYSTEM
    )
    row = await deployments.submit(ground.db, row.id, terms=terms, by=deployments.SYSTEM)
    urgent = drafts.authorisation(row, ground.policy, standing.OFFICER, urgent=True)
    await authorities.authorise(ground.db, row.id, run.endorse(urgent), terms=terms)
    approval = await drafts.list_approval(ground.db, row.id, standing.OFFICER, ground.policy)
    await authorities.approve_list(ground.db, row.id, run.endorse(approval), terms=terms)
    await station.duty.go_live(ground.run.deployment_id, "system")


@pytest.mark.rule("A13")
async def test_a_stop_that_somebody_else_wrote_is_followed_and_nothing_brings_it_back(station):
    await station.live()
    await deployments.stop(station.ground.db, station.ground.run.deployment_id, by="system")
    assert await station.tend() == ["bar", "say stopped"]
    for _ in range(3):
        assert await station.tend(word="stopped") == []
    for forbidden in (
        station.duty.resume("system"),
        station.duty.go_live(station.ground.run.deployment_id, "system"),
    ):
        with pytest.raises(Conflict):
            await forbidden
    assert station.hands.heard() == []


@pytest.mark.rule("A13")
async def test_only_the_signed_restart_leads_back(station, tmp_path):
    await station.live()
    await deployments.stop(station.ground.db, station.ground.run.deployment_id, by="system")
    after = Station(station.ground, tmp_path / "again", begun=True)  # the whole system was restarted meanwhile
    assert await after.tend(word="stopped") == []
    row = await standing.approve(station.ground.db, station.ground.run, terms=await station.ground.terms())
    assert row.state == "ready"
    assert await after.tend(word="no mandate") == []
    await after.duty.go_live(row.id, "system")
    assert after.hands.heard() == ["begin"]


@pytest.mark.rule("M1")
async def test_a_restarted_system_pauses_what_was_live_verifies_it_and_goes_on(station, tmp_path):
    await station.live()
    after = Station(station.ground, tmp_path / "again", begun=True)
    await after.tend(word="no mandate")
    assert await after.state() == ("paused", "restart")
    assert await after.tend(word="paused") == ["begin"]
    assert await after.state() == ("live", "asked")


@pytest.mark.rule("A3")
async def test_a_restarted_system_ends_what_is_over(station, tmp_path):
    await station.live()
    after = Station(station.ground, tmp_path / "again", begun=True)
    after.later = 13 * 3600
    assert "begin" not in await after.tend(word="no mandate")
    assert await after.state() == ("ended", WINDOW_OVER)


@pytest.mark.rule("M1")
async def test_a_restarted_supervisor_mints_anew_and_nobody_pauses(station, tmp_path):
    await station.live()
    after = Station(station.ground, tmp_path / "run")
    assert await after.tend() == ["begin"]
    assert await after.state() == ("live", "asked")


async def test_a_camera_that_came_back_is_given_the_mandate_and_then_a_fresh_one(station):
    await station.live()
    first = station.duty.held.mandate.id
    assert await station.tend(mandate=None) == ["grant north"]
    assert await station.tend(mandate=None) == ["grant north"]
    assert station.duty.held.mandate.id == first
    assert await station.tend(mandate=None) == ["begin"]
    assert station.duty.held.mandate.id != first


async def test_an_amendment_is_noticed_and_everybody_gets_the_new_mandate(station):
    await station.live()
    await station.ground.enrol(7)
    assert await station.tend() == []
    await standing.amend(station.ground.db, station.ground.run, terms=await station.ground.terms())
    assert await station.tend() == ["begin"]
    assert station.duty.held.mandate.list_digest == (await station.ground.row()).list_digest


@pytest.mark.rule("A1")
async def test_when_a_matcher_refuses_it_is_not_live(station):
    await station.ground.enrol(3)
    await station.ground.ready()
    station.hands.refuses = MandateRefused("no mandate: the stored list is not the approved one", code="list")
    with pytest.raises(MandateRefused):
        await station.duty.go_live(station.ground.run.deployment_id, "system")
    assert station.hands.heard() == ["begin", "revoke"]
    assert await station.state() == ("paused", "start")
    assert station.duty.held is None


@pytest.mark.rule("H1")
async def test_without_the_database_nothing_is_recognised_for_long(station, monkeypatch):
    await station.live()

    async def gone(*_):
        raise StorageError("the database is gone")

    monkeypatch.setattr(deployments, "current", gone)
    assert await station.tend() == []
    assert await station.tend() == ["revoke"]
    monkeypatch.undo()
    assert await station.tend() == ["begin"]


async def test_two_deployments_are_never_live_at_once(station):
    await station.live()
    ground = station.ground
    other = await deployments.make(
        ground.db, system="van", mode="research", pack="double", pack_digest="0" * 64, policy=ground.policy,
        plan=plan_of(await ground.row()), by="system",
    )  # fmt: skip
    with pytest.raises(Conflict, match="under way"):
        await station.duty.go_live(other.id, "system")
