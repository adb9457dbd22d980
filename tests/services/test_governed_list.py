"""Listing under a force's rules: what is stored of a row, what refuses it, and that a refused batch leaves nothing."""

import csv
import io
import zipfile
from collections import Counter

import msgspec
import pytest
from sqlmodel import select

from lfr.domain.errors import Conflict, WatchlistError
from lfr.domain.listing import FIELDS, Details
from lfr.services import entries, ledger, listed, policies, retention, status_feed, users, watchlist
from lfr.services.sealing import DETAILS
from lfr.storage.models import AuditEntry, Deployment, LedgerEntry, StoredObject, WatchlistEntry, WatchlistImage
from lfr.vision.engine.double import DoubleEngine
from tests.support.listing import PACK, ROW, deployment_under, loose, marker, put
from tests.support.quick import quicken

POLICY = loose()
PASSWORD = "correct horse battery staple"


@pytest.fixture
async def deployment_id(store):
    return await deployment_under(store, POLICY)


async def rows_of(store, table):
    async with store.db.session() as session:
        return (await session.exec(select(table))).all()


def sheet(folder, rows):
    for label, image, _ in rows:
        (folder / image).write_bytes(marker(sum(label.encode()), 0))
    path = folder / "list.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["label", "image", *FIELDS])
        writer.writeheader()
        writer.writerows({"label": label, "image": image, **fields} for label, image, fields in rows)
    return path


async def take_in(store, deployment_id, path, policy=POLICY, **options):
    return await watchlist.import_list(
        store.db, store.vault, [DoubleEngine(PACK)], deployment_id, PACK, path, by="ann", policy=policy, **options
    )


@pytest.mark.rule("B2")
@pytest.mark.rule("B5")
async def test_what_is_stored_of_a_row(store, deployment_id):
    result = await put(store, deployment_id, POLICY, "Ada", 3, date_of_birth="1980-02-29", expires_on="2099-12-31")
    assert result.enrolled
    (entry,), (image,) = await rows_of(store, WatchlistEntry), await rows_of(store, WatchlistImage)
    assert (entry.category, entry.action, entry.legal_basis) == ("wanted-by-court", "arrest-check", "Bail Act 1976 s.7")
    assert (entry.offence, entry.max_sentence_years, entry.age_band) == ("TH68001", 7.0, "adult")
    assert (entry.placed, entry.vulnerable, str(entry.expires_on)) == (True, False, "2099-12-31")
    assert entry.status_at == entry.added_at
    assert (entry.leaf, entry.checked_at) == (None, None)
    assert (image.source, image.lawful_hold, image.unconvicted) == ("custody", "wanted", False)
    assert (str(image.taken_on), str(image.hold_review_on)) == ("2024-01-01", "2099-01-01")
    plain = store.vault.open(entry.details_sealed, owner=entry.id, purpose=DETAILS, object_id=entry.id)
    details = msgspec.json.decode(plain, type=Details)
    assert (details.nominal_ref, details.reason, str(details.date_of_birth)) == (
        "N/Ada",
        "Failed to appear",
        "1980-02-29",
    )
    # Nothing that says who it is stands in the clear, in a row or in the log.
    shown = str([entry.model_dump(), image.model_dump(), [row.payload for row in await rows_of(store, AuditEntry)]])
    for secret in ("Ada", "N/Ada", "1980", "Failed to appear", "Fridays", "W/77"):
        assert secret not in shown


@pytest.mark.rule("B1")
@pytest.mark.rule("B11")
@pytest.mark.parametrize("bad", [{"category": "person-of-interest"}, {"source": "passport"}])
async def test_a_batch_outside_the_policy_leaves_nothing(store, deployment_id, tmp_path, bad):
    path = sheet(tmp_path, [("Ada", "a.png", ROW), ("Bea", "b.png", ROW | {"nominal_ref": "N/2"} | bad)])
    with pytest.raises(WatchlistError, match="nothing was imported: row 2"):
        await take_in(store, deployment_id, path)
    for table in (WatchlistEntry, WatchlistImage, StoredObject):
        assert await rows_of(store, table) == []
    told = [row for row in await rows_of(store, AuditEntry) if row.kind.startswith("watchlist")]
    assert [(row.kind, row.actor) for row in told] == [("watchlist.import-refused", "ann")]


