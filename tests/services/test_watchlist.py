"""Enrolling, importing, listing and revoking, with the engine's shipped double and a real database."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4

import cv2
import numpy as np
import pytest
from sqlmodel import select

from lfr.domain.errors import Conflict, NotFound, StorageError, VaultError, WatchlistError
from lfr.matching.transform import Transform
from lfr.services import audit, events, intake, watchlist
from lfr.services.list_writer import ListWriter
from lfr.services.sealing import TRANSFORM
from lfr.storage.models import AuditEntry, StoredObject, WatchlistEntry, WatchlistImage
from lfr.storage.vault import new_vault
from lfr.vision.engine.double import DoubleEngine, double_pack, paint

PACK = double_pack()


def picture(identity, shift=0, form=".png"):
    """A painted marker; another shift is another file."""
    canvas = np.full((200, 200, 3), 120, np.uint8)
    paint(canvas, identity, 60 + shift, 60, 80)
    return cv2.imencode(form, canvas)[1].tobytes()


@pytest.fixture
def engine():
    return DoubleEngine(PACK)


@pytest.fixture
def enrol(store, engine):
    async def use(label, *pictures):
        named = [(f"{number}.png", data) for number, data in enumerate(pictures)]
        return await watchlist.enrol(store.db, store.vault, engine, store.deployment_id, PACK, label, named, by="ann")

    return use


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "people"
    for label, identity in (("Ada", 0), ("Bea", 3), ("Cy", 6)):
        (root / label).mkdir(parents=True)
        for shift in range(2):
            (root / label / f"{shift}.png").write_bytes(picture(identity, shift))
    (root / "Bea" / "broken.jpg").write_bytes(b"broken")
    (root / "Bea" / "nobody.jpg").write_bytes(cv2.imencode(".jpg", np.full((90, 90, 3), 99, np.uint8))[1].tobytes())
    (root / "Cy" / "copy of Ada.png").write_bytes(picture(0, 0))
    return root


@pytest.fixture
def import_(store, engine):
    async def use(path, **options):
        engines = [engine, DoubleEngine(PACK)]
        return await watchlist.import_list(
            store.db, store.vault, engines, store.deployment_id, PACK, path, by="ann", **options
        )

    return use


async def gallery(store):
    return await watchlist.load_gallery(store.db, store.vault, store.deployment_id)


async def entries(store):
    return await watchlist.list_entries(store.db, store.vault, store.deployment_id)


async def rows(store, table):
    async with store.db.session() as session:
        return (await session.exec(select(table))).all()


async def test_an_enrolled_person_can_be_found(store, engine, enrol):
    results = await enrol("Ada", picture(4), picture(4, 9))
    assert [result.enrolled for result in results] == [True, True]
    assert len({result.entry_id for result in results}) == 1
    items = await gallery(store)
    assert [item.image_id for item in items] == [result.image_id for result in results]
    plain = engine.embed(np.stack([_crop(engine, picture(4, 3))]))
    turn = Transform(await store.vault.own_key(store.deployment_id, TRANSFORM), PACK.recogniser.dim)
    probe = turn(plain)[0]
    assert all(item.template.dtype == np.float32 and item.template @ probe > 0.95 for item in items)
    # What is stored means nothing to whoever lacks this deployment's own turn (B12).
    assert all(item.template @ plain[0] < 0.7 for item in items)
    (entry,) = await entries(store)
    assert (entry.label, entry.images, entry.revoked_at) == ("Ada", 2, None)
    assert (await watchlist.entry_picture(store.db, store.vault, entry.id))[:2] == b"\xff\xd8"


def _crop(engine, data):
    from lfr.services.enrolment import prepare

    return prepare(engine, PACK, data).crop


async def test_nothing_readable_is_stored(store, enrol):
    data = picture(4)
    await enrol("Ada Lovelace", data)
    template = (await gallery(store))[0].template.tobytes()
    (image,), (entry,) = await rows(store, WatchlistImage), await rows(store, WatchlistEntry)
    for plain in (b"Ada", b"Lovelace", template[:16], b"\xff\xd8\xff"):
        for sealed in (
            image.template_sealed,
            image.picture_sealed,
            image.picture_mac,
            entry.label_sealed,
            entry.label_mac,
        ):
            assert plain not in sealed
    logged = str([(row.payload, row.subject) for row in await rows(store, AuditEntry)])
    assert "Ada" not in logged
    assert ".png" not in logged


async def test_another_key_opens_nothing(store, enrol):
    await enrol("Ada", picture(4))
    with pytest.raises(VaultError):
        await watchlist.load_gallery(store.db, new_vault(), store.deployment_id)


async def test_a_moved_template_does_not_open(store, enrol):
    await enrol("Ada", picture(4), picture(4, 9))
    async with store.db.transaction() as session:
        one, other = (await session.exec(select(WatchlistImage))).all()
        one.template_sealed, other.template_sealed = other.template_sealed, one.template_sealed
    with pytest.raises(VaultError, match="moved"):
        await gallery(store)


async def test_the_same_label_is_the_same_entry(store, enrol):
    await enrol("Ada", picture(4))
    await enrol(" Ada ", picture(4, 5))
    assert [(entry.label, entry.images) for entry in await entries(store)] == [("Ada", 2)]


async def test_each_picture_is_answered_in_order(store, enrol):
    results = await enrol("Ada", b"", picture(4), picture(4), b"no picture")
    assert [result.refusal for result in results] == ["unreadable", None, "duplicate", "unreadable"]
    assert "1.png" in results[2].detail
    assert (await enrol("Ada", picture(4)))[0].already
    again = await enrol("Bea", picture(4))
    assert again[0].refusal == "duplicate"
    assert str(results[1].entry_id) in again[0].detail
    assert [entry.label for entry in await entries(store)] == ["Ada"]


async def test_nobody_enrolled_leaves_no_entry(store, enrol):
    await enrol("Ada", b"x")
    assert await entries(store) == []


@pytest.mark.parametrize("label", ["", "  ", "x" * 201, "a\nb"])
async def test_labels_that_cannot_be_used(store, enrol, label):
    with pytest.raises(WatchlistError, match="label"):
        await enrol(label, picture(4))


async def test_an_unknown_deployment(store, engine):
    with pytest.raises(NotFound):
        await watchlist.enrol(store.db, store.vault, engine, uuid4(), PACK, "Ada", [("a", picture(1))], by="ann")


async def test_one_deployment_does_not_see_another(store, enrol):
    await enrol("Ada", picture(4))
    assert await watchlist.load_gallery(store.db, store.vault, uuid4()) == []
    assert await watchlist.list_entries(store.db, store.vault, uuid4()) == []


async def test_revoking(store, enrol):
    entry_id = (await enrol("Ada", picture(4)))[0].entry_id
    await enrol("Bea", picture(8))
    await watchlist.revoke(store.db, store.deployment_id, entry_id, by="bob")
    assert {item.entry_id for item in await gallery(store)}.isdisjoint({entry_id})
    gone = next(image for image in await rows(store, WatchlistImage) if image.entry_id == entry_id)
    assert gone.template_sealed is None
    assert gone.picture_mac is None
    assert (await watchlist.entry_picture(store.db, store.vault, entry_id))[:2] == b"\xff\xd8"
    assert [entry.revoked_at is None for entry in await entries(store)] == [False, True]
    told = (await events.events_after(store.db, 1))[-1]
    assert (told.kind, told.subject, told.payload["templates"]) == ("watchlist.entry-revoked", str(entry_id), 1)
    with pytest.raises(Conflict):
        await watchlist.revoke(store.db, store.deployment_id, entry_id, by="bob")
    # The same person may be listed again.
    again = (await enrol("Ada", picture(4)))[0]
    assert again.enrolled
    assert again.entry_id != entry_id


async def test_revoking_what_is_not_there(store, enrol):
    entry_id = (await enrol("Ada", picture(4)))[0].entry_id
    for deployment_id, wrong in ((store.deployment_id, uuid4()), (uuid4(), entry_id)):
        with pytest.raises(NotFound):
            await watchlist.revoke(store.db, deployment_id, wrong, by="bob")
    assert len(await gallery(store)) == 1


async def test_a_folder_of_people(store, import_, folder):
    seen = []
    report = await import_(folder, progress=lambda done, all_: seen.append((done, all_)))
    assert report.enrolled == 6
    refused = {row.source: row.refusal for row in report.rows if not row.enrolled}
    assert refused == {
        "Bea/broken.jpg": "unreadable", "Bea/nobody.jpg": "no face", "Cy/copy of Ada.png": "duplicate",
    }  # fmt: skip
    assert "Ada/0.png" in next(row.detail for row in report.rows if row.refusal == "duplicate")
    assert seen[-1] == (9, 9)
    assert sorted((entry.label, entry.images) for entry in await entries(store)) == [("Ada", 2), ("Bea", 2), ("Cy", 2)]
    told = (await events.events_after(store.db, 1))[-1]
    assert told.kind == "watchlist.imported"
    assert told.payload == {"enrolled": 6, "already": 0, "refused": {"unreadable": 1, "no face": 1, "duplicate": 1}}


async def test_a_dry_run_writes_nothing(store, import_, folder):
    report = await import_(folder, dry_run=True)
    assert report.enrolled == 6
    assert await entries(store) == []
    assert await events.last_seq(store.db) == 1


async def test_importing_again_changes_nothing(store, import_, folder):
    await import_(folder)
    report = await import_(folder)
    assert (report.enrolled, report.already, report.refused) == (0, 6, 3)
    assert {row.detail for row in report.rows if row.already} == {"enrolled already"}
    assert len(await gallery(store)) == 6


async def test_an_import_cut_short_goes_on(store, import_, folder, monkeypatch):
    monkeypatch.setattr(intake, "COMMIT", 2)
    real, written = ListWriter.write, []

    async def die_after_four(self, rows):
        if len(written) == 2:
            raise StorageError("the disk is full")
        written.append(await real(self, rows))
        return written[-1]

    with monkeypatch.context() as patch:
        patch.setattr(ListWriter, "write", die_after_four)
        with pytest.raises(StorageError):
            await import_(folder)
    assert len(await gallery(store)) == 4
    report = await import_(folder)
    assert (report.enrolled, report.already) == (2, 4)
    assert sorted((entry.label, entry.images) for entry in await entries(store)) == [("Ada", 2), ("Bea", 2), ("Cy", 2)]


async def test_a_failed_transaction_keeps_nothing_of_its_rows(store, import_, folder, monkeypatch):
    monkeypatch.setattr(audit, "record", lambda *_, **__: (_ for _ in ()).throw(StorageError("no room")))
    with pytest.raises(StorageError):
        await import_(folder)
    monkeypatch.undo()
    assert await gallery(store) == []
    assert await entries(store) == []
    assert await rows(store, StoredObject) == []


@pytest.mark.rule("G6")
async def test_every_stored_object_is_named_in_the_log(store, import_, folder):
    await import_(folder)
    objects = await rows(store, StoredObject)
    assert Counter(one.kind for one in objects) == {"list-picture": 6, "list-template": 6, "list-details": 3}
    told = [row.payload for row in await rows(store, AuditEntry) if row.kind == "watchlist.enrolled"]
    assert sorted(one for payload in told for one in payload["objects"]) == sorted(str(one.id) for one in objects)
    listed = {str(entry.id) for entry in await entries(store)}
    assert {one for payload in told for one in payload["entries"]} == listed == {str(one.owner_id) for one in objects}


async def test_two_imports_at_once(store, import_, folder):
    reports = await asyncio.gather(import_(folder), import_(folder))
    assert sum(report.enrolled for report in reports) == 6
    assert len(await gallery(store)) == 6
    assert len(await entries(store)) == 3


async def test_a_batch_may_end_anywhere(store, import_, folder, monkeypatch):
    monkeypatch.setattr(intake, "BATCH", 2)
    monkeypatch.setattr(intake, "COMMIT", 3)
    report = await import_(folder)
    assert [row.source for row in report.rows] == sorted(
        (row.source for row in report.rows), key=lambda source: (source.split("/")[0], source)
    )
    assert report.enrolled == 6
    by_label = {entry.id: entry.label for entry in await entries(store)}
    for row in report.rows:
        if row.enrolled:
            assert by_label[row.entry_id] == row.entry
            assert isinstance(row.image_id, UUID)


async def test_templates_are_overwritten(store, engine, enrol, monkeypatch):
    kept = []
    real = engine.embed

    def watched(crops):
        kept.extend([crops, real(crops)])
        return kept[-1]

    monkeypatch.setattr(engine, "embed", watched)
    await enrol("Ada", picture(4))
    assert len(kept) == 2
    assert not any(array.any() for array in kept)
