"""Photographs of the signs, drawn anew and sealed; an hourly tap; what is due when (C4)."""

import io
import random
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from sqlmodel import select

from lfr.domain.errors import Conflict, NotFound, VaultError, WatchlistError
from lfr.services import deployments, events, signs
from lfr.storage.keystore import Ring
from lfr.storage.models import SignEvidence, StoredObject
from lfr.storage.vault import new_vault
from tests.support.quick import quicken
from tests.support.scene import LATITUDE, LONGITUDE, new_scene, picture

one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
HERE = {"latitude": LATITUDE, "longitude": LONGITUDE}
AWAY = {"latitude": LATITUDE + 0.01, "longitude": LONGITUDE}


@pytest.fixture
async def scene(store, tmp_path, monkeypatch):
    quicken(monkeypatch)
    made = new_scene(store.db, tmp_path)
    await made.make()
    return made


async def photo(scene, item="signs", data=None, **changed):
    given = {"policy": scene.policy, "by": "olga", "at": scene.at} | HERE | changed
    return await signs.add_photo(scene.db, scene.vault, scene.id, item, data or picture(), **given)


async def tap(scene, **changed):
    return await signs.confirm(scene.db, scene.id, **({"policy": scene.policy, "by": "olga", "at": scene.at} | changed))


async def rows(scene, model=SignEvidence):
    async with scene.db.session() as session:
        return (await session.exec(select(model))).all()


@pytest.mark.rule("C4")
async def test_a_photograph_opens_only_with_the_deployments_key(scene):
    made = await photo(scene)
    jpeg = await signs.photo(scene.db, scene.vault, scene.id, made.id)
    assert Image.open(io.BytesIO(jpeg)).size == (64, 48)
    assert b"JFIF" not in made.picture
    with pytest.raises(VaultError):
        await signs.photo(scene.db, new_vault(), scene.id, made.id)
    await scene.vault.shred(Ring(scene.id, "deployment"))
    with pytest.raises(VaultError):
        await signs.photo(scene.db, scene.vault, scene.id, made.id)
    stored = await rows(scene, StoredObject)
    assert [(one.kind, one.owner_id) for one in stored] == [("sign-picture", scene.id)]


@pytest.mark.rule("C4")
async def test_nothing_of_the_file_is_kept_but_the_pixels(scene):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x9286] = "Maker", "Officer's own phone", "a comment"
    exif.get_ifd(0x8825).update({1: "N", 2: (1.0, 2.0, 3.0), 3: "W", 4: (4.0, 5.0, 6.0)})
    out = io.BytesIO()
    Image.new("RGB", (3000, 1500), "red").save(out, "JPEG", exif=exif, comment=b"a secret comment")
    made = await photo(scene, data=out.getvalue() + b"trailing secret")
    jpeg = await signs.photo(scene.db, scene.vault, scene.id, made.id)
    for secret in (b"Maker", b"phone", b"comment", b"secret"):
        assert secret not in jpeg
    shown = Image.open(io.BytesIO(jpeg))
    assert shown.size == (1600, 800)
    said = shown.getexif()
    assert dict(said.get_ifd(0x8769)) == {0x9003: f"{scene.at:%Y:%m:%d %H:%M:%S}"}
    place = said.get_ifd(0x8825)
    degrees = [sum(float(part) / 60**power for power, part in enumerate(place[tag])) for tag in (2, 4)]
    assert (place[1], place[3]) == ("N", "W")
    assert degrees == pytest.approx([LATITUDE, -LONGITUDE], abs=1e-5)


@one_database
@pytest.mark.parametrize(
    "data", [b"", b"no picture", picture()[:200], b"\x89PNG\r\n\x1a\n" + bytes(40), b"GIF89a" + bytes(60)]
)
async def test_what_is_no_picture_leaves_nothing(scene, data):
    with pytest.raises(WatchlistError, match="photograph"):
        await signs.add_photo(
            scene.db, scene.vault, scene.id, "signs", data, policy=scene.policy, by="olga", at=scene.at
        )
    assert await rows(scene) == []


