"""What must go goes by itself while the system runs."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import msgspec
import pytest

from lfr.actors.sweep import sweep_for_ever
from lfr.domain.errors import StorageError
from lfr.services import policies, retention
from lfr.storage.columns import now
from tests.support.kept import keep, opening, receipts
from tests.support.system import wait_for

DEMO = policies.load("demo")
POLICY = msgspec.structs.replace(DEMO, retention=msgspec.structs.replace(DEMO.retention, alert_unactioned_seconds=60))


@pytest.mark.rule("G2")
@pytest.mark.parametrize("failing", [StorageError("the database is gone"), ZeroDivisionError()], ids=["ours", "fault"])
async def test_what_is_over_goes_unasked_though_a_sweep_failed_before(store, monkeypatch, failing):
    first, second = (await keep(store)).alerts
    before = now() - timedelta(seconds=61)
    await retention.unactioned(store.db, store.vault, store.deployment_id, [first], policy=POLICY, at=before)
    sweep, failed = retention.due, []

    async def fails_once(*given):
        if not failed:
            failed.append(failing)
            raise failing
        return await sweep(*given)

    monkeypatch.setattr(retention, "due", fails_once)
    sweeping = asyncio.create_task(sweep_for_ever(store.db, store.vault, POLICY, every_s=0.05))
    try:
        await wait_for(lambda: receipts(store.db), "a receipt", 20)
    finally:
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
    assert failed
    assert [reason for reason, _ in await receipts(store.db)] == ["expired"]
    assert (await opening(store.db, store.vault))["probe"] == {second}
