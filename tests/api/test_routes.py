"""The inventory of routes: who may call what, and what there is no route for (A13, C6, D5)."""

import re
import uuid

import pytest
from litestar.routes import HTTPRoute

EVERYBODY = {"operator", "engineer", "auditor"}
CHANGERS = {"operator", "engineer"}
# Of the three roles that are tried out here; the steps of the other roles are tried where they belong.
KEEPERS = {"engineer"}
PLACE = {"operator", "engineer"}
CHECKERS = {"operator"}
HOLDERS = {"engineer"}
OFFICERS = set()

ROUTES = {
    ("GET", "/"): EVERYBODY,
    ("GET", "/sign-in"): None,
    ("GET", "/static"): None,
    ("POST", "/api/v1/sessions"): None,
    ("GET", "/api/v1/sessions/current"): EVERYBODY,
    ("DELETE", "/api/v1/sessions/current"): EVERYBODY,
    ("PUT", "/api/v1/sessions/current/password"): EVERYBODY,
    ("GET", "/api/v1/health"): None,
    ("GET", "/api/v1/status"): EVERYBODY,
    ("POST", "/api/v1/stop"): EVERYBODY,
    ("GET", "/api/v1/metrics"): EVERYBODY,
    ("GET", "/api/v1/cameras"): EVERYBODY,
    ("GET", "/api/v1/cameras/{camera}/tile"): EVERYBODY,
    ("POST", "/api/v1/cameras/{camera}/confirm-view"): PLACE,
    ("GET", "/api/v1/alerts"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}/probe"): EVERYBODY,
    ("GET", "/api/v1/alerts/{alert_id}/scene"): EVERYBODY,
    ("GET", "/api/v1/watchlist"): EVERYBODY,
    ("POST", "/api/v1/watchlist"): CHANGERS,
    ("DELETE", "/api/v1/watchlist/{entry_id}"): CHANGERS,
    ("GET", "/api/v1/watchlist/{entry_id}/picture"): EVERYBODY,
    ("GET", "/api/v1/events"): EVERYBODY,
    ("GET", "/deployments"): EVERYBODY,
    ("GET", "/deployments/{deployment}"): EVERYBODY,
    ("GET", "/deployments/{deployment}/watchlist"): EVERYBODY,
    ("GET", "/deployments/{deployment}/signs"): EVERYBODY,
    ("GET", "/policy"): EVERYBODY,
    ("GET", "/retention"): EVERYBODY,
    ("GET", "/rights"): EVERYBODY,
    ("GET", "/api/v1/deployments"): EVERYBODY,
    ("POST", "/api/v1/deployments"): EVERYBODY,
    ("GET", "/api/v1/deployments/{deployment}"): EVERYBODY,
    ("PUT", "/api/v1/deployments/{deployment}/plan"): EVERYBODY,
    ("GET", "/api/v1/deployments/{deployment}/gates"): EVERYBODY,
    ("POST", "/api/v1/deployments/{deployment}/{step}"): EVERYBODY,
    ("GET", "/api/v1/deployments/{deployment}/signs"): EVERYBODY,
    ("POST", "/api/v1/deployments/{deployment}/signs"): PLACE,
    ("POST", "/api/v1/deployments/{deployment}/signs/confirm"): PLACE,
    ("GET", "/api/v1/deployments/{deployment}/signs/{photo}"): EVERYBODY,
    ("GET", "/api/v1/deployments/{deployment}/watchlist"): EVERYBODY,
    ("GET", "/api/v1/deployments/{deployment}/watchlist/facts"): EVERYBODY,
    ("POST", "/api/v1/deployments/{deployment}/watchlist/imports"): KEEPERS,
    ("GET", "/api/v1/deployments/{deployment}/watchlist/imports/{run}"): KEEPERS,
    ("POST", "/api/v1/deployments/{deployment}/watchlist/{entry}/confirm"): CHECKERS,
    ("POST", "/api/v1/deployments/{deployment}/watchlist/recheck"): KEEPERS,
    ("GET", "/api/v1/watchlist-form"): EVERYBODY,
    ("GET", "/api/v1/documents"): EVERYBODY,
    ("GET", "/api/v1/policy"): EVERYBODY,
    ("GET", "/api/v1/retention"): EVERYBODY,
    ("POST", "/api/v1/alerts/{alert}/hold"): HOLDERS,
    ("POST", "/api/v1/holds/{hold}/release"): HOLDERS,
    ("POST", "/api/v1/rights"): OFFICERS,
    ("POST", "/api/v1/rights/{inquiry}/reply"): OFFICERS,
    ("GET", "/api/v1/schema"): EVERYBODY,
    ("GET", "/api/v1/schema/openapi.json"): EVERYBODY,
    ("GET", "/api/v1/schema/{path}"): EVERYBODY,
}
"""Every route with the roles that may call it; None = without a session. A new route must be entered here."""

