import asyncio
import tempfile
import uuid

import msgspec
import pytest
from litestar.testing import AsyncTestClient

from lfr.api import uploads
from lfr.api.running import Running
from lfr.domain.errors import RuntimeFailed
from lfr.domain.watchlist import RowResult
from lfr.services import alerts as alert_service
from tests.support.api import drawing


async def test_status_is_the_supervisors(client, signed, house):
    answer = await client.get("/api/v1/status", headers=signed.auditor)
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(house.control.answer))


@pytest.mark.parametrize(("state", "status"), [("live", 200), ("starting", 200), ("stopped", 200), ("failed", 503)])
async def test_health_tells_its_state_and_nothing_else(client, house, state, status):
    house.control.answer = msgspec.structs.replace(house.control.answer, state=state)
    answer = await client.get("/api/v1/health")
    assert (answer.status_code, answer.json()) == (status, {"state": state})


async def test_a_supervisor_that_does_not_answer(client, signed, house):
    async def silent():
        raise RuntimeFailed("the supervisor does not answer")

    house.control.status = silent
    health = await client.get("/api/v1/health")
    assert (health.status_code, health.json()) == (503, {"state": "unknown"})
    status = await client.get("/api/v1/status", headers=signed.operator)
    assert (status.status_code, status.json()["type"]) == (503, "urn:lfr:runtime-failed")
    assert (await client.get("/sign-in")).status_code == 200


async def test_many_who_look_ask_the_supervisor_once(house):
    asked = 0

    class Counting:
        async def status(self):
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.01)
            return house.control.answer

    running = Running(Counting(), clock=lambda: 0.0)
    await asyncio.gather(*(running.status() for _ in range(20)))
    assert asked == 1
    late = Running(Counting(), clock=iter(range(100)).__next__)
    await late.status()
    await late.status()
    assert asked == 3


async def test_a_tile_has_an_age_and_is_sent_once(client, signed, house):
    first = await client.get("/api/v1/cameras/north/tile", headers=signed.operator)
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["cache-control"] == "no-store"
    assert first.content == house.control.tiles["north"]
    assert float(first.headers["lfr-frame-age"]) >= 0
    again = {**signed.operator, "if-none-match": first.headers["etag"]}
    second = await client.get("/api/v1/cameras/north/tile", headers=again)
    assert (second.status_code, second.content) == (304, b"")


async def test_a_camera_without_a_picture_yet(client, signed, house):
    house.control.tiles.clear()
    answer = await client.get("/api/v1/cameras/north/tile", headers=signed.operator)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:lfr:not-found")


async def test_alerts_newest_first_and_onwards_from_a_number(client, signed, house):
    entry = await house.entry("Volunteer 7")
    ids = [str(await house.alert(entry)) for _ in range(3)]
    page = (await client.get("/api/v1/alerts?limit=2", headers=signed.operator)).json()
    assert [alert["id"] for alert in page["alerts"]] == ids[::-1][:2]
    assert page["more"] is True
    assert page["seq"] == page["alerts"][0]["seq"]
    assert page["alerts"][0]["label"] == "Volunteer 7"
    oldest = page["alerts"][-1]["seq"] - 2
    onwards = (await client.get(f"/api/v1/alerts?after={oldest}", headers=signed.operator)).json()
    assert [alert["id"] for alert in onwards["alerts"]] == ids[1:] or onwards["alerts"][0]["seq"] > oldest
    assert onwards["more"] is False


async def test_one_alert_with_its_pictures(client, signed, house):
    entry = await house.entry("Volunteer 7")
    alert = await house.alert(entry, score=0.6125)
    body = (await client.get(f"/api/v1/alerts/{alert}", headers=signed.auditor)).json()
    assert (body["score"], body["threshold"], body["gap"], body["shots"]) == (0.6125, 0.512, 0.081, 4)
    assert (body["entry_id"], body["box"]) == (str(entry), [412, 200, 96, 96])
    for path in (f"alerts/{alert}/probe", f"alerts/{alert}/scene", f"watchlist/{entry}/picture"):
        answer = await client.get(f"/api/v1/{path}", headers=signed.auditor)
        assert answer.content.startswith(b"\xff\xd8")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"


async def test_another_deployments_alert_and_entry_are_not_here(client, signed, house):
    entry = await house.entry("Volunteer 7")
    alert = await house.alert(entry)
    house.deployment_id = uuid.uuid4()
    other = house.app()
    async with AsyncTestClient(other, base_url="http://127.0.0.1") as elsewhere:
        for path in (f"alerts/{alert}", f"alerts/{alert}/probe", f"watchlist/{entry}/picture"):
            assert (await elsewhere.get(f"/api/v1/{path}", headers=signed.operator)).status_code == 404
        assert (await elsewhere.get("/api/v1/alerts", headers=signed.operator)).json()["alerts"] == []


