"""The books balance, and whatever one witness alone says is an alarm (G6)."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, update
from sqlmodel import col
from structlog.testing import capture_logs

from lfr.domain.errors import NotFound
from lfr.services import deployments, holds, policies, retention
from lfr.services.holds import Asked
from lfr.storage.columns import now
from lfr.storage.models import AuditEntry, Deployment, StoredObject
from lfr.storage.vault import Ring
from tests.support.kept import HOUR, keep, objects_of, rows

POLICY = policies.load("uk-default")


async def change(store, statement):
    async with store.db.transaction() as session:
        await session.exec(statement)


async def books(store):
    return await retention.reconcile(store.db, store.vault, store.deployment_id)


@pytest.mark.rule("G6")
async def test_what_was_made_is_living_held_or_deleted(store):
    kept = await keep(store, entries=5, alerts=3)
    asked = Asked("own-request", "SAR 4", "Doe", 10)
    await holds.place(store.db, store.vault, kept.alerts[0], asked, policy=POLICY, by="ann")
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, kept.alerts[1:2], reason="expired")
    found = await books(store)
    assert (found.created, found.living, found.held, found.deleted, found.off) == (21, 17, 2, 2, 0)
    entry = next(entry for entry in await rows(store.db, AuditEntry) if entry.kind == "objects.reconciled")
    assert entry.payload == {"created": 21, "living": 17, "held": 2, "deleted": 2, "off": 0}
    row = (await rows(store.db, Deployment))[0]
    assert row.off == 0
    assert row.reconciled_at is not None


@pytest.mark.rule("G6")
async def test_every_object_has_a_random_id_that_tells_nothing(store):
    kept = await keep(store)
    made = await rows(store.db, StoredObject)
    assert all(one.id.version == 4 for one in made)
    assert not {one.id for one in made} & {*kept.alerts, *(e.entry_id for e in kept.entries)}


async def _drop_receipt(store, kept):
    """As if a receipt had been lost on its way: deleted, and the log does not say so."""
    await change(
        store, update(StoredObject).where(col(StoredObject.owner_id) == kept.alerts[0]).values(deleted_at=now())
    )
    await store.vault.shred(Ring(store.deployment_id, "alerts"), [kept.alerts[0]])


async def _drop_row(store, kept):
    await change(store, delete(StoredObject).where(col(StoredObject.owner_id) == kept.alerts[0]))


async def _drop_key(store, kept):
    await store.vault.shred(Ring(store.deployment_id, "alerts"), [kept.alerts[0]])


async def _make_unlogged(store, kept):
    async with store.db.transaction() as session:
        for kind in ("alert-probe", "alert-scene"):
            session.add(StoredObject(deployment_id=store.deployment_id, owner_id=kept.alerts[0], kind=kind))


async def _undo_deletion(store, kept):
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, kept.alerts[:1], reason="expired")
    await change(
        store, update(StoredObject).where(col(StoredObject.owner_id) == kept.alerts[0]).values(deleted_at=None)
    )


async def _bring_key_back(store, kept):
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, kept.alerts[:1], reason="expired")
    await store.vault.make(Ring(store.deployment_id, "held"), kept.alerts[:1])


@pytest.mark.rule("G6")
@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (_drop_receipt, "unreceipted"),
        (_drop_row, "lost"),
        (_drop_key, "keyless"),
        (_make_unlogged, "unlogged"),
        (_undo_deletion, "undeleted"),
        (_bring_key_back, "undead"),
    ],
)
async def test_what_one_witness_says_alone_is_an_alarm(store, harm, why):
    kept = await keep(store)
    await harm(store, kept)
    with capture_logs() as logs:
        found = await books(store)
    assert found.why == {why: 2}
    assert found.off == 2
    alarm = next(line for line in logs if line["event"] == "objects.off-balance")
    assert (alarm["log_level"], alarm["off"], alarm[why]) == ("error", 2, 2)
    assert (await rows(store.db, Deployment))[0].off == 2


@pytest.mark.rule("G6")
async def test_the_books_are_done_each_day_and_after_the_close(store):
    await keep(store)
    at = now()
    told = []
    for hours in (0, 1, 23.9, 24, 25, 48):
        await retention.due(store.db, store.vault, POLICY, at + hours * HOUR)
        told.append(sum(entry.kind == "objects.reconciled" for entry in await rows(store.db, AuditEntry)))
    assert told == [1, 1, 1, 2, 2, 3]
    await deployments.end(store.db, store.deployment_id, by=deployments.SYSTEM, at=at + 48 * HOUR)
    for hours in (49, 50, 51, 80, 300):
        await retention.due(store.db, store.vault, POLICY, at + hours * HOUR)
    row = (await rows(store.db, Deployment))[0]
    assert (row.state, row.off) == ("closed", 0)
    assert row.reconciled_at == at + 50 * HOUR


async def test_a_deployment_without_objects_balances_at_nothing(store):
    found = await books(store)
    assert (found.created, found.living, found.held, found.deleted, found.off) == (0, 0, 0, 0, 0)
    with pytest.raises(NotFound):
        await retention.reconcile(store.db, store.vault, uuid4())


async def test_objects_of_one_deployment_do_not_count_in_another(store):
    await keep(store)
    other = uuid4()
    async with store.db.transaction() as session:
        row = (await session.get(Deployment, store.deployment_id)).model_dump()
        session.add(Deployment(**row | {"id": other}))
    found = await retention.reconcile(store.db, store.vault, other)
    assert (found.created, found.off) == (0, 0)
    assert isinstance(next(iter(await objects_of(store.db, other)), UUID(int=0)), UUID)