async def test_each_row_is_judged_by_itself_with_every_reason(store, deployment_id, tmp_path):
    path = sheet(
        tmp_path,
        [
            ("Ada", "a.png", ROW),
            ("Bea", "b.png", ROW | {"nominal_ref": "N/2", "date_of_birth": "2010-01-01", "reason": ""}),
            ("Cy", "c.png", ROW | {"nominal_ref": "N/3", "hold_review_on": "2020-01-01"}),
            ("Di", "d.png", ROW),
            ("Ed", "e.png", ROW | {"nominal_ref": "N/5", "max_sentence_years": "0.5", "taken_on": "1920-01-01"}),
        ],
    )
    report = await take_in(store, deployment_id, path)
    assert [(row.entry, row.enrolled) for row in report.rows] == [
        ("Ada", True), ("Bea", False), ("Cy", False), ("Di", False), ("Ed", True),
    ]  # fmt: skip
    assert [{fault.rule for fault in row.faults} for row in report.rows] == [set(), {"B2", "B8"}, {"B5"}, {"B7"}, set()]
    assert Counter(said[:2] for said in report.rows[4].warnings) == {"B3": 1, "B6": 1}


@pytest.mark.rule("B10")
async def test_one_entry_too_many_is_refused(store, tmp_path):
    policy = loose(watchlist={"cap": 2, "bands": (1, 2)})
    deployment_id = await deployment_under(store, policy)
    rows = [(label, f"{label}.png", ROW | {"nominal_ref": f"N/{label}"}) for label in ("Ada", "Bea", "Cy")]
    report = await take_in(store, deployment_id, sheet(tmp_path, rows), policy)
    assert [row.refusal for row in report.rows] == [None, None, "list full"]
    # A further picture of a listed person is no further person.
    assert (await put(store, deployment_id, policy, "Ada", 90)).enrolled


@pytest.mark.rule("B7")
async def test_duplicate_references_and_changed_entries_are_refused(store, deployment_id):
    assert (await put(store, deployment_id, POLICY, "Ada", 1)).enrolled
    other = await put(store, deployment_id, POLICY, "Adeline", 2, nominal_ref="n / Ada")
    assert (other.refusal, other.faults[0].rule) == ("conflicting", "B7")
    for changed in (
        {"nominal_ref": "N/9"},
        {"category": "risk-of-harm", "action": "speak-to", "legal_basis": "Common law"},
    ):
        again = await put(store, deployment_id, POLICY, "Ada", 3, **changed)
        assert again.refusal == "conflicting"
    assert len(await rows_of(store, WatchlistImage)) == 1


@pytest.mark.rule("B7")
async def test_a_new_picture_makes_the_confirmation_void_and_an_approved_entry_takes_none(store, deployment_id):
    entry_id = (await put(store, deployment_id, POLICY, "Ada", 1)).entry_id
    async with store.db.transaction() as session:
        entry = await session.get(WatchlistEntry, entry_id)
        entry.checked_at, entry.checked_by = entry.added_at, "bea"
    assert (await put(store, deployment_id, POLICY, "Ada", 2)).enrolled
    (entry,) = await rows_of(store, WatchlistEntry)
    assert (entry.checked_at, entry.checked_by) == (None, None)
    async with store.db.transaction() as session:
        await listed.keep_leaves(session, await listed.list_digest(session, deployment_id))
    refused = await put(store, deployment_id, POLICY, "Ada", 3)
    assert refused.refusal == "conflicting"
    assert "approved" in refused.detail


async def test_nothing_is_listed_under_another_policy_or_after_the_end(store, deployment_id):
    with pytest.raises(Conflict, match="another version of the policy"):
        await put(store, deployment_id, policies.load("demo"), "Ada", 1)
    async with store.db.transaction() as session:
        (await session.get(Deployment, deployment_id)).state = "ended"
    with pytest.raises(Conflict, match="is over"):
        await put(store, deployment_id, POLICY, "Ada", 1)


