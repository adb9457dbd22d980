"""The officer's look into the ledger over the API, and who may keep evidence."""

import pytest

from lfr.domain.ledger import Membership
from lfr.services import entries, ledger, policies
from lfr.storage.columns import now
from tests.support.quick import quicken

WORDS = "the ledger's own pass phrase"


@pytest.fixture
async def officer(house, monkeypatch):
    """The headers of a data protection officer with a ledger key."""
    quicken(monkeypatch)
    await house.user("dana", "data-protection-officer")
    await ledger.init(house.db, "dana", WORDS, by="dana")
    return {"authorization": f"Bearer {await house.token('dana')}"}


@pytest.mark.rule("B13")
async def test_the_officer_sees_when_somebody_was_listed_and_taken_off(client, house, officer, signed):
    entry, at = await house.entry("Ada"), now()
    async with house.db.transaction() as session:
        person = Membership(entry, "V/1", "volunteer", "asked to", "Consent", at)
        await ledger.record(session, house.deployment_id, [person], policy=policies.load("demo"))
    question = {"reference": "v / 1", "password": WORDS}
    assert (await client.post("/api/v1/rights", json=question, headers=signed.engineer)).status_code == 403
    wrong = await client.post("/api/v1/rights", json=question | {"password": "no"}, headers=officer)
    assert (wrong.status_code, wrong.json()["detail"]) == (403, "the ledger's password is wrong")
    (still,) = (await client.post("/api/v1/rights", json=question, headers=officer)).json()["memberships"]
    assert (still["category"], still["taken_off_at"]) == ("volunteer", None)
    await entries.revoke(house.db, house.deployment_id, entry, by="olga")
    found = (await client.post("/api/v1/rights", json=question, headers=officer)).json()
    (one,) = found["memberships"]
    assert one["listed_at"] == still["listed_at"] < one["taken_off_at"]
    answer = await client.post(f"/api/v1/rights/{found['id']}/reply", json={"reply": "confirm"}, headers=officer)
    assert answer.json()["letter"].startswith("You were on a watchlist.")


@pytest.mark.rule("G2")
async def test_an_operator_keeps_no_evidence_and_an_engineer_does(client, house, signed):
    alert = await house.alert(await house.entry("Ada"))
    asked = {"reason": "own-request", "owner": "Ann", "days": 3}
    for headers, status in ((signed.operator, 403), (signed.engineer, 201)):
        answer = await client.post(f"/api/v1/alerts/{alert}/hold", json=asked, headers=headers)
        assert answer.status_code == status, answer.text
    (held,) = (await client.get("/api/v1/retention", headers=signed.auditor)).json()["holds"]
    assert (held["alert_id"], held["placed_by"]) == (str(alert), "some-engineer")