@one_database
async def test_a_hundred_megapixels_are_refused(scene):
    out = io.BytesIO()
    Image.fromarray(np.zeros((10_000, 10_000), np.uint8)).save(out, "PNG")
    with pytest.raises(WatchlistError, match="megapixels"):
        await photo(scene, data=out.getvalue())


@pytest.mark.rule("C4")
async def test_an_item_the_policy_does_not_have_and_a_place_that_is_none(scene):
    for changed in ({"item": "leaflet"}, {"latitude": 91.0}, {"latitude": None}, {"longitude": -180.5}):
        with pytest.raises(Conflict):
            await photo(scene, **changed)
    with pytest.raises(NotFound):
        await signs.add_photo(scene.db, scene.vault, uuid4(), "signs", picture(), policy=scene.policy, by="olga")
    assert await rows(scene) == []


@pytest.mark.rule("C4")
async def test_from_the_first_photograph_to_a_pause(scene):
    await photo(scene)
    state = await signs.state(scene.db, scene.id, policy=scene.policy, at=scene.at)
    assert state.missing == ("notices", "vehicle-marking", "alternative-route")
    with pytest.raises(Conflict, match="notices"):
        await tap(scene)
    await scene.photograph()
    state = await tap(scene, at=scene.at + timedelta(minutes=50), **HERE)
    assert state.due_at == scene.at + timedelta(minutes=110)
    assert state.overdue_at == scene.at + timedelta(minutes=140)
    late = scene.at + timedelta(minutes=140)
    assert "C4" in {one.rule for one in await scene.missing("continue", at=late) if one.blocks}
    early = late - timedelta(seconds=1)
    assert "C4" not in {one.rule for one in await scene.missing("continue", at=early) if one.blocks}
    assert "C4" in {one.rule for one in await scene.missing("continue", at=early)}
    await tap(scene, at=late)
    assert "C4" not in {one.rule for one in await scene.missing("continue", at=late)}


@pytest.mark.rule("C4")
async def test_a_photograph_from_elsewhere_proves_nothing(scene):
    await scene.photograph(**AWAY)
    state = await signs.state(scene.db, scene.id, policy=scene.policy, at=scene.at)
    assert (state.missing, state.elsewhere) == (scene.policy.signs.items, scene.policy.signs.items)
    await scene.photograph(latitude=None, longitude=None)
    assert (await signs.state(scene.db, scene.id, policy=scene.policy, at=scene.at)).missing
    await scene.photograph()
    with pytest.raises(Conflict, match="away from the place"):
        await tap(scene, **AWAY)
    assert not (await tap(scene, **HERE)).missing


async def test_looks_are_logged_and_leave_the_deployment_as_it_is(scene):
    before = (await deployments.get_deployment(scene.db, scene.id)).version
    await scene.photograph()
    await tap(scene)
    assert (await deployments.get_deployment(scene.db, scene.id)).version == before
    told = [event for event in await events.events_after(scene.db, 1) if event.kind.startswith("signs.")]
    assert [event.kind for event in told] == ["signs.photographed"] * 4 + ["signs.confirmed"]
    assert set(told[0].payload) == {"item", "metres", "objects"}


async def test_when_it_is_over_nothing_more_is_photographed(scene):
    await deployments.end(scene.db, scene.id, by=deployments.SYSTEM)
    with pytest.raises(Conflict, match="ended"):
        await photo(scene)
    with pytest.raises(Conflict, match="ended"):
        await tap(scene)


@one_database
async def test_hostile_bytes_never_escape(scene):
    good, rolls = picture(), random.Random(7)
    for _ in range(60):
        data = bytearray(good)
        for _ in range(rolls.randint(1, 30)):
            data[rolls.randrange(len(data))] = rolls.randrange(256)
        try:
            await photo(scene, data=bytes(data))
        except WatchlistError:
            continue
