import pytest

from lfr.api.problems import PROBLEMS, kind_of
from lfr.domain import errors


def every_error(cls=errors.LfrError):
    yield cls
    for child in cls.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from every_error(child)


@pytest.mark.parametrize("cls", sorted(set(every_error()), key=lambda cls: cls.__name__))
def test_every_error_has_a_row(cls):
    kind = kind_of(cls("message"))
    assert 400 <= kind.status < 600
    assert kind.urn
    assert kind.title


def test_an_error_takes_its_nearest_row():
    assert kind_of(errors.VaultError("x")) is PROBLEMS[errors.StorageError]
    assert kind_of(errors.NotAllowed("x")).status == 403


def check(answer, status, urn):
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"urn:lfr:{urn}"
    assert body["title"]
    assert body["detail"]
    assert "content-security-policy" in answer.headers
    return body


async def test_unknown_routes_and_methods(client, signed):
    check(await client.get("/nowhere"), 404, "not-found")
    check(await client.get("/api/v1/nowhere", headers=signed.operator), 404, "not-found")
    check(await client.get("/api/v1/schema/nowhere", headers=signed.operator), 404, "not-found")
    check(await client.get("/static/nothing.js"), 404, "not-found")
    check(await client.request("PATCH", "/api/v1/status", headers=signed.operator), 405, "method-not-allowed")


async def test_a_body_that_does_not_validate_names_the_field_and_not_the_value(client):
    secret = "hunter2hunter2"
    body = check(await client.post("/api/v1/sessions", json={"name": "a", "passwort": secret}), 400, "bad-request")
    assert secret not in str(body)
    check(await client.post("/api/v1/sessions", content=b"{not json"), 400, "bad-request")
    check(await client.post("/api/v1/sessions", json={"name": "a" * 500, "password": secret}), 400, "bad-request")


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=501", "after=x"])
async def test_a_query_out_of_range_is_refused(client, signed, query):
    check(await client.get(f"/api/v1/alerts?{query}", headers=signed.operator), 400, "bad-request")


async def test_an_id_that_is_none(client, signed):
    check(await client.get("/api/v1/alerts/not-a-uuid", headers=signed.operator), 404, "not-found")


async def test_a_body_too_large(client):
    check(await client.post("/api/v1/sessions", content=b"x" * 5000), 413, "request-entity-too-large")


async def test_an_error_of_ours_keeps_message_and_hint(client, signed, house):
    async def refuse(entry_id, by):
        raise errors.RuntimeFailed("matcher van-2 did not acknowledge", hint="see its log")

    house.control.revoke_entry = refuse
    url = "/api/v1/watchlist/00000000-0000-0000-0000-000000000001"
    body = check(await client.delete(url, headers=signed.operator), 503, "runtime-failed")
    assert (body["detail"], body["hint"]) == ("matcher van-2 did not acknowledge", "see its log")


async def test_what_failed_inside_stays_inside(client, signed, house):
    async def break_down(by):
        raise ZeroDivisionError("secret detail")

    house.control.stop = break_down
    body = check(await client.post("/api/v1/stop", headers=signed.operator), 500, "failed")
    assert "secret" not in str(body)
    assert "ZeroDivision" not in str(body)

    async def no_disk(by):
        raise errors.StorageError("cannot write /var/lib/lfr/lfr.db: disk full", hint="free some space in /var/lib/lfr")

    house.control.stop = no_disk
    body = check(await client.post("/api/v1/stop", headers=signed.operator), 503, "storage-unavailable")
    assert "/var/lib" not in str(body)
