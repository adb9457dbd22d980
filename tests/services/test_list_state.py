"""The digest of a stored list, its approval and amendments, and the facts that the gates ask for."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from lfr.domain.errors import Conflict
from lfr.domain.list_digest import digest_of
from lfr.services import entries, listed, policies, watchlist
from lfr.services.sealing import TEMPLATE, list_ring
from lfr.storage.models import WatchlistEntry, WatchlistImage

UK, DEMO = policies.load("uk-default"), policies.load("demo")
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
GOOD = {
    "category": "wanted-by-court", "action": "arrest-check", "age_band": "adult", "placed": True,
    "max_sentence_years": 5.0, "checked_at": AT, "checked_by": "bea", "status_at": AT, "added_at": AT,
    "review_on": date(2027, 1, 1), "added_by": "ann",
}  # fmt: skip
PICTURE = {
    "source": "custody", "lawful_hold": "convicted", "taken_on": date(2025, 1, 1), "hold_review_on": date(2027, 1, 1),
    "face_px": 90.0, "sharpness": 50.0, "score": 0.9, "dim": 4, "picture_sealed": b"-",
}  # fmt: skip


@pytest.fixture
def put(store):
    """Put one entry with one picture on the list, in good order but for what is changed."""

    async def use(picture=None, **changed):
        entry = WatchlistEntry(
            deployment_id=store.deployment_id, label_sealed=None, label_mac=uuid4().bytes,
            **(GOOD | changed),
        )  # fmt: skip
        await store.vault.make(list_ring(store.deployment_id), [entry.id])
        image = WatchlistImage(
            deployment_id=store.deployment_id, entry_id=entry.id, picture_mac=uuid4().bytes, template_sealed=b"",
            **(PICTURE | (picture or {})),
        )  # fmt: skip
        image.template_sealed = store.vault.seal(bytes(16), owner=entry.id, purpose=TEMPLATE, object_id=image.id)
        async with store.db.transaction() as session:
            session.add(entry)
            session.add(image)
        return entry.id

    return use


async def facts(store, policy=UK, at=AT, **options):
    return await watchlist.governance(store.db, store.deployment_id, policy, at, **options)


async def approve(store):
    """What the rows hold once the Authorising Officer has signed: the digest that is signed."""
    async with store.db.transaction() as session:
        found = await listed.list_digest(session, store.deployment_id)
        await listed.keep_leaves(session, found)
        return found.digest


async def test_a_list_in_good_order(store, put):
    for _ in range(3):
        await put()
    found = await facts(store, fmr_upper=5e-10)
    assert (found.entries, found.images, found.n_max, found.cap, found.over_budget) == (3, 3, 20_000, 20_000, 0)
    assert (found.digest, found.pending) == (digest_of([]), 3)
    signed = await approve(store)
    found = await facts(store)
    assert (found.digest, found.pending) == (signed, 0)
    assert signed == (await watchlist.digest(store.db, store.deployment_id)).digest
    assert (found.by_category, found.by_age_band) == ({"wanted-by-court": 3}, {"adult": 3})
    assert found.oldest_status == AT
    wrong = ("outside", "stale", "unchecked", "expired", "overheld", "unplaced", "minors", "minors_undecided",
             "children_unapproved", "low_undecided", "unsafe", "alike")  # fmt: skip
    assert {name: getattr(found, name) for name in wrong} == dict.fromkeys(wrong, 0)


async def test_an_empty_list(store):
    found = await facts(store)
    assert (found.entries, found.images, found.oldest_status, found.n_max) == (0, 0, None, None)


BAD = [
    ("outside", {"category": "person-of-interest"}, {}),
    ("outside", {"category": "victim-or-witness", "action": "welfare-check"}, {}),
    ("outside", {"action": "welfare-check"}, {}),
    ("outside", {}, {"source": "passport"}),
    ("stale", {"status_at": AT - timedelta(hours=24, seconds=1)}, {}),
    ("unchecked", {"checked_at": None}, {}),
    ("expired", {"review_on": date(2026, 11, 23)}, {}),
    ("expired", {"expires_on": date(2026, 11, 23)}, {}),
    ("overheld", {}, {"hold_review_on": date(2026, 11, 23)}),
    ("overheld", {}, {"unconvicted": True, "taken_on": date(2020, 11, 23)}),
    ("unplaced", {"placed": False}, {}),
    ("minors_undecided", {"age_band": "minor"}, {}),
    ("minors_undecided", {"age_band": "unknown"}, {}),
    ("children_unapproved", {"age_band": "young-child", "special_decision": uuid4()}, {}),
    ("low_undecided", {"max_sentence_years": 0.99}, {}),
    ("unsafe", {"vulnerable": True}, {}),
    ("alike", {"alike": uuid4()}, {}),
]


@pytest.mark.rule("A5")
@pytest.mark.rule("B1")
@pytest.mark.rule("B2")
@pytest.mark.rule("B3")
@pytest.mark.rule("B4")
@pytest.mark.rule("B5")
@pytest.mark.rule("B7")
@pytest.mark.rule("B8")
@pytest.mark.rule("B9")
@pytest.mark.rule("B11")
async def test_what_is_not_in_order_is_counted(store, put):
    await put()
    bad = [await put(picture, **changed) for _, changed, picture in BAD]
    found = await facts(store)
    assert {name: getattr(found, name) for name, _, _ in BAD} == Counter(name for name, _, _ in BAD)
    for entry_id in bad:
        await entries.revoke(store.db, store.deployment_id, entry_id, by="ann")
    found = await facts(store)
    assert not any(getattr(found, name) for name, _, _ in BAD)


@pytest.mark.rule("B4")
async def test_a_status_of_exactly_a_day_ago_will_do(store, put):
    await put(status_at=AT - timedelta(hours=24))
    assert (await facts(store)).stale == 0


async def test_the_demonstration_asks_for_less(store, put):
    await put({"source": "volunteer"}, category="volunteer", action="greet", age_band="unknown", checked_at=None)
    found = await facts(store, DEMO)
    assert (found.unchecked, found.minors, found.outside) == (0, 0, 0)


async def test_a_decision_settles_a_child_and_a_lesser_case(store, put):
    await put(age_band="minor", special_decision=uuid4())
    await put(age_band="young-child", special_decision=uuid4(), special_approval=uuid4())
    await put(max_sentence_years=0.5, special_decision=uuid4())
    found = await facts(store)
    assert (found.minors, found.minors_undecided, found.children_unapproved, found.low_undecided) == (2, 0, 0, 0)


async def test_the_digest_before_and_after_the_approval(store, put):
    first = await put()
    await put()
    one = await watchlist.digest(store.db, store.deployment_id)
    assert (one.entries, one.images, len(one.leaves)) == (2, 2, 2)
    await entries.revoke(store.db, store.deployment_id, first, by="ann")
    two = await watchlist.digest(store.db, store.deployment_id)
    assert (two.entries, two.images, len(two.leaves)) == (1, 1, 1)
    assert one.digest != two.digest
    third = await put()
    signed = await approve(store)
    await entries.revoke(store.db, store.deployment_id, third, by="ann")
    # A signed leaf stays although the person is gone: the approval can still be checked.
    after = await watchlist.digest(store.db, store.deployment_id)
    assert (after.digest, after.entries, after.images) == (signed, 1, 1)


async def load(store, approved):
    items = await watchlist.load_gallery(store.db, store.vault, store.deployment_id, approved=approved)
    return {item.entry_id for item in items}


async def test_an_approved_list_loads_and_a_removal_needs_no_signature(store, put):
    one, two = await put(), await put()
    signed = await approve(store)
    assert await load(store, signed) == {one, two}
    await entries.revoke(store.db, store.deployment_id, one, by="ann")
    assert await load(store, signed) == {two}


async def test_an_addition_is_not_matched_before_somebody_signed_for_it(store, put):
    one = await put()
    signed = await approve(store)
    two = await put()
    assert await load(store, signed) == {one}
    assert (await facts(store)).pending == 1
    amended = await approve(store)
    assert await load(store, amended) == {one, two}
    with pytest.raises(Conflict, match="not the one that was approved"):
        await load(store, signed)


TAMPERED = [
    (WatchlistEntry, {"category": "missing-at-risk"}),
    (WatchlistEntry, {"action": "speak-to"}),
    (WatchlistImage, {"template_sealed": b"another template"}),
    (WatchlistImage, {"template_sealed": None}),
    (WatchlistEntry, {"leaf": digest_of([])}),
    (WatchlistEntry, {"leaf": None}),
]


async def test_a_tampered_list_does_not_load(store, put):
    await put()
    await put()
    signed = await approve(store)
    for table, values in TAMPERED:
        async with store.db.transaction() as session:
            row = (await session.exec(select(table).limit(1))).one()
            before = {name: getattr(row, name) for name in values}
            for name, value in values.items():
                setattr(row, name, value)
        with pytest.raises(Conflict):
            await load(store, signed)
        async with store.db.transaction() as session:
            session.add(row)
            for name, value in before.items():
                setattr(row, name, value)
    assert len(await load(store, signed)) == 2


async def test_whoever_was_taken_off_or_put_in_by_hand_is_noticed(store, put):
    one = await put()
    signed = await approve(store)
    added = await put()
    async with store.db.transaction() as session:
        (await session.get(WatchlistEntry, added)).leaf = digest_of([])
    with pytest.raises(Conflict, match="not the one that was approved"):
        await load(store, signed)
    await entries.revoke(store.db, store.deployment_id, one, by="ann")
    async with store.db.transaction() as session:
        (await session.get(WatchlistEntry, added)).leaf = None
        (await session.get(WatchlistEntry, one)).revoked_at = None
    with pytest.raises(Conflict, match="not as it was approved"):
        await load(store, signed)
