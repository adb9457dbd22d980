"""The event stream, through a real client and a real server on loopback."""

import asyncio
from dataclasses import replace

import httpx
import msgspec

from lfr.api.controllers import events as controller
from lfr.services import events as event_service
from lfr.services import users
from lfr.storage.models import Deployment
from tests.support.api import PASSWORD, following, served
from tests.support.stores import new_deployment


async def take(events, count):
    async with asyncio.timeout(15):
        return [await anext(events) for _ in range(count)]


async def test_an_alert_is_told_live_with_its_number_and_without_its_score(house, app, signed):
    entry = await house.entry("Volunteer 7")
    async with served(app, house.config) as url, following(url, signed.operator) as events:
        await asyncio.sleep(0.3)
        alert = await house.alert(entry)
        (told,) = await take(events, 1)
    assert (told.kind, told.data["subject"], told.id) == ("alert.raised", str(alert), told.data["seq"])
    assert told.data["payload"]["camera"] == "north"
    assert not {"score", "threshold", "gap"} & set(told.data["payload"])
    assert "Volunteer" not in str(told.data)


async def test_what_was_missed_is_replayed_in_order_then_the_stream_goes_on(house, app, signed):
    entry = await house.entry("Volunteer 7")
    ids = [str(await house.alert(entry)) for _ in range(5)]
    async with served(app, house.config) as url:
        async with following(url, signed.auditor, after=0) as events:
            seen = [event for event in await take(events, 7) if event.kind == "alert.raised"]
        assert [event.data["subject"] for event in seen] == ids
        async with following(url, signed.auditor, after=0, last=seen[2].id) as events:
            assert [event.data["subject"] for event in await take(events, 2)] == ids[3:]
            live = str(await house.alert(entry))
            assert [event.data["subject"] for event in await take(events, 1)] == [live]


async def test_a_client_that_comes_and_goes_while_alerts_are_raised_misses_none_and_sees_none_twice(house, app, signed):
    entry = await house.entry("Volunteer 7")
    raised: list[str] = []

    async def raise_many():
        for _ in range(40):
            raised.append(str(await house.alert(entry)))
            await asyncio.sleep(0.01)

    async with served(app, house.config) as url:
        last = (await event_service.events_after(house.db, 0))[-1].seq
        raising = asyncio.create_task(raise_many())
        seen: list[str] = []
        while len(seen) < 40:
            async with following(url, signed.operator, last=last) as events:
                for event in await take(events, min(7, 40 - len(seen))):
                    seen.append(event.data["subject"])
                    last = event.id
        await raising
    assert seen == raised


async def test_a_number_from_another_log_starts_at_the_present(house, app, signed):
    entry = await house.entry("Volunteer 7")
    async with served(app, house.config) as url, following(url, signed.operator, last=10**9) as events:
        await asyncio.sleep(0.3)
        alert = str(await house.alert(entry))
        assert [event.data["subject"] for event in await take(events, 1)] == [alert]


async def test_who_signs_in_is_not_told_to_every_screen(house, app, signed):
    entry = await house.entry("Volunteer 7")
    async with served(app, house.config) as url, following(url, signed.operator, after=0) as events:
        await users.sign_in(house.db, "anna", PASSWORD)
        alert = str(await house.alert(entry))
        kinds = []
        async with asyncio.timeout(15):
            async for event in events:
                kinds.append(event.kind)
                if event.data["subject"] == alert:
                    break
    assert not [kind for kind in kinds if kind.startswith("user.")]


async def test_a_session_that_ends_ends_its_stream(house, app, monkeypatch):
    monkeypatch.setattr(controller, "HEARTBEAT_S", 0.2)
    token = await house.token("anna")
    headers = {"authorization": f"Bearer {token}"}
    async with served(app, house.config) as url, following(url, headers) as events:
        await users.sign_out(house.db, token)
        async with asyncio.timeout(10):
            assert [event async for event in events] == []


async def test_a_client_that_hangs_up_is_forgotten(house, app, signed):
    async def until(clients):
        async with asyncio.timeout(10):
            while app.state.feed.clients != clients:  # noqa: ASYNC110 - a counter has no event to wait for
                await asyncio.sleep(0.02)

    async with served(app, house.config) as url:
        async with following(url, signed.operator):
            await until(1)
        await until(0)


async def test_a_page_that_stays_open_follows_from_no_deployment_to_the_next_ones(house, signed):
    """It was opened on a machine that had none. Of another system's nothing is told."""
    elsewhere = await house.entry("Volunteer 7")
    van = replace(house, config=msgspec.structs.replace(house.config, name="new-van"), deployment_id=None)
    async with served(van.app(), van.config) as url, following(url, signed.operator) as events:
        async with httpx.AsyncClient(base_url=url, headers=signed.operator) as client:
            assert (await client.get("/api/v1/alerts")).json()["alerts"] == []
        await asyncio.sleep(0.3)
        for _ in range(2):
            van.deployment_id = (await new_deployment(van.db, system="new-van", mode="demo", pack="embedded")).id
            await house.alert(elsewhere)
            alert = str(await van.alert(await van.entry("Volunteer 8")))
            made, raised = await take(events, 2)
            assert (made.kind, made.data["subject"]) == ("deployment.made", str(van.deployment_id))
            assert (raised.kind, raised.data["subject"]) == ("alert.raised", alert)
            await set_state(van, "ended")


async def set_state(house, state):
    async with house.db.transaction() as session:
        (await session.get(Deployment, house.deployment_id)).state = state
