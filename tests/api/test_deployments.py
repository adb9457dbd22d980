"""A deployment over the API, from its first title to a signed authority, and what is refused on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from tests.support.api import PASSWORD, House

Client = AsyncTestClient[Litestar]
TEXT = "Volunteers walk past the camera so that the parts can be seen at work."


def plan_of(made: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A plan in which nothing is missing under the demonstration policy."""
    starts = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    given = {
        "categories": ["volunteer"],
        "reasons": dict.fromkeys(
            ("objective", "legal_basis", "necessity", "proportionality", "less_intrusive", "expected_presence"), TEXT
        ),
        "place": {"title": "Yard", "polygon": [[-1.55, 53.79], [-1.54, 53.79], [-1.54, 53.80]]},
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=3)).isoformat(),
        "cameras": [{"camera": "north", "zone": [[0, 0], [1, 0], [1, 1], [0, 1]], "masks": []}],
        "people": {
            role: ["lead"]
            for role in ("authorising-officer", "watchlist-owner", "operator", "engagement-officer", "engineer",
                         "auditor", "data-protection-officer")
        },
    }  # fmt: skip
    return made["plan"] | given | changed


@pytest.fixture
async def lead(house: House) -> dict[str, str]:
    """Somebody who holds every role, with a rank of the demonstration policy."""
    from lfr.domain.policy import ROLES
    from lfr.services import users

    await users.add_user(house.db, "lead", ROLES, PASSWORD, rank="lead", must_change=False)
    return {"authorization": f"Bearer {await house.token('lead')}"}


async def made(client: Client, headers: dict[str, str]) -> dict[str, Any]:
    answer = await client.post(
        "/api/v1/deployments", json={"title": "Open day", "use_case": "demonstration"}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def planned(client: Client, headers: dict[str, str], **changed: Any) -> dict[str, Any]:
    draft = await made(client, headers)
    answer = await client.put(
        f"/api/v1/deployments/{draft['id']}/plan",
        json=plan_of(draft, **changed),
        headers=headers | {"if-match": f'"{draft["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_plan_fills_up_and_the_gates_name_what_is_left(client, lead):
    draft = await made(client, lead)
    assert (draft["state"], draft["steps"][0]) == ("draft", "submit")
    gates = (await client.get(f"/api/v1/deployments/{draft['id']}/gates", headers=lead)).json()
    missing = {one["rule"] for gate in gates["gates"] for one in gate["missing"]}
    assert gates["wanted"] == "submit"
    assert {"A2", "A3", "B1", "C1"} <= missing
    answer = await client.post(f"/api/v1/deployments/{draft['id']}/submit", json={}, headers=lead)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lfr:gate-closed"
    assert {one["rule"] for one in answer.json()["missing"]} <= missing


async def test_what_somebody_else_changed_is_not_overwritten(client, lead):
    draft = await made(client, lead)
    path = f"/api/v1/deployments/{draft['id']}/plan"
    for version, status in (("", 400), ('"99"', 409), (f'"{draft["version"]}"', 200), (f'"{draft["version"]}"', 409)):
        answer = await client.put(path, json=plan_of(draft), headers=lead | {"if-match": version})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("change", [{"use_case": "crowd-control"}, {"categories": ["people-of-interest"]}])
async def test_what_the_policy_does_not_have_cannot_be_planned(client, lead, change):
    draft = await made(client, lead)
    answer = await client.put(
        f"/api/v1/deployments/{draft['id']}/plan",
        json=plan_of(draft, **change),
        headers=lead | {"if-match": f'"{draft["version"]}"'},
    )
    assert answer.status_code == 422
    kept = (await client.get(f"/api/v1/deployments/{draft['id']}", headers=lead)).json()
    assert kept["plan"] == draft["plan"]


async def test_authorising_takes_the_password_once_more_and_a_wrong_one_ends_no_session(client, lead, house):
    ready = await planned(client, lead)
    path = f"/api/v1/deployments/{ready['id']}"
    submitted = await client.post(f"{path}/submit", json={"version": ready["version"]}, headers=lead)
    assert submitted.status_code == 200, submitted.text
    wrong = await client.post(f"{path}/authorise", json={"password": "not the right one"}, headers=lead)
    assert wrong.status_code == 403
    assert (await client.get("/api/v1/status", headers=lead)).status_code == 200
    bare = await client.post(f"{path}/authorise", json={}, headers=lead)
    assert bare.status_code == 422
    right = await client.post(f"{path}/authorise", json={"password": PASSWORD}, headers=lead)
    assert right.status_code == 200, right.text
    body = right.json()
    assert body["state"] == "authorised"
    assert [one["title"] for one in body["decisions"]] == ["Authority given"]


async def test_a_step_that_does_not_exist_and_a_deployment_of_nobody(client, lead):
    draft = await made(client, lead)
    assert (await client.post(f"/api/v1/deployments/{draft['id']}/follow", json={}, headers=lead)).status_code == 404
    other = "6f7d1c9e-4a0c-5d27-9a39-3f4b8a1d2c60"
    assert (await client.get(f"/api/v1/deployments/{other}", headers=lead)).status_code == 404


async def test_the_policy_is_there_for_everybody_to_read(client, signed):
    policy = (await client.get("/api/v1/policy", headers=signed.auditor)).json()
    assert policy["name"] == "demo"
    assert len(policy["digest"]) == 64
