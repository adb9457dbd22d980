"""An alert is durable before anybody hears of it, and raised once: between tasks, between processes, after a death."""

import asyncio
import time
from uuid import uuid4

import pytest
from sqlmodel import select

from lfr.domain.errors import NotFound, StorageError, VaultError
from lfr.services import alerts, audit, events, watchlist
from lfr.storage.database import Database
from lfr.storage.models import Alert, AlertPicture, AuditEntry
from lfr.storage.vault import new_vault
from tests.support.processes import worker
from tests.support.stores import raise_alert


async def rows(db, table):
    async with db.session() as session:
        return (await session.exec(select(table))).all()


async def test_what_was_raised_can_be_read(store):
    entry_id = await store.entry()
    raised = store.alert(entry_id)
    before = time.time()
    receipt = await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    assert (receipt.alert_id, receipt.duplicate, receipt.muted) == (raised.id, False, False)
    assert before <= receipt.committed_at <= time.time()
    another = Database(store.url)
    record = await alerts.get_alert(another, raised.id)
    for name in (
        "camera",
        "run",
        "transit",
        "entry_id",
        "score",
        "threshold",
        "gap",
        "shots",
        "frame",
        "media_s",
        "box",
    ):
        assert getattr(record, name) == getattr(raised, name)
    assert record.frame_at.timestamp() == raised.frame_at
    assert record.first_shot_at.timestamp() == raised.first_shot_at
    assert await alerts.list_alerts(another, store.deployment_id) == [record]
    assert await alerts.list_alerts(another, store.deployment_id, after_seq=record.seq) == []
    for kind, plain in (("probe", raised.probe_jpeg), ("scene", raised.scene_jpeg)):
        assert await alerts.alert_picture(another, store.vault, raised.id, kind) == plain
    await another.dispose()


async def test_pictures_lie_sealed(store):
    raised = store.alert(await store.entry())
    await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    stored = await rows(store.db, AlertPicture)
    assert {picture.kind for picture in stored} == {"probe", "scene"}
    assert all(b"picture" not in picture.sealed for picture in stored)
    with pytest.raises(VaultError):
        await alerts.alert_picture(store.db, new_vault(), raised.id, "probe")


async def test_the_alert_is_in_the_log(store):
    raised = store.alert(await store.entry())
    await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    event = (await events.events_after(store.db, 1))[-1]
    assert (event.seq, event.kind, event.subject) == (2, "alert.raised", str(raised.id))
    assert event.payload["entry"] == str(raised.entry_id)
    assert "score" not in event.payload
    logged = [entry.payload for entry in await rows(store.db, AuditEntry) if entry.kind == "alert.raised"]
    assert [payload["score"] for payload in logged] == [raised.score]


async def test_a_retry_is_the_same_alert(store):
    raised = store.alert(await store.entry())
    first = await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    again = await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    assert again.duplicate
    assert not again.muted
    assert again.alert_id == first.alert_id
    assert abs(again.committed_at - first.committed_at) < 5
    assert len(await rows(store.db, Alert)) == 1


async def test_many_at_once_raise_one(store):
    raised = store.alert(await store.entry())
    another = Database(store.url)
    receipts = await asyncio.gather(
        *(raise_alert((store.db, another)[i % 2], store.vault, raised, cooldown_s=60) for i in range(10))
    )
    await another.dispose()
    assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 9
    assert len(await rows(store.db, Alert)) == 1
    assert len(await alerts.list_alerts(store.db, store.deployment_id)) == 1


async def test_two_processes_raise_each_alert_once(store):
    entry_id = await store.entry()
    found = await asyncio.gather(
        *(worker("raise", store.url, store.deployment_id, entry_id, first, first + 12) for first in (0, 4))
    )
    new = [alert_id for answers in found for alert_id, duplicate, muted in answers if not duplicate and not muted]
    assert len(new) == len(set(new)) == 16
    records = await alerts.list_alerts(store.db, store.deployment_id)
    assert sorted(record.transit for record in records) == list(range(16))
    assert [record.seq for record in records] == list(range(2, 18))


