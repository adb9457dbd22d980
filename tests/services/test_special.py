"""Children and lesser cases: who must sign before they may be listed (B3, B8)."""

from datetime import timedelta

import msgspec
import pytest

from lfr.domain.errors import AuthorityError, Conflict, NotFound, SignatureInvalid
from lfr.domain.signing import public_key_of
from lfr.services import entries, list_state, special
from lfr.storage.columns import now
from lfr.storage.models import Deployment
from tests.support.listing import deployment_under, loose, put
from tests.support.office import Office

POLICY = loose(ages={"minors": True})
SOON = (now() - timedelta(days=1), now() + timedelta(days=1))
CHILD = {"date_of_birth": f"{now().year - 15}-01-01", "safeguarding": "With the children's services"}
YOUNG = {"date_of_birth": f"{now().year - 9}-01-01", "safeguarding": "With the children's services"}
LESSER = {"max_sentence_years": "0.5"}
REASON = "Missing from care, last seen at this station."


@pytest.fixture
def office():
    return Office(POLICY)


@pytest.fixture
async def deployment_id(store):
    return await deployment_under(store, POLICY)


@pytest.fixture
def sign(store, office, deployment_id):
    """Draw up, sign and give a decision about an entry."""

    async def use(entry_id, officer, /, words=REASON, **changed):
        said = await special.draft(store.db, deployment_id, entry_id, officer.name, words)
        said = msgspec.structs.replace(said, **changed)
        return await special.decide(
            store.db, deployment_id, officer.endorse(said), policy=POLICY, registrar=public_key_of(office.registrar)
        )

    return use


async def open_counts(store, deployment_id):
    found = await list_state.governance(store.db, deployment_id, POLICY, now())
    return found.minors_undecided, found.children_unapproved, found.low_undecided


def officers(office):
    return {
        "sergeant": office.officer("sam", "sergeant", valid=SOON),
        "superintendent": office.officer("olga", "superintendent", valid=SOON),
        "chief": office.officer("carl", "assistant-chief-constable", valid=SOON),
    }


@pytest.mark.rule("B8")
async def test_a_child_needs_the_officers_signature(store, office, deployment_id, sign):
    entry_id = (await put(store, deployment_id, POLICY, "Kim", 1, **CHILD)).entry_id
    by = officers(office)
    assert await open_counts(store, deployment_id) == (1, 0, 0)
    with pytest.raises(AuthorityError, match="rank"):
        await sign(entry_id, by["sergeant"])
    assert await special.waiting(store.db, deployment_id, POLICY) == {entry_id: "B8: minor"}
    assert await sign(entry_id, by["superintendent"]) is True
    assert await open_counts(store, deployment_id) == (0, 0, 0)
    assert await special.waiting(store.db, deployment_id, POLICY) == {}
    with pytest.raises(Conflict, match="needs no signature"):
        await sign(entry_id, by["chief"])


@pytest.mark.rule("B8")
async def test_the_youngest_need_the_higher_rank_and_a_second_officer(store, office, deployment_id, sign):
    entry_id = (await put(store, deployment_id, POLICY, "Lou", 1, **YOUNG)).entry_id
    by = officers(office)
    with pytest.raises(AuthorityError, match="rank"):
        await sign(entry_id, by["superintendent"])
    assert await sign(entry_id, by["chief"]) is False
    assert await open_counts(store, deployment_id) == (0, 1, 0)
    with pytest.raises(AuthorityError, match="same officer"):
        await sign(entry_id, by["chief"], "I approve what I decided.")
    assert await sign(entry_id, by["superintendent"]) is True
    assert await open_counts(store, deployment_id) == (0, 0, 0)


@pytest.mark.rule("B3")
async def test_a_lesser_case_needs_a_second_signature(store, office, deployment_id, sign):
    entry_id = (await put(store, deployment_id, POLICY, "Max", 1, **LESSER)).entry_id
    assert await open_counts(store, deployment_id) == (0, 0, 1)
    assert await sign(entry_id, officers(office)["superintendent"]) is True
    assert await open_counts(store, deployment_id) == (0, 0, 0)


@pytest.mark.rule("B8")
async def test_a_signature_counts_only_for_what_was_signed(store, office, deployment_id, sign):
    entry_id = (await put(store, deployment_id, POLICY, "Kim", 1, **CHILD)).entry_id
    grown = (await put(store, deployment_id, POLICY, "Pat", 2)).entry_id
    olga = officers(office)["superintendent"]
    for changed, error in (
        ({"leaf": "0" * 64}, AuthorityError),
        ({"age_band": "adult"}, AuthorityError),
        ({"reason": "  "}, AuthorityError),
        ({"officer": "carl"}, SignatureInvalid),
        ({"at": now().replace(microsecond=0) + timedelta(hours=1)}, AuthorityError),
        ({"entry_id": grown}, Conflict),
    ):
        with pytest.raises(error):
            await sign(entry_id, olga, **changed)
    stranger = Office(POLICY).officer("olga", valid=SOON)
    with pytest.raises(SignatureInvalid):
        await sign(entry_id, stranger)
    assert await open_counts(store, deployment_id) == (1, 0, 0)
    # A picture added later was not signed for.
    assert await sign(entry_id, olga) is True
    assert (await put(store, deployment_id, POLICY, "Kim", 9, **CHILD)).enrolled
    assert await open_counts(store, deployment_id) == (1, 0, 0)


async def test_nothing_to_sign_for(store, office, deployment_id, sign):
    entry_id = (await put(store, deployment_id, POLICY, "Kim", 1, **CHILD)).entry_id
    await entries.revoke(store.db, deployment_id, entry_id, by="ann")
    with pytest.raises(Conflict, match="taken off"):
        await sign(entry_id, officers(office)["superintendent"])
    async with store.db.session() as session:
        other = (await session.get(Deployment, store.deployment_id)).id
    with pytest.raises(NotFound):
        await special.draft(store.db, other, entry_id, "olga", REASON)
