"""Who was listed is remembered without a face, opened by one officer alone, and answered alike to all (B13)."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from lfr.domain.errors import Conflict, NotAllowed, NotFound, NotSignedIn, VaultError
from lfr.domain.ledger import Listed, Membership, Reply, letter, normalised
from lfr.services import deployments, ledger, policies, retention, users
from lfr.storage.columns import now
from lfr.storage.models import AuditEntry, LedgerEntry, LedgerKey, LedgerReply
from tests.support.kept import keep, rows
from tests.support.quick import quicken

POLICY = policies.load("uk-default")
WORDS = "three plain words and more"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    quicken(monkeypatch)


def person(reference="WA/123/20", **changed):
    given = {
        "entry_id": uuid4(), "reference": reference, "category": "wanted-by-court", "reason": "warrant of 3 May",
        "legal_basis": "Bail Act 1976 s.7", "listed_at": now(),
    }  # fmt: skip
    return Membership(**given | changed)


async def remember(store, *people, at=None):
    async with store.db.transaction() as session:
        return await ledger.record(session, store.deployment_id, people, policy=POLICY, at=at)


@pytest.fixture
async def office(store):
    """A data protection officer with a ledger."""
    await users.add_user(store.db, "dana", "data-protection-officer")
    await users.add_user(store.db, "olga", "operator")
    await ledger.init(store.db, "dana", WORDS, by="dana")
    return store


async def ask(store, reference="WA/123/20", password=WORDS, officer="dana"):
    return await ledger.ask(store.db, officer, password, reference)


@pytest.mark.rule("B13")
async def test_after_the_close_membership_is_known_and_no_face(office):
    kept = await keep(office)
    one = person(entry_id=kept.entries[0].entry_id)
    assert await remember(office, one, person("WA/999/21"))
    await deployments.end(office.db, office.deployment_id, by=deployments.SYSTEM)
    await retention.close(office.db, office.vault, office.deployment_id, reason="closed")
    (found,) = (await ask(office)).memberships
    assert (found.category, found.reason, found.legal_basis) == (one.category, one.reason, one.legal_basis)
    assert found.listed_at == one.listed_at
    assert found.deployment_id == office.deployment_id
    assert found.title == "van"
    assert found.taken_off_at is not None
    assert (await ask(office, "WA/124/20")).memberships == ()


@pytest.mark.rule("B13")
@pytest.mark.parametrize("written", ["wa/123/20", " WA / 123 / 20 ", "\uff37\uff21/123/20"])
async def test_a_reference_is_found_however_it_is_written(office, written):
    await remember(office, person())
    assert len((await ask(office, written)).memberships) == 1


@pytest.mark.rule("B13")
async def test_only_the_officer_opens_it(office):
    await remember(office, person())
    for officer, password, error in (
        ("olga", WORDS, NotAllowed),
        ("nobody", WORDS, NotAllowed),
        ("dana", "not these plain words", NotSignedIn),
        ("dana", "", NotSignedIn),
    ):
        with pytest.raises(error) as failed:
            await ask(office, officer=officer, password=password)
        assert failed.value.hint
        with pytest.raises(error):
            await ledger.replies(office.db, officer, password)
    refused = [entry for entry in await rows(office.db, AuditEntry) if entry.kind == "ledger.refused"]
    assert [entry.payload for entry in refused] == [{}] * len(refused)
    assert refused


@pytest.mark.rule("B13")
async def test_the_database_alone_tells_nothing(office):
    """Neither a word of it, nor whether a known reference is in it: also after the officer has looked."""
    await remember(office, person(), person())
    await ask(office)
    stored = await rows(office.db, LedgerEntry)
    blob = b"".join(row.sealed + (row.mac or b"") for row in stored) + b"".join(
        key.wrapped for key in await rows(office.db, LedgerKey)
    )
    for word in (b"WA/123/20", b"wanted", b"warrant", b"Bail"):
        assert word not in blob
    assert len({row.sealed for row in stored}) == 2
    assert {row.mac for row in stored} != {None}
    assert len({len(row.sealed) for row in stored}) == 1


@pytest.mark.rule("B13")
async def test_nobody_can_tell_a_reference_before_the_officer_looks(office):
    await remember(office, person())
    assert [row.mac for row in await rows(office.db, LedgerEntry)] == [None]
    await ask(office, "WA/OTHER")
    assert [len(row.mac) for row in await rows(office.db, LedgerEntry)] == [32]


@pytest.mark.rule("B13")
async def test_all_replies_look_alike_to_everybody_else(office):
    await remember(office, person())
    listed, unlisted = await ask(office), await ask(office, "WA/0/0")
    await ledger.reply(office.db, listed, "confirm", policy=POLICY)
    await ledger.reply(
        office.db, listed, "neither-confirm-nor-deny", reason="would harm an investigation", policy=POLICY
    )
    await ledger.reply(office.db, unlisted, "not-listed", reason="x" * 5000, policy=POLICY)
    stored = await rows(office.db, LedgerReply)
    assert len({len(row.sealed) for row in stored}) == 1
    assert len({row.expires_at - row.made_at for row in stored}) == 1
    log = [entry for entry in await rows(office.db, AuditEntry) if entry.kind.startswith("ledger.")]
    told = [(entry.kind, entry.actor, entry.payload) for entry in log if entry.kind != "ledger.key-made"]
    assert sorted(told) == [("ledger.asked", "dana", {})] * 2 + [("ledger.replied", "dana", {})] * 3
    found = await ledger.replies(office.db, "dana", WORDS)
    assert [(one.choice, one.memberships) for one in found] == [
        ("confirm", 1), ("neither-confirm-nor-deny", 1), ("not-listed", 0),
    ]  # fmt: skip
    assert all(isinstance(one, Reply) for one in found)


@pytest.mark.rule("B13")
async def test_a_reply_that_is_not_true_is_refused(office):
    await remember(office, person())
    listed, unlisted = await ask(office), await ask(office, "WA/0/0")
    for inquiry, choice, reason in (
        (unlisted, "confirm", ""),
        (listed, "not-listed", ""),
        (listed, "neither-confirm-nor-deny", ""),
        (unlisted, "neither-confirm-nor-deny", "no comment"),
    ):
        with pytest.raises(Conflict) as failed:
            await ledger.reply(office.db, inquiry, choice, reason=reason, policy=POLICY)
        assert failed.value.hint
    assert await rows(office.db, LedgerReply) == []


@pytest.mark.rule("B13")
async def test_it_has_its_own_period_from_the_policy(office):
    at = now()
    await remember(office, person(), at=at)
    await ledger.reply(office.db, await ask(office), "confirm", policy=POLICY)
    year = POLICY.retention.ledger_months * ledger.MONTH
    (row,) = await rows(office.db, LedgerEntry)
    assert row.expires_at - at == year == timedelta(days=365.25)
    await retention.due(office.db, office.vault, POLICY, row.expires_at - timedelta(seconds=1))
    assert len((await ask(office)).memberships) == 1
    await retention.due(office.db, office.vault, POLICY, row.expires_at + timedelta(minutes=5))
    assert await rows(office.db, LedgerEntry) == await rows(office.db, LedgerReply) == []
    gone = [entry.payload for entry in await rows(office.db, AuditEntry) if entry.kind == "ledger.expired"]
    assert gone == [{"rows": 2}]


async def test_without_a_ledger_nothing_is_remembered_and_it_is_said(store):
    assert not await ledger.ready(store.db)
    assert not await remember(store, person())
    await users.add_user(store.db, "dana", "data-protection-officer")
    with pytest.raises(NotFound) as failed:
        await ask(store)
    assert "lfr ledger init" in failed.value.hint


async def test_only_an_officer_gets_a_key_and_no_weak_password(office):
    with pytest.raises(NotAllowed):
        await ledger.init(office.db, "olga", WORDS, by="olga")
    with pytest.raises(Conflict):
        await ledger.init(office.db, "dana", "short", by="dana")
    assert len(await rows(office.db, LedgerKey)) == 1


@pytest.mark.rule("B13")
async def test_a_successor_reads_what_comes_and_what_was_with_both_passwords(office):
    await remember(office, person())
    await users.add_user(office.db, "dora", "data-protection-officer")
    await ledger.init(office.db, "dora", "other plain words, too", by="dora")
    await remember(office, person())
    assert len((await ask(office, officer="dora", password="other plain words, too")).memberships) == 1
    assert len((await ask(office)).memberships) == 1


async def test_another_password(office):
    await remember(office, person())
    await ledger.change_password(office.db, "dana", WORDS, "quite other plain words")
    with pytest.raises(NotSignedIn):
        await ask(office)
    assert len((await ask(office, password="quite other plain words")).memberships) == 1
    with pytest.raises(NotSignedIn):
        await ledger.change_password(office.db, "dana", WORDS, "quite other plain words")


async def test_a_changed_or_moved_row_is_noticed(office):
    await remember(office, person(), person("WA/2/2"))
    async with office.db.transaction() as session:
        one, two = (await session.exec(select(LedgerEntry))).all()
        one.sealed, two.sealed = two.sealed, one.sealed
    with pytest.raises(VaultError, match="does not open"):
        await ask(office)


async def test_more_rows_than_one_batch_are_indexed(office, monkeypatch):
    monkeypatch.setattr(ledger, "_BATCH", 7)
    await remember(office, *(person(f"WA/{number}/26") for number in range(30)))
    assert len((await ask(office, "WA/29/26")).memberships) == 1
    assert all(row.mac for row in await rows(office.db, LedgerEntry))


@pytest.mark.parametrize("reference", ["", "   ", "\x00", "x" * 2001])
async def test_what_is_no_reference(office, reference):
    with pytest.raises(Conflict) as failed:
        await ask(office, reference)
    assert failed.value.hint


@pytest.mark.rule("B13")
def test_the_words_of_a_reply():
    assert normalised(" wa/1 ") == "WA/1"
    assert "neither confirm nor deny" in letter("neither-confirm-nor-deny", (), 12)
    assert "12 months" in letter("not-listed", (), 12)
    over = Listed(uuid4(), "", "missing", "", "Common law", now() - timedelta(days=9), now())
    assert "You were on a watchlist. No picture or template" in letter("confirm", [over], 12)
    # Of somebody who is still listed there is a picture: the letter must not deny it.
    still = letter("confirm", [over, replace(over, taken_off_at=None)], 12)
    assert still.startswith("You are on a watchlist")
    assert "No picture" not in still
