import msgspec
from litestar.testing import AsyncTestClient

from tests.support.api import PASSWORD


async def test_signing_in_gives_a_cookie_and_a_token(house, client):
    answer = await client.post("/api/v1/sessions", json={"name": "Anna", "password": PASSWORD})
    assert answer.status_code == 201
    told = answer.json() | {"token": None}
    assert told == {"name": "anna", "roles": ["operator"], "must_change": False, "token": None}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("lfr-demo=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie

    by_cookie = await client.get("/api/v1/sessions/current")
    assert by_cookie.json()["name"] == "anna"
    client.cookies.clear()
    by_token = await client.get("/api/v1/status", headers={"authorization": f"Bearer {answer.json()['token']}"})
    assert by_token.status_code == 200


async def test_with_tls_the_cookie_is_secure_and_bound_to_the_host(house):

    api = msgspec.structs.replace(house.config.api, tls_cert="cert.pem", tls_key="key.pem")
    app = house.app(config=msgspec.structs.replace(house.config, api=api))
    async with AsyncTestClient(app, base_url="https://127.0.0.1") as client:
        answer = await client.post("/api/v1/sessions", json={"name": "anna", "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-lfr-demo=")
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_wrong_password_and_an_unknown_name_are_the_same_problem(house, client):
    wrong = await client.post("/api/v1/sessions", json={"name": "anna", "password": "not the password"})
    unknown = await client.post("/api/v1/sessions", json={"name": "nobody", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["type"] == "urn:lfr:not-signed-in"
    assert "set-cookie" not in wrong.headers


async def test_signing_out_ends_the_session_at_once(house, client, signed):
    assert (await client.delete("/api/v1/sessions/current", headers=signed.operator)).status_code == 204
    assert (await client.get("/api/v1/status", headers=signed.operator)).status_code == 401


async def test_a_one_time_password_allows_nothing_but_its_change(house, client):
    answer = await client.post("/api/v1/sessions", json={"name": "newcomer", "password": PASSWORD})
    bearer = {"authorization": f"Bearer {answer.json()['token']}"}
    client.cookies.clear()
    refused = await client.get("/api/v1/status", headers=bearer)
    assert refused.status_code == 403
    assert "one-time password" in refused.json()["detail"]

    new = {"old": PASSWORD, "new": "another staple battery horse"}
    assert (await client.put("/api/v1/sessions/current/password", json=new, headers=bearer)).status_code == 204
    assert (await client.get("/api/v1/status", headers=bearer)).status_code == 200


async def test_a_weak_password_is_refused_with_a_hint(house, client, signed):
    weak = {"old": PASSWORD, "new": "short"}
    answer = await client.put("/api/v1/sessions/current/password", json=weak, headers=signed.operator)
    assert answer.status_code == 409
    assert answer.json()["hint"]


async def test_the_local_token_is_an_engineer_without_a_password(client, signed):
    who = await client.get("/api/v1/sessions/current", headers=signed.local)
    assert who.json()["roles"] == ["engineer"]
    assert who.json()["name"].startswith("local:")
    change = {"old": "x", "new": "another staple battery horse"}
    assert (await client.put("/api/v1/sessions/current/password", json=change, headers=signed.local)).status_code == 409
    assert (await client.delete("/api/v1/sessions/current", headers=signed.local)).status_code == 204
    assert (await client.get("/api/v1/status", headers=signed.local)).status_code == 200
