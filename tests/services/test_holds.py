"""An alert is kept longer only for a reason of the policy, with a reference, an owner and an end (G2)."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import Conflict, NotFound
from lfr.services import alerts, deployments, holds, policies, retention
from lfr.services.holds import Asked
from lfr.storage.columns import now
from lfr.storage.models import AuditEntry, StoredObject
from lfr.storage.vault import Ring, Vault
from tests.support.kept import HOUR, keep, objects_of, opening, raised_at, rows

POLICY = policies.load("uk-default")
ASKED = Asked("criminal-evidence", "URN 17/2026", "DC Doe", 90)


async def place(store, alert_id, **changed):
    return await holds.place(store.db, store.vault, alert_id, replace(ASKED, **changed), policy=POLICY, by="ann")


@pytest.mark.rule("G2")
async def test_what_is_held_outlives_its_time_and_the_deployment(store):
    kept = await keep(store)
    held, other = kept.alerts
    hold = await place(store, held)
    assert hold.expires_at - hold.placed_at == timedelta(days=90)
    assert set(await store.vault.keys.fetch(Ring(store.deployment_id, "held"), None)) == {held}
    assert set(await store.vault.keys.fetch(Ring(store.deployment_id, "alerts"), None)) == {other}
    await retention.due(store.db, store.vault, POLICY, await raised_at(store, other) + 30 * HOUR)
    assert (await opening(store.db, Vault(store.vault.keys)))["probe"] == {held}
    assert await alerts.alert_picture(store.db, Vault(store.vault.keys), held, "scene")
    books = await retention.reconcile(store.db, store.vault, store.deployment_id)
    assert (books.held, books.deleted, books.off) == (2, 2, 0)


@pytest.mark.rule("G2")
async def test_a_hold_that_is_over_is_released_and_its_pictures_go(store):
    held = (await keep(store)).alerts[0]
    hold = await place(store, held, days=2)
    await retention.due(store.db, store.vault, POLICY, hold.expires_at - timedelta(seconds=1))
    assert held in (await opening(store.db, store.vault))["probe"]
    await retention.due(store.db, store.vault, POLICY, hold.expires_at)
    assert held not in (await opening(store.db, store.vault))["probe"]
    assert await holds.list_holds(store.db) == []
    assert [one.id for one in await holds.list_holds(store.db, released=True)] == [hold.id]


@pytest.mark.rule("G2")
async def test_releasing_gives_back_what_time_was_left_and_no_more(store):
    first, second = (await keep(store)).alerts
    holds_made = [await place(store, one) for one in (first, second)]
    assert not await holds.release(store.db, store.vault, holds_made[0].id, by="ann")
    assert first in (await opening(store.db, Vault(store.vault.keys)))["probe"]
    assert set(await store.vault.keys.fetch(Ring(store.deployment_id, "held"), None)) == {second}
    late = await raised_at(store, second) + 24 * HOUR
    assert await holds.release(store.db, store.vault, holds_made[1].id, by="ann", at=late)
    assert (await opening(store.db, Vault(store.vault.keys)))["probe"] == {first}
    await retention.due(store.db, store.vault, POLICY, late)
    assert (await opening(store.db, Vault(store.vault.keys)))["probe"] == set()
    told = [entry.payload for entry in await rows(store.db, AuditEntry) if entry.kind == "hold.released"]
    assert told == [{"shredded": False}, {"shredded": True}]
    with pytest.raises(Conflict, match="released already"):
        await holds.release(store.db, store.vault, holds_made[0].id, by="ann")


@pytest.mark.rule("G2")
async def test_after_the_end_a_released_hold_is_shredded_at_once(store):
    held = (await keep(store)).alerts[0]
    hold = await place(store, held)
    await deployments.end(store.db, store.deployment_id, by=deployments.SYSTEM)
    assert await holds.release(store.db, store.vault, hold.id, by="ann")
    assert held not in (await opening(store.db, Vault(store.vault.keys)))["probe"]


@pytest.mark.rule("G2")
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": "just-in-case"}, "no such reason"),
        ({"reason": ""}, "no such reason"),
        ({"reference": ""}, "a reference"),
        ({"reference": "   "}, "a reference"),
        ({"reference": "two\nlines"}, "a reference"),
        ({"reference": "x" * 121}, "a reference"),
        ({"owner": ""}, "a named owner"),
        ({"owner": "\t"}, "a named owner"),
        ({"days": 0}, "at most 365 days"),
        ({"days": -1}, "at most 365 days"),
        ({"days": 366}, "at most 365 days"),
        ({"days": float("nan")}, "at most 365 days"),
        ({"reason": "false-alert-review", "days": 91}, "at most 90 days"),
    ],
)
async def test_a_hold_without_its_reasons_is_refused_and_changes_nothing(store, changed, said):
    held = (await keep(store)).alerts[0]
    with pytest.raises(Conflict, match=said) as failed:
        await place(store, held, **changed)
    assert failed.value.hint
    assert await holds.list_holds(store.db) == []
    assert {one.hold_id for one in await rows(store.db, StoredObject)} == {None}
    assert len(await store.vault.keys.fetch(Ring(store.deployment_id, "alerts"), None)) == 2


async def test_a_policy_without_holds_keeps_nothing(store):
    held = (await keep(store)).alerts[0]
    without = msgspec.structs.replace(POLICY, holds=())
    with pytest.raises(Conflict) as failed:
        await holds.place(store.db, store.vault, held, ASKED, policy=without, by="ann")
    assert "nothing may be kept" in failed.value.hint


async def test_an_alert_is_held_once(store):
    held = (await keep(store)).alerts[0]
    await place(store, held)
    with pytest.raises(Conflict, match="held already"):
        await place(store, held, reason="complaint-or-claim")


@pytest.mark.rule("G2")
async def test_what_is_destroyed_or_due_cannot_be_held(store):
    first, second = (await keep(store)).alerts
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, [first], reason="expired")
    with pytest.raises(Conflict, match="destroyed"):
        await place(store, first)
    late = await raised_at(store, second) + 24 * HOUR
    with pytest.raises(Conflict, match="destroyed"):
        await holds.place(store.db, store.vault, second, ASKED, policy=POLICY, by="ann", at=late)


async def test_what_is_not_there(store):
    with pytest.raises(NotFound):
        await place(store, uuid4())
    with pytest.raises(NotFound) as failed:
        await holds.release(store.db, store.vault, uuid4(), by="ann")
    assert "lfr hold list" in failed.value.hint


@pytest.mark.rule("G2")
async def test_the_log_names_reason_and_objects_and_no_person(store):
    held = (await keep(store)).alerts[0]
    await place(store, held)
    entry = next(entry for entry in await rows(store.db, AuditEntry) if entry.kind == "hold.placed")
    assert entry.payload == {
        "reason": "criminal-evidence",
        "objects": sorted(entry.payload["objects"], key=entry.payload["objects"].index),
    }
    assert {str(one) for one in await objects_of(store.db, held)} == set(entry.payload["objects"])
    assert "Doe" not in str(entry.payload)
    assert "17/2026" not in str(entry.payload)


@given(text=st.text(max_size=200), days=st.floats(allow_nan=True))
def test_whatever_is_asked_is_taken_or_refused_in_plain_words(text, days):
    line = text.strip()
    good = 1 <= len(line) <= 120 and not any(ord(one) < 32 or ord(one) == 127 for one in line)
    asked = Asked("own-request", text, text, days)
    if good and 1 / 24 <= days <= 90:
        assert timedelta(0) < holds._checked(asked, POLICY) <= timedelta(days=90)
        return
    with pytest.raises(Conflict) as failed:
        holds._checked(asked, POLICY)
    assert failed.value.hint


async def test_a_placed_hold_reads_back(store):
    held = (await keep(store)).alerts[0]
    at = now()
    hold = await holds.place(
        store.db, store.vault, held, replace(ASKED, reference=" R1 ", owner=" Doe "), policy=POLICY, by="ann", at=at
    )
    (found,) = await holds.list_holds(store.db)
    assert (found.id, found.reference, found.owner, found.placed_by, found.placed_at) == (
        hold.id,
        "R1",
        "Doe",
        "ann",
        at,
    )