async def test_a_death_between_commit_and_answer_raises_no_second(store):
    entry_id = await store.entry()
    await worker("die", store.url, store.deployment_id, entry_id, status=9)
    found = await worker("raise", store.url, store.deployment_id, entry_id, 1, 2)
    assert [duplicate for _, duplicate, _ in found] == [True]
    assert len(await rows(store.db, Alert)) == 1


@pytest.mark.parametrize(
    ("changed", "muted"),
    [
        ({"transit": 2, "media_s": 4.75 + 59.9}, True),
        ({"transit": 2, "media_s": 4.75 + 60.0}, False),
        ({"transit": 2, "media_s": 4.75 - 59.9}, True),
        ({"transit": 2, "media_s": 200.0, "frame_at": 1_795_000_000.25}, False),
        ({"transit": 2, "media_s": 4.75, "frame_at": 1_795_009_000.0}, True),
        ({"run": "run-2", "frame_at": 1_795_000_000.25 + 59.9}, True),
        ({"run": "run-2", "frame_at": 1_795_000_000.25 + 60.0}, False),
        ({"run": "run-2", "frame_at": 1_795_000_000.25 + 600, "media_s": 4.75}, False),
        ({"camera": "south", "transit": 2}, False),
    ],
)
async def test_the_cool_down(store, changed, muted):
    entry_id = await store.entry()
    await raise_alert(store.db, store.vault, store.alert(entry_id), cooldown_s=60)
    receipt = await raise_alert(store.db, store.vault, store.alert(entry_id, **changed), cooldown_s=60)
    assert receipt.muted is muted
    assert len(await rows(store.db, Alert)) == (1 if muted else 2)
    assert len(await rows(store.db, AlertPicture)) == (2 if muted else 4)


async def test_another_entry_does_not_cool_down(store):
    await raise_alert(store.db, store.vault, store.alert(await store.entry()), cooldown_s=60)
    receipt = await raise_alert(store.db, store.vault, store.alert(await store.entry()), cooldown_s=60)
    assert not receipt.muted


async def test_of_many_transits_at_once_one_is_raised(store):
    entry_id = await store.entry()
    receipts = await asyncio.gather(
        *(raise_alert(store.db, store.vault, store.alert(entry_id, transit=i), cooldown_s=60) for i in range(8))
    )
    assert sorted(receipt.muted for receipt in receipts) == [False] + [True] * 7


async def test_nobody_is_alerted_to_an_entry_that_was_revoked(store):
    entry_id = await store.entry()
    await watchlist.revoke(store.db, store.deployment_id, entry_id, by="test")
    receipt = await raise_alert(store.db, store.vault, store.alert(entry_id), cooldown_s=60)
    assert receipt.muted
    assert not await rows(store.db, Alert)


async def test_an_unknown_entry_is_refused(store):
    with pytest.raises(NotFound):
        await raise_alert(store.db, store.vault, store.alert(uuid4()), cooldown_s=60)


async def test_what_fails_half_way_leaves_nothing(store, monkeypatch):
    raised = store.alert(await store.entry())

    async def broken(*_):
        raise StorageError("no more room")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "sequence_within", broken)
        with pytest.raises(StorageError):
            await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    assert not await rows(store.db, Alert)
    assert not await rows(store.db, AlertPicture)
    receipt = await raise_alert(store.db, store.vault, raised, cooldown_s=60)
    assert not receipt.duplicate


async def test_what_is_not_there(store):
    with pytest.raises(NotFound):
        await alerts.get_alert(store.db, uuid4())
    with pytest.raises(NotFound):
        await alerts.alert_picture(store.db, store.vault, uuid4(), "probe")


async def test_alerts_come_in_pages(store):
    entry_id = await store.entry()
    for transit in range(5):
        await raise_alert(
            store.db, store.vault, store.alert(entry_id, transit=transit, media_s=transit * 100.0), cooldown_s=9
        )
    first = await alerts.list_alerts(store.db, store.deployment_id, limit=3)
    rest = await alerts.list_alerts(store.db, store.deployment_id, after_seq=first[-1].seq, limit=3)
    assert [record.transit for record in first + rest] == [0, 1, 2, 3, 4]
    assert await alerts.list_alerts(store.db, uuid4()) == []