async def test_an_upload_is_read_from_memory(store, deployment_id, tmp_path):
    held = io.BytesIO()
    path = sheet(tmp_path, [("Ada", "a.png", ROW)])
    with zipfile.ZipFile(held, "w") as archive:
        archive.write(path, "list.csv")
        archive.write(tmp_path / "a.png", "a.png")
    whole = held.getvalue()
    with pytest.raises(WatchlistError, match="no whole ZIP"):
        await take_in(store, deployment_id, whole[: len(whole) // 2])
    assert await rows_of(store, WatchlistEntry) == []
    assert (await take_in(store, deployment_id, whole)).enrolled == 1


@pytest.mark.rule("B13")
async def test_membership_is_remembered_for_the_rights_ledger(store, deployment_id, monkeypatch):
    quicken(monkeypatch)
    await users.add_user(store.db, "dora", ["data-protection-officer"], PASSWORD)
    ada = await put(store, deployment_id, POLICY, "Ada", 1)
    assert ada.enrolled, "no ledger yet: nothing to remember it in"
    await ledger.init(store.db, "dora", PASSWORD, by="dora")
    assert (await put(store, deployment_id, POLICY, "Bea", 2)).enrolled
    assert (await put(store, deployment_id, POLICY, "Bea", 9)).enrolled, "a further picture is no further membership"
    (row,) = await rows_of(store, LedgerEntry)
    assert b"BEA" not in row.sealed.upper()
    (entry,) = [one for one in await rows_of(store, WatchlistEntry) if one.id != ada.entry_id]
    (found,) = (await ledger.ask(store.db, "dora", PASSWORD, "n/ bea")).memberships
    assert (found.category, found.reason, found.legal_basis) == (
        "wanted-by-court",
        "Failed to appear",
        "Bail Act 1976 s.7",
    )
    assert (found.listed_at, found.taken_off_at) == (entry.added_at, None)
    assert (await ledger.ask(store.db, "dora", PASSWORD, "N/Ada")).memberships == ()


@pytest.mark.rule("B13")
async def test_in_operations_nobody_is_listed_whom_the_ledger_could_not_remember(store, deployment_id, monkeypatch):
    quicken(monkeypatch)
    async with store.db.transaction() as session:
        (await session.get(Deployment, deployment_id)).mode = "operational"
    with pytest.raises(Conflict, match="the rights ledger has no key"):
        await put(store, deployment_id, POLICY, "Ada", 1)
    assert await rows_of(store, WatchlistEntry) == []
    await users.add_user(store.db, "dora", ["data-protection-officer"], PASSWORD)
    await ledger.init(store.db, "dora", PASSWORD, by="dora")
    assert (await put(store, deployment_id, POLICY, "Ada", 1)).enrolled


@pytest.mark.rule("B13")
async def test_the_ledger_says_when_somebody_was_taken_off_and_listed_again(store, deployment_id, monkeypatch):
    quicken(monkeypatch)
    await users.add_user(store.db, "dora", ["data-protection-officer"], PASSWORD)
    await ledger.init(store.db, "dora", PASSWORD, by="dora")
    first = (await put(store, deployment_id, POLICY, "Ada", 1)).entry_id
    await entries.revoke(store.db, deployment_id, first, by="ann")
    assert (await put(store, deployment_id, POLICY, "Ada", 1)).entry_id != first
    await put(store, deployment_id, POLICY, "Bea", 2)
    withdrawn = b"nominal_ref,status\nn/bea,withdrawn\n"
    assert len((await status_feed.apply(store.db, store.vault, deployment_id, withdrawn, by="ann")).withdrawn) == 1
    # What says who they were is destroyed; when they were listed stays known.
    await retention.shred_revoked(store.db, store.vault, deployment_id)
    off = {one.id: one.revoked_at for one in await rows_of(store, WatchlistEntry)}
    (bea,) = (await ledger.ask(store.db, "dora", PASSWORD, "N/BEA")).memberships
    before, again = (await ledger.ask(store.db, "dora", PASSWORD, "N/ADA")).memberships
    assert before.taken_off_at == off.pop(first)
    assert again.taken_off_at is None
    assert sorted(off.values(), key=str) == sorted((None, bea.taken_off_at), key=str)
    assert before.listed_at < before.taken_off_at <= again.listed_at


async def test_the_books_balance_after_an_import(store, deployment_id):
    for number, label in enumerate(("Ada", "Bea")):
        await put(store, deployment_id, POLICY, label, number)
    found = await retention.reconcile(store.db, store.vault, deployment_id)
    assert (found.created, found.living, found.off) == (6, 6, 0)