STREAMS = {"/api/v1/events"}
FORBIDDEN = (
    "search|find|lookup|identif|recogni|compare|follow|track|history|footage|archive|export|similar|passer"
    "|emotion|ethnic|gender|intent|gait|plate|audio"
)


def inventory(app):
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            path = re.sub(r"^/static/.*", "/static", route.path_format) or "/"
            for method in route.methods - {"OPTIONS", "HEAD"}:
                yield method, path


def concrete(path):
    filled = {
        "{camera}": "north",
        "{alert_id}": str(uuid.uuid4()),
        "{entry_id}": str(uuid.uuid4()),
        "{path}": "unknown",
        "{step}": "unknown",
        **{
            name: str(uuid.uuid4())
            for name in ("{deployment}", "{photo}", "{run}", "{entry}", "{alert}", "{hold}", "{inquiry}")
        },
    }
    for name, value in filled.items():
        path = path.replace(name, value)
    return path


def test_every_route_is_in_the_inventory(app):
    assert set(inventory(app)) == set(ROUTES)


def test_d5_c6_no_route_offers_search_of_footage_or_following_of_people(app):
    offered = [f"{method} {path}" for method, path in inventory(app)]
    assert not [route for route in offered if re.search(FORBIDDEN, route)]


def test_d5_no_route_but_enrolment_takes_a_picture_and_no_query_names_a_person(app):
    schema = app.openapi_schema.to_schema()
    takes_files, queries = set(), set()
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
                takes_files.add((method, path))
            queries |= {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
    deployment = "/api/v1/deployments/{deployment}"
    assert takes_files == {
        ("post", "/api/v1/watchlist"),
        ("post", f"{deployment}/watchlist/imports"),
        ("post", f"{deployment}/watchlist/recheck"),  # statuses, no pictures
        ("post", f"{deployment}/signs"),  # signs at the place: no face is looked for
    }
    assert queries == {"after", "limit"}


@pytest.mark.parametrize(("method", "path"), [key for key, roles in ROUTES.items() if roles is not None])
async def test_without_a_session_nothing_is_answered(client, method, path):
    answer = await client.request(method, concrete(path))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:lfr:not-signed-in"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "wrong"])
async def test_a_token_that_is_none_of_ours_is_refused(client, header):
    assert (await client.get("/api/v1/status", headers={"authorization": header})).status_code == 401


async def test_each_role_gets_what_it_may_and_no_more(client, signed, house):
    for (method, path), roles in ROUTES.items():
        if roles is None or path in STREAMS or path == "/api/v1/sessions/current":
            continue
        for role in EVERYBODY:
            answer = await client.request(method, concrete(path), headers=signed.of(role))
            allowed = answer.status_code != 403
            assert allowed == (role in roles), (method, path, role, answer.status_code)
    assert not [asked for asked in house.control.asked if asked[0] == "revoke" and asked[2] == "some-auditor"]


@pytest.mark.parametrize("role", sorted(EVERYBODY))
async def test_a13_every_role_may_stop(client, signed, house, role):
    answer = await client.post("/api/v1/stop", headers=signed.of(role))
    assert (answer.status_code, answer.json()) == (200, {"state": "stopped"})
    assert house.control.asked == [("stop", f"some-{role}")]


async def test_a13_nothing_starts_it_again(app):
    assert not [path for _, path in inventory(app) if re.search(r"start|resume|restart", path)]


async def test_the_description_of_the_api_is_served_and_loads_nothing_from_elsewhere(client, signed):
    schema = await client.get("/api/v1/schema/openapi.json", headers=signed.auditor)
    described = {(m.upper(), p) for p, item in schema.json()["paths"].items() for m in item}
    assert described == {(m, p) for m, p in ROUTES if p.startswith("/api/v1/") and "schema" not in p}
    page = await client.get("/api/v1/schema", headers=signed.auditor)
    assert "/api/v1/alerts/{alert_id}/probe" in page.text
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page.text)