async def test_the_watchlist_is_listed(client, signed, house):
    entry = await house.entry("Volunteer 7")
    listed = (await client.get("/api/v1/watchlist", headers=signed.auditor)).json()["entries"]
    assert [(row["id"], row["label"], row["images"], row["revoked_at"]) for row in listed] == [
        (str(entry), "Volunteer 7", 1, None)
    ]


async def test_enrolling_hands_every_picture_on_and_tells_what_became_of_it(client, signed, house):
    house.control.rows = [
        RowResult("Volunteer 7", "a.jpg", enrolled=True, entry_id=uuid.uuid4(), image_id=uuid.uuid4()),
        RowResult("Volunteer 7", "b.jpg", enrolled=False, refusal="no face", detail="none found"),
    ]
    files = [("pictures", (name, drawing(), "image/jpeg")) for name in ("a.jpg", "b.jpg")]
    answer = await client.post("/api/v1/watchlist", data={"label": "Volunteer 7"}, files=files, headers=signed.operator)
    assert answer.status_code == 201
    assert [row["refusal"] for row in answer.json()["rows"]] == [None, "no face"]
    assert house.control.asked == [("add", "Volunteer 7", ["a.jpg", "b.jpg"], "some-operator")]


@pytest.mark.parametrize(
    "request_parts",
    [
        {"data": {"label": ""}, "files": [("pictures", ("a.jpg", b"x"))]},
        {"files": [("pictures", ("a.jpg", b"x"))]},
        {"data": {"label": "x"}, "files": [("other", ("a.jpg", b"x"))]},
        {"data": {"label": "x"}, "files": [("pictures", (f"{n}.jpg", b"x")) for n in range(17)]},
        {"json": {"label": "x"}},
        {"content": b"--x\r\ncut", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
    ],
)
async def test_a_form_that_is_wrong_changes_nothing(client, signed, house, request_parts):
    headers = {**signed.operator, **request_parts.pop("headers", {})}
    answer = await client.post("/api/v1/watchlist", headers=headers, **request_parts)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:lfr:bad-request")
    assert house.control.asked == []


async def test_d4_an_uploaded_picture_never_touches_a_disk(client, signed, house, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a temporary file was opened")

    for maker in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, maker, refuse)
    monkeypatch.setattr("litestar.datastructures.upload_file.SpooledTemporaryFile", refuse)
    large = b"\xff\xd8" + bytes(5 * 2**20)
    answer = await client.post(
        "/api/v1/watchlist", data={"label": "x"}, files=[("pictures", ("a.jpg", large))], headers=signed.operator
    )
    assert answer.status_code == 201


def test_a_form_keeps_every_byte_and_name():
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="label"\r\n\r\nJos\xc3\xa9\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="pictures"; filename="\xe5\x90\x8d.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\x00\r\n--edg\r\n\xff\r\n--edge--\r\n"
    )
    form = uploads.parse_form(body, b"edge")
    assert form.fields == {"label": "José"}
    assert form.files == (("pictures", "名.jpg", b"\x00\r\n--edg\r\n\xff"),)


async def test_revoking_is_the_controls(client, signed, house):
    entry = await house.entry("Volunteer 7")
    assert (await client.delete(f"/api/v1/watchlist/{entry}", headers=signed.engineer)).status_code == 204
    assert house.control.asked == [("revoke", entry, "some-engineer")]


async def test_metrics_name_states_and_counters_but_nobody(client, signed, house):
    await house.entry("Volunteer 7")
    answer = await client.get("/api/v1/metrics", headers=signed.local)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'lfr_state{state="live"} 1.0' in lines
    assert 'lfr_camera_frames_dropped_total{camera="north"} 12.0' in lines
    assert 'lfr_camera_health{camera="south",health="reconnecting"} 1.0' in lines
    assert 'lfr_actor_restarts_total{actor="camera-south",kind="camera"} 1.0' in lines
    assert "lfr_nonmatch_age_p95_seconds 0.402" in lines
    assert "Volunteer" not in answer.text
    assert "North gate" not in answer.text


async def test_pages_lead_to_the_door_and_say_the_mode(client, signed, house):
    away = await client.get("/", headers={"accept": "text/html"}, follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in")
    for page, headers in (("/sign-in", {}), ("/", signed.operator)):
        answer = await client.get(page, headers={"accept": "text/html", **headers})
        assert answer.status_code == 200
        assert "Not for operational use" in answer.text
        assert "so this proves plumbing, not accuracy" in answer.text
        assert "<style" not in answer.text
        assert " style=" not in answer.text
    assert "It is not grounds for arrest, search or force." in answer.text


async def test_a_picture_of_an_alert_that_is_gone(client, signed, house):
    missing = uuid.uuid4()
    with pytest.raises(Exception, match="no alert"):
        await alert_service.get_alert(house.db, missing)
    assert (await client.get(f"/api/v1/alerts/{missing}/probe", headers=signed.operator)).status_code == 404
