import pytest
from litestar.testing import AsyncTestClient

from lfr.api.limits import Buckets, Limits, Rate
from tests.support.api import GENEROUS, PASSWORD


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/health", "/api/v1/status", "/nowhere"])
async def test_every_response_carries_the_security_headers(client, path):
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "user@127.0.0.1", "", "localhost.evil"])
async def test_a_host_that_is_not_ours_is_refused(client, host):
    answer = await client.get("/api/v1/health", headers={"host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8443", "127.0.0.1:9", "[::1]:8443", "10.1.2.3"])
async def test_loopback_and_addresses_are_ours(client, host):
    assert (await client.get("/api/v1/health", headers={"host": host})).status_code == 200


CROSS = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:1", "host": "127.0.0.1:8443"},
    {},
]
OWN = [{"sec-fetch-site": "same-origin"}, {"origin": "http://127.0.0.1", "host": "127.0.0.1"}]


@pytest.mark.parametrize("headers", CROSS)
async def test_a_cookie_from_another_site_changes_nothing(client, house, headers):
    await client.post("/api/v1/sessions", json={"name": "anna", "password": PASSWORD})
    answer = await client.post("/api/v1/stop", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:lfr:not-allowed"
    assert house.control.asked == []


@pytest.mark.parametrize("headers", OWN)
async def test_a_cookie_from_our_own_page_works(client, house, headers):
    await client.post("/api/v1/sessions", json={"name": "anna", "password": PASSWORD})
    assert (await client.post("/api/v1/stop", headers=headers)).status_code == 200


async def test_nobody_is_signed_in_from_another_site(client, house):
    body = {"name": "anna", "password": PASSWORD}
    answer = await client.post("/api/v1/sessions", json=body, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_signing_in_is_limited_more_tightly(house):
    app = house.app(limits=GENEROUS._replace(sign_in=Rate(burst=2, per_minute=6)))
    async with AsyncTestClient(app, base_url="http://127.0.0.1") as client:
        body = {"name": "nobody", "password": "wrong password"}
        answers = [await client.post("/api/v1/sessions", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert 1 <= int(answers[2].headers["retry-after"]) <= 10
        assert answers[2].json()["type"] == "urn:lfr:too-many-requests"
        assert (await client.get("/api/v1/health")).status_code == 200


def test_a_bucket_fills_again():
    now = 0.0
    buckets = Buckets(Rate(burst=2, per_minute=60), clock=lambda: now)
    assert [buckets.wait_for("a") for _ in range(3)] == [0.0, 0.0, 1.0]
    assert buckets.wait_for("b") == 0.0
    now = 0.5
    assert buckets.wait_for("a") == pytest.approx(0.5)
    now = 1.0
    assert buckets.wait_for("a") == 0.0
    now = 1000.0
    assert [buckets.wait_for("a") for _ in range(3)] == [0.0, 0.0, 1.0]


def test_the_default_limits_let_a_page_with_many_cameras_live():
    assert Limits().general.per_minute / 60 >= 20
    assert Limits().sign_in.per_minute <= 10
