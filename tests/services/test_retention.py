"""What must go goes in time, with a receipt, whatever crashes on the way; what is held stays."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import msgspec
import pytest

from lfr.domain.errors import Conflict, NotFound, VaultError
from lfr.services import alerts, deployments, holds, policies, retention, watchlist
from lfr.services.holds import Asked
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import Alert, AlertPicture, AuditEntry, Deployment, StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import Ring, Vault
from tests.support.kept import HOUR, keep, objects_of, opening, raised_at, receipts, rows, set_deployment
from tests.support.stores import new_deployment, raise_alert

POLICY = policies.load("demo")
STRICT = policies.load("uk-default")
NOTHING = {"label": set(), "details": set(), "template": set(), "picture": set(), "probe": set(), "scene": set()}
ASKED = Asked("complaint-or-claim", "C/2026/17", "Insp. Doe", 30)


def lasting(hours):
    """The policy with another period for lists."""
    return msgspec.structs.replace(STRICT, retention=msgspec.structs.replace(STRICT.retention, watchlist_hours=hours))


async def end(store):
    await deployments.end(store.db, store.deployment_id, by=deployments.SYSTEM)


async def balanced(store, **expected):
    found = await retention.reconcile(store.db, store.vault, store.deployment_id)
    assert (found.off, found.why) == (0, {})
    assert found.created == found.living + found.held + found.deleted
    for name, value in expected.items():
        assert getattr(found, name) == value, name


# One by one


@pytest.mark.rule("G3")
async def test_an_entry_is_shredded_with_everything_kept_of_it(store):
    kept = await keep(store)
    gone, *others = [one.entry_id for one in kept.entries]
    objects = await objects_of(store.db, gone)
    assert len(objects) == 3
    assert await retention.shred_entries(store.db, store.vault, store.deployment_id, [gone], reason="revoked") == 3
    found = await opening(store.db, store.vault)
    for kind in ("label", "details", "template", "picture"):
        assert found[kind] == set(others)
    assert await receipts(store.db) == [("revoked", objects)]
    async with store.db.session() as session:
        row = await session.get(WatchlistEntry, gone)
    assert (row.label_sealed, row.label_mac, row.nominal_mac, row.details_sealed) == (None,) * 4
    assert (row.category, row.action) == ("volunteer", "greet")
    assert await retention.shred_entries(store.db, store.vault, store.deployment_id, [gone], reason="revoked") == 0
    await balanced(store, deleted=3)


@pytest.mark.rule("G2")
async def test_alerts_are_shredded_and_stay_known(store):
    kept = await keep(store)
    gone, other = kept.alerts
    assert await retention.shred_alerts(store.db, store.vault, store.deployment_id, [gone], reason="expired") == 2
    found = await opening(store.db, store.vault)
    assert found["probe"] == found["scene"] == {other}
    assert {picture.alert_id for picture in await rows(store.db, AlertPicture)} == {other}
    with pytest.raises(NotFound):
        await alerts.alert_picture(store.db, store.vault, gone, "probe")
    assert await alerts.alert_picture(store.db, store.vault, other, "scene")
    assert len(await alerts.list_alerts(store.db, store.deployment_id)) == 2
    assert {row.id: row.shredded_at is None for row in await rows(store.db, Alert)} == {gone: False, other: True}
    await balanced(store, deleted=2)


async def test_another_deployments_are_not_touched(store):
    kept = await keep(store)
    other = await new_deployment(store.db, system="another")
    ids = [one.entry_id for one in kept.entries] + kept.alerts
    assert await retention.shred_entries(store.db, store.vault, other.id, ids, reason="asked") == 0
    assert await retention.shred_alerts(store.db, store.vault, other.id, ids, reason="asked") == 0
    assert len((await opening(store.db, store.vault))["probe"]) == 2
    await balanced(store, deleted=0)


@pytest.mark.rule("G2")
async def test_what_nobody_acts_on_goes_at_once_or_when_the_policy_says(store):
    first, second = (await keep(store)).alerts
    at = now()
    assert await retention.unactioned(store.db, store.vault, store.deployment_id, [first], policy=STRICT, at=at) == 2
    later = msgspec.structs.replace(
        STRICT, retention=msgspec.structs.replace(STRICT.retention, alert_unactioned_seconds=60)
    )
    assert await retention.unactioned(store.db, store.vault, store.deployment_id, [second], policy=later, at=at) == 0
    assert await retention.due(store.db, store.vault, later, at + timedelta(seconds=59)) == 0
    assert await retention.due(store.db, store.vault, later, at + timedelta(seconds=60)) == 2
    assert (await opening(store.db, store.vault))["probe"] == set()


@pytest.mark.rule("A13")
async def test_a_stop_takes_what_nobody_decided_and_leaves_the_list(store):
    kept = await keep(store)
    await holds.place(store.db, store.vault, kept.alerts[0], ASKED, policy=STRICT, by="ann")
    assert await retention.purge_undecided(store.db, store.vault, store.deployment_id, "stopped") == 2
    found = await opening(store.db, store.vault)
    assert found["probe"] == {kept.alerts[0]}
    assert len(found["template"]) == 3
    assert [reason for reason, _ in await receipts(store.db)] == ["stopped"]
    assert await retention.purge_undecided(store.db, store.vault, store.deployment_id, "stopped") == 0


@pytest.mark.rule("A13")
@pytest.mark.parametrize("state", ["stopped", "suspended", "ended", "closed"])
async def test_an_alert_that_comes_after_the_stop_is_not_kept(store, state):
    entry_id = await store.entry()
    await set_deployment(store, state=state)
    receipt = await raise_alert(store.db, store.vault, store.alert(entry_id), cooldown_s=60)
    assert receipt.muted
    assert not await rows(store.db, AlertPicture)
    assert not await store.vault.keys.fetch(Ring(store.deployment_id, "alerts"), None)


async def test_an_alert_offered_again_after_its_end_does_not_come_back(store):
    raised = store.alert(await store.entry())
    await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, [raised.id], reason="expired")
    assert (await raise_alert(store.db, store.vault, raised, cooldown_s=60)).duplicate
    assert not await store.vault.keys.fetch(Ring(store.deployment_id, "alerts"), None)
    await balanced(store, deleted=2, living=0)


# Entries taken off


@pytest.mark.rule("G3")
async def test_an_entry_taken_off_goes_when_no_alert_about_it_stands(store):
    kept = await keep(store, entries=3, alerts=1)
    about, free, _ = [one.entry_id for one in kept.entries]
    for entry_id in (about, free):
        await watchlist.revoke(store.db, store.deployment_id, entry_id, by="test")
    await retention.due(store.db, store.vault, POLICY)
    assert (await opening(store.db, store.vault))["picture"] == {about, kept.entries[2].entry_id}
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, kept.alerts, reason="expired")
    await retention.due(store.db, store.vault, POLICY)
    assert (await opening(store.db, store.vault))["picture"] == {kept.entries[2].entry_id}
    await balanced(store, living=3)


# The close


@pytest.mark.rule("G3")
@pytest.mark.rule("B12")
async def test_after_the_close_nothing_opens_but_what_is_held(store):
    kept = await keep(store, entries=4, alerts=3)
    await holds.place(store.db, store.vault, kept.alerts[1], ASKED, policy=STRICT, by="ann")
    secret = await store.vault.own_key(store.deployment_id, "transform")
    await end(store)
    assert await retention.close(store.db, store.vault, store.deployment_id, reason="closed") == 4 * 3 + 2 * 2
    vault = Vault(store.vault.keys)
    assert await opening(store.db, vault) == NOTHING | {"probe": {kept.alerts[1]}, "scene": {kept.alerts[1]}}
    assert await alerts.alert_picture(store.db, vault, kept.alerts[1], "probe")
    for name in ("list", "alerts", "deployment"):
        assert not await vault.keys.fetch(Ring(store.deployment_id, name), None)
    assert await vault.own_key(store.deployment_id, "transform") != secret
    await balanced(store, living=0, held=2, deleted=16)
    assert await retention.close(store.db, store.vault, store.deployment_id, reason="closed") == 0


async def test_no_sealed_byte_and_no_digest_is_left_in_the_database(store):
    await keep(store)
    entry_id = await store.entry()  # has no object of its own
    await end(store)
    await retention.close(store.db, store.vault, store.deployment_id, reason="closed")
    assert not await rows(store.db, AlertPicture)
    for row in await rows(store.db, WatchlistImage):
        assert (row.template_sealed, row.picture_sealed, row.picture_mac) == (None, None, None)
    entries = await rows(store.db, WatchlistEntry)
    assert entry_id in {row.id for row in entries}
    for row in entries:
        assert (row.label_sealed, row.label_mac, row.nominal_mac, row.details_sealed) == (None,) * 4


async def test_receipts_name_at_most_a_thousand_objects(store):
    await keep(store, entries=400, alerts=0)
    await end(store)
    await retention.close(store.db, store.vault, store.deployment_id, reason="closed")
    named = [len(objects) for _, objects in await receipts(store.db)]
    assert named == [1000, 200]
    await balanced(store, created=1200, deleted=1200)


@pytest.mark.parametrize("state", ["draft", "ready", "live", "paused", "stopped", "suspended"])
async def test_what_is_not_over_is_not_closed(store, state):
    await keep(store)
    await set_deployment(store, state=state)
    with pytest.raises(Conflict, match="the deployment is") as failed:
        await retention.close(store.db, store.vault, store.deployment_id, reason="closed")
    assert failed.value.hint
    assert len((await opening(store.db, store.vault))["template"]) == 3


async def test_an_unknown_deployment(store):
    with pytest.raises(NotFound):
        await retention.close(store.db, store.vault, uuid4(), reason="closed")


# Crashes


class Crash(BaseException):
    """The process is no more."""


class Crashing:
    """Counts the steps of a shredding that outlive the process, transactions and key rings; dies at one of them."""

    def __init__(self, db, keys, at, *, late):
        self.at, self.late, self.steps = at, late, 0
        self.patches = [
            mock.patch.object(db, "transaction", self._transaction(db.transaction)),
            *(mock.patch.object(keys, name, self._call(getattr(keys, name))) for name in ("shred", "move", "make")),
        ]

    def _now(self):
        number, self.steps = self.steps, self.steps + 1
        return number == self.at

    def _call(self, real):
        async def call(*args):
            dying = self._now()
            if dying and not self.late:
                raise Crash
            done = await real(*args)
            if dying:
                raise Crash
            return done

        return call

    def _transaction(self, real):
        @asynccontextmanager
        async def transaction():
            dying = self._now()
            async with real() as session:
                yield session
                if dying and not self.late:
                    raise Crash
            if dying:
                raise Crash

        return transaction

    async def run(self, work):
        """Whether there was such a step."""
        for patch in self.patches:
            patch.start()
        try:
            with suppress(Crash):
                await work
        finally:
            for patch in self.patches:
                patch.stop()
        return self.steps > self.at


async def _crash(store, prepare, work, check):
    """Do the work anew with a crash at each step, before and after it is done; then check what a later start finds."""
    for late in (False, True) if store.db.dialect == "sqlite" else (True,):
        for at in range(60):
            made = await new_deployment(store.db, system="van")
            one = type(store)(store.url, store.db, Vault(store.vault.keys), made.id)
            prepared = await prepare(one)
            reached = await Crashing(store.db, store.vault.keys, at, late=late).run(work(one, prepared))
            again = type(store)(store.url, Database(store.url), Vault(store.vault.keys), made.id)
            try:
                await check(again, prepared)
            finally:
                await again.db.dispose()
            await set_deployment(one, state="closed")
            if not reached:
                break
        assert 1 < at < 59


@pytest.mark.rule("G3")
@pytest.mark.rule("G6")
async def test_a_close_that_crashes_anywhere_is_finished_by_the_next_sweep(store):
    async def prepare(one):
        kept = await keep(one)
        await holds.place(one.db, one.vault, kept.alerts[0], ASKED, policy=STRICT, by="ann")
        await end(one)
        return kept

    async def work(one, kept):
        await retention.close(one.db, one.vault, one.deployment_id, reason="closed")

    async def check(one, kept):
        await retention.due(one.db, one.vault, POLICY)
        held = kept.alerts[0]
        assert await opening(one.db, Vault(one.vault.keys)) == NOTHING | {"probe": {held}, "scene": {held}}
        await balanced(one, created=13, living=0, held=2, deleted=11)
        await retention.shred_alerts(one.db, one.vault, one.deployment_id, [held], reason="asked")
        hold = next(hold for hold in await holds.list_holds(one.db) if hold.alert_id == held)
        assert await holds.release(one.db, one.vault, hold.id, by="ann")

    await _crash(store, prepare, work, check)


@pytest.mark.rule("G6")
async def test_a_shredding_that_crashes_anywhere_is_finished_by_the_next_sweep(store):
    async def work(one, kept):
        ids = [kept.entries[0].entry_id]
        await retention.shred_entries(one.db, one.vault, one.deployment_id, ids, reason="revoked")
        await retention.shred_alerts(one.db, one.vault, one.deployment_id, kept.alerts, reason="expired")

    async def check(one, kept):
        await retention.due(one.db, one.vault, POLICY)
        await balanced(one)
        await work(one, kept)  # as whoever asked does again
        found = await opening(one.db, Vault(one.vault.keys))
        for other in kept.entries[1:]:
            assert other.entry_id in found["template"]
        assert kept.entries[0].entry_id not in found["template"] | found["label"] | found["picture"]
        assert not set(kept.alerts) & (found["probe"] | found["scene"])
        await balanced(one, created=13, living=6, deleted=7)

    await _crash(store, keep, work, check)


@pytest.mark.rule("G2")
async def test_a_hold_that_crashes_anywhere_loses_nothing_and_leaks_nothing(store):
    async def work(one, kept):
        await holds.place(one.db, one.vault, kept.alerts[0], ASKED, policy=STRICT, by="ann")

    async def check(one, kept):
        with suppress(Conflict):  # placed already
            await holds.place(one.db, one.vault, kept.alerts[0], ASKED, policy=STRICT, by="ann")
        await retention.purge_undecided(one.db, one.vault, one.deployment_id, "stopped")
        await balanced(one, held=2)
        await end(one)
        await retention.close(one.db, one.vault, one.deployment_id, reason="closed")
        assert (await opening(one.db, Vault(one.vault.keys)))["probe"] >= {kept.alerts[0]}
        await balanced(one, living=0, held=2)
        hold = next(hold for hold in await holds.list_holds(one.db) if hold.alert_id == kept.alerts[0])
        assert await holds.release(one.db, one.vault, hold.id, by="ann")
        assert kept.alerts[0] not in (await opening(one.db, Vault(one.vault.keys)))["probe"]
        await balanced(one, living=0, held=0)

    await _crash(store, keep, work, check)


# The sweep


@pytest.mark.rule("G2")
async def test_an_alert_lives_a_day_and_not_a_second_longer(store):
    first, second = (await keep(store)).alerts
    raised = await raised_at(store, first)
    await retention.due(store.db, store.vault, POLICY, raised + 24 * HOUR - timedelta(seconds=1))
    assert (await opening(store.db, store.vault))["probe"] == {first, second}
    await retention.due(store.db, store.vault, POLICY, (await raised_at(store, second)) + 24 * HOUR)
    assert (await opening(store.db, store.vault))["probe"] == set()
    assert {reason for reason, _ in await receipts(store.db)} == {"expired"}


@pytest.mark.rule("G2")
@pytest.mark.rule("A3")
async def test_a_clock_that_is_set_back_makes_nothing_live_longer(store):
    """Even by a year, and with a restart in between: what was over stays over, and what is due comes in its time."""
    kept = await keep(store)
    raised = await raised_at(store, kept.alerts[0])
    await retention.due(store.db, store.vault, POLICY, raised + 23 * HOUR)
    year = timedelta(days=365)
    another = Database(store.url)
    await retention.due(another, Vault(store.vault.keys), POLICY, raised - year)
    assert len((await opening(store.db, store.vault))["probe"]) == 2
    with mock.patch("time.clock_gettime", lambda clock, real=time.clock_gettime: real(clock) + 3600):
        await retention.due(another, Vault(store.vault.keys), POLICY, raised - year)
    assert (await opening(store.db, store.vault))["probe"] == set()
    await another.dispose()


@pytest.mark.rule("G3")
@pytest.mark.parametrize("hours", [0.0, 6.0])
async def test_a_list_is_closed_when_the_policy_says(store, hours):
    policy = lasting(hours)
    await keep(store)
    await end(store)
    await set_deployment(store, policy_digest=policy.digest)
    ended = (await rows(store.db, Deployment))[0].ended_at
    if hours:
        await retention.due(store.db, store.vault, policy, ended + hours * HOUR - timedelta(seconds=1))
        assert len((await opening(store.db, store.vault))["template"]) == 3
    await retention.due(store.db, store.vault, policy, ended + hours * HOUR)
    assert await opening(store.db, store.vault) == NOTHING
    row = (await rows(store.db, Deployment))[0]
    assert row.state == "closed"
    assert row.closed_at == ended + hours * HOUR
    assert row.off == 0


@pytest.mark.rule("A3")
async def test_a_window_that_ended_while_nobody_looked_ends_the_deployment(store):
    await keep(store)
    at = now()
    await set_deployment(store, state="live", ends_at=at + HOUR)
    await retention.due(store.db, store.vault, POLICY, at + HOUR + retention.GRACE - timedelta(seconds=1))
    assert (await rows(store.db, Deployment))[0].state == "live"
    await retention.due(store.db, store.vault, POLICY, at + HOUR + retention.GRACE)
    assert (await rows(store.db, Deployment))[0].state == "closed"
    assert await opening(store.db, store.vault) == NOTHING


@pytest.mark.rule("A4")
async def test_an_urgent_authority_that_lapses_takes_everything_with_it(store):
    kept = await keep(store)
    await holds.place(store.db, store.vault, kept.alerts[0], ASKED, policy=STRICT, by="ann")
    at = now()
    policy = lasting(24.0)
    await set_deployment(store, state="live", urgent_confirm_by=at + HOUR, policy_digest=policy.digest)
    late = at + HOUR + retention.GRACE
    await retention.due(store.db, store.vault, policy, late)
    row = (await rows(store.db, Deployment))[0]
    assert (row.state, row.closed_at) == ("closed", late)
    assert await opening(store.db, store.vault) == NOTHING | {"probe": {kept.alerts[0]}, "scene": {kept.alerts[0]}}
    told = [entry.payload["reason"] for entry in await rows(store.db, AuditEntry) if entry.kind == "deployment.state"]
    assert told == ["urgent-lapsed", "closed"]


@pytest.mark.rule("G5")
async def test_periods_come_from_the_policy_alone(store):
    """A period of the file is the only thing changed, and the deletion moves by as much."""
    for hours in (2.0, 9.5):
        raised = store.alert(await store.entry(), transit=int(hours), media_s=hours * 1000)
        keep_for = timedelta(hours=hours)
        await alerts.raise_alert(store.db, store.vault, raised, cooldown_s=1.0, keep=keep_for)
        at = await raised_at(store, raised.id)
        assert await retention.due(store.db, store.vault, POLICY, at + keep_for - timedelta(seconds=1)) == 0
        assert await retention.due(store.db, store.vault, POLICY, at + keep_for) == 2


async def test_many_sweeps_at_once_do_no_more_than_one(store):
    kept = await keep(store)
    at = await raised_at(store, kept.alerts[1]) + 24 * HOUR
    another = Database(store.url)
    done = await asyncio.gather(
        *(retention.due((store.db, another)[n % 2], Vault(store.vault.keys), POLICY, at) for n in range(4))
    )
    await another.dispose()
    assert sum(done) == 4
    named = [one for _, objects in await receipts(store.db) for one in objects]
    assert len(named) == len(set(named)) == 4
    await balanced(store, deleted=4)


async def test_a_sweep_with_nothing_to_do_writes_nothing(store):
    await keep(store)
    await retention.due(store.db, store.vault, POLICY)
    before = len(await rows(store.db, AuditEntry))
    assert await retention.due(store.db, store.vault, POLICY) == 0
    assert len(await rows(store.db, AuditEntry)) == before


async def test_a_vault_that_fails_stops_the_sweep_with_its_reason(store):
    kept = await keep(store)
    at = await raised_at(store, kept.alerts[1]) + 24 * HOUR
    broken = mock.patch.object(store.vault.keys, "shred", side_effect=VaultError("the disk is broken"))
    with broken, pytest.raises(VaultError, match="broken"):
        await retention.due(store.db, store.vault, POLICY, at)
    assert await receipts(store.db) == []
    assert {one.deleted_at for one in await rows(store.db, StoredObject)} == {None}
    assert await retention.due(store.db, store.vault, POLICY, at) == 4
