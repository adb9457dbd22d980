"""The key store on a disk: what is shredded is gone, what survives survives, at whatever step a crash comes."""

import asyncio
import contextlib
import errno
import json
import os
import secrets
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from lfr.domain.errors import VaultError
from lfr.storage.keyfiles import FileKeys
from lfr.storage.keystore import MemoryKeys, Ring
from lfr.storage.node_key import LocalWrapper, open_node_key
from lfr.storage.ringfile import RECORD
from tests.support.faults import Crash, Faults
from tests.support.key_worker import DEPLOYMENT

LIST, HELD = Ring(UUID(int=1), "list"), Ring(UUID(int=1), "held")
OTHER = Ring(UUID(int=2), "alerts")
OWNERS = [UUID(int=100 + number) for number in range(5)]
GONE, KEPT = OWNERS[:2], OWNERS[2:]


@pytest.fixture
def wrapper():
    return LocalWrapper(secrets.token_bytes(32))


@pytest.fixture
def folder():
    """In memory: these tests make thousands of writes durable."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as made:
        yield Path(made) / "keys"


@pytest.fixture(params=["files", "memory"])
def keys(request, folder, wrapper):
    return FileKeys(folder, wrapper) if request.param == "files" else MemoryKeys()


async def test_a_key_is_made_once_and_comes_back(keys):
    made = await keys.make(LIST, OWNERS)
    assert len({*made.values()}) == 5
    assert {len(key) for key in made.values()} == {32}
    assert await keys.make(LIST, [*OWNERS, *OWNERS]) == made
    assert await keys.fetch(LIST, None) == made
    assert await keys.fetch(LIST, [OWNERS[3], uuid4()]) == {OWNERS[3]: made[OWNERS[3]]}
    assert await keys.fetch(OTHER, None) == {}


@pytest.mark.rule("G3")
async def test_what_is_shredded_is_gone_and_the_others_stay(keys):
    made, other = await keys.make(LIST, OWNERS), await keys.make(OTHER, OWNERS)
    assert await keys.shred(LIST, [*GONE, uuid4()]) == 2
    assert await keys.fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
    assert await keys.shred(LIST, GONE) == 0
    assert (await keys.make(LIST, GONE)).items().isdisjoint(made.items())
    assert await keys.shred(LIST, None) == 5
    assert await keys.fetch(LIST, OWNERS) == {}
    assert await keys.shred(LIST, None) == 0
    assert await keys.fetch(OTHER, None) == other


@pytest.mark.rule("G2")
async def test_a_key_moves_to_another_ring_and_back(keys):
    made = await keys.make(LIST, OWNERS)
    assert await keys.move(LIST, HELD, GONE) == 2
    assert await keys.move(LIST, HELD, GONE) == 2  # again changes nothing
    assert await keys.fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
    assert await keys.fetch(HELD, None) == {owner: made[owner] for owner in GONE}
    assert await keys.shred(LIST, None) == 3
    assert await keys.move(HELD, LIST, GONE[:1]) == 1
    assert await keys.fetch(LIST, None) == {GONE[0]: made[GONE[0]]}
    with pytest.raises(VaultError, match="1 keys to be moved are not there"):
        await keys.move(HELD, LIST, [GONE[1], KEPT[0]])
    assert await keys.fetch(HELD, None) == {GONE[1]: made[GONE[1]]}


async def test_keys_outlive_the_process_and_stand_nowhere_in_the_clear(folder, wrapper):
    made = await FileKeys(folder, wrapper).make(LIST, OWNERS)
    assert await FileKeys(folder, wrapper).fetch(LIST, None) == made
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [key for key in made.values() if key in written]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


async def test_two_stores_of_one_folder_see_each_other(folder, wrapper):
    one, two = FileKeys(folder, wrapper), FileKeys(folder, wrapper)
    first = await one.make(LIST, GONE)
    assert await two.fetch(LIST, None) == first
    more = await two.make(LIST, KEPT)
    assert await one.fetch(LIST, None) == first | more
    await two.shred(LIST, GONE)
    assert await one.fetch(LIST, None) == more
    again = await one.make(LIST, GONE)
    assert await two.fetch(LIST, None) == more | again
    await one.shred(LIST, None)
    assert await two.fetch(LIST, None) == {}


# What a shredding leaves on the disk


@pytest.mark.rule("G3")
async def test_an_older_copy_of_a_ring_opens_nothing(folder, wrapper):
    keys = FileKeys(folder, wrapper)
    await keys.make(LIST, OWNERS)
    path = folder / f"{LIST.deployment_id}.list"
    copy = path.read_bytes()
    await keys.shred(LIST, GONE)
    path.write_bytes(copy)
    for store in (keys, FileKeys(folder, wrapper)):
        with pytest.raises(VaultError, match="damaged"):
            await store.fetch(LIST, OWNERS)


async def test_a_shredding_in_one_ring_outdates_copies_of_all_others(folder, wrapper):
    """The epoch is everybody's: a copy of the whole store without the present epoch is worth nothing."""
    keys = FileKeys(folder, wrapper)
    other = await keys.make(OTHER, OWNERS)
    await keys.make(LIST, OWNERS)
    copy = (folder / f"{OTHER.deployment_id}.alerts").read_bytes()
    await keys.shred(LIST, GONE)
    assert await keys.fetch(OTHER, None) == other
    (folder / f"{OTHER.deployment_id}.alerts").write_bytes(copy)
    with pytest.raises(VaultError):
        await FileKeys(folder, wrapper).fetch(OTHER, None)


async def test_what_was_before_is_overwritten(folder, wrapper):
    keys = FileKeys(folder, wrapper)
    await keys.make(LIST, OWNERS)
    await keys.make(OTHER, OWNERS)
    olds = [path.open("rb") for path in sorted(folder.iterdir()) if path.name != "lock"]
    await keys.shred(LIST, None)
    left = [old.read() for old in olds]
    for old in olds:
        old.close()
    assert len(left) == 3
    assert all(data == bytes(len(data)) for data in left)
    assert {path.name for path in folder.iterdir()} == {"lock", "epoch", f"{OTHER.deployment_id}.alerts"}


# Crashes


async def _crashing(folder, wrapper, work):
    """Crash at each step, before and after; yields what is on the disk each time."""
    for late in (False, True):
        for at in range(200):
            place = folder / f"{at}-{late}"
            keys = FileKeys(place, wrapper)
            made = await keys.make(LIST, OWNERS), await keys.make(OTHER, OWNERS)
            faults = Faults(at, late=late)
            with faults.injected(), contextlib.suppress(Crash):
                work(FileKeys(place, wrapper))
            if not faults.reached:
                break
            yield place, *made
        assert 5 < at < 199


async def _settled(place, wrapper):
    """After the next writer's turn nothing is left half done."""
    keys = FileKeys(place, wrapper)
    await keys.make(LIST, [])
    assert not list(place.glob("*~"))
    assert len(json.loads((place / "epoch").read_bytes())["epochs"]) == 1
    return keys


@pytest.mark.rule("G6")
async def test_a_crash_at_any_step_of_a_shredding(folder, wrapper):
    copies = 0
    async for place, made, other in _crashing(folder, wrapper, lambda keys: keys._shred(LIST, GONE)):
        left = await FileKeys(place, wrapper).fetch(LIST, None)
        assert left in (made, {owner: made[owner] for owner in KEPT})
        assert await FileKeys(place, wrapper).fetch(OTHER, None) == other
        keys = await _settled(place, wrapper)
        before = (place / f"{LIST.deployment_id}.list").read_bytes()
        assert await keys.shred(LIST, GONE) == len(left) - len(KEPT)
        assert await FileKeys(place, wrapper).fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
        assert await keys.fetch(OTHER, None) == other
        if left == made:
            copies += 1
            (place / f"{LIST.deployment_id}.list").write_bytes(before)
            with pytest.raises(VaultError):
                await FileKeys(place, wrapper).fetch(LIST, GONE)
    assert copies


@pytest.mark.rule("G3")
async def test_a_crash_at_any_step_of_a_whole_rings_end(folder, wrapper):
    async for place, made, other in _crashing(folder, wrapper, lambda keys: keys._shred(LIST, None)):
        assert await FileKeys(place, wrapper).fetch(LIST, None) in (made, {})
        keys = await _settled(place, wrapper)
        await keys.shred(LIST, None)
        assert await FileKeys(place, wrapper).fetch(LIST, None) == {}
        assert await keys.fetch(OTHER, None) == other


@pytest.mark.rule("G2")
async def test_a_crash_at_any_step_of_a_hold_loses_no_evidence(folder, wrapper):
    async for place, made, other in _crashing(folder, wrapper, lambda keys: keys._move(LIST, HELD, GONE)):
        keys = FileKeys(place, wrapper)
        assert await keys.fetch(HELD, GONE) | await keys.fetch(LIST, GONE) == {owner: made[owner] for owner in GONE}
        keys = await _settled(place, wrapper)
        assert await keys.move(LIST, HELD, GONE) == 2
        assert await keys.fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
        assert await keys.fetch(HELD, None) == {owner: made[owner] for owner in GONE}
        assert await keys.fetch(OTHER, None) == other


async def test_a_crash_while_keys_are_made(folder, wrapper):
    new = [uuid4() for _ in range(3)]
    async for place, made, other in _crashing(folder, wrapper, lambda keys: keys._make(HELD, new)):
        keys = await _settled(place, wrapper)
        answered = await keys.make(HELD, new)
        assert await FileKeys(place, wrapper).fetch(HELD, None) == answered
        assert await keys.fetch(LIST, None) == made
        assert await keys.fetch(OTHER, None) == other


@pytest.mark.parametrize("torn", [b"\xff" * 30, bytes(RECORD), bytes(3 * RECORD), os.urandom(2 * RECORD + 5)])
async def test_what_a_crash_has_torn_is_passed_over(folder, wrapper, torn):
    made = await FileKeys(folder, wrapper).make(LIST, KEPT)
    with (folder / f"{LIST.deployment_id}.list").open("ab") as file:
        file.write(torn)
    keys = FileKeys(folder, wrapper)
    assert await keys.fetch(LIST, None) == made
    again = await keys.make(LIST, GONE)
    more = await keys.make(LIST, [UUID(int=9)])
    assert await FileKeys(folder, wrapper).fetch(LIST, None) == made | again | more


@pytest.mark.parametrize("cut", [1, RECORD - 1, RECORD, RECORD + 5])
async def test_a_ring_cut_short_is_damaged_not_smaller(folder, wrapper, cut):
    await FileKeys(folder, wrapper).make(LIST, OWNERS)
    path = folder / f"{LIST.deployment_id}.list"
    os.truncate(path, path.stat().st_size - cut)
    with pytest.raises(VaultError, match="damaged"):
        await FileKeys(folder, wrapper).fetch(LIST, KEPT)


def _said(keys):
    try:
        keys._shred(LIST, GONE)
    except VaultError as error:
        return error
    return None


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
async def test_a_full_or_broken_disk_is_one_clear_line_and_loses_nothing(folder, wrapper, code):
    failed = OSError(code, os.strerror(code))
    for at in range(100):
        place = folder / str(at)
        keys = FileKeys(place, wrapper)
        made = await keys.make(LIST, OWNERS)
        faults = Faults(at, error=failed)
        with faults.injected():
            said = _said(keys)
        if not faults.reached:
            break
        assert os.strerror(code) in said.message
        assert said.hint
        # The same object, and another, go on as soon as the disk is well.
        assert await keys.fetch(LIST, KEPT) == {owner: made[owner] for owner in KEPT}
        await keys.shred(LIST, GONE)
        assert await FileKeys(place, wrapper).fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
    assert 5 < at < 99


def test_a_really_full_disk(tmp_path, wrapper):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        return  # not root, or an unprivileged container: the injected errors above stand for it
    made = {}
    try:
        with pytest.raises(VaultError, match="No space left"):
            _fill(FileKeys(small / "keys", wrapper), made)
        assert len(made) > 100
        assert made.items() <= FileKeys(small / "keys", wrapper)._fetch(LIST, None).items()
    finally:
        subprocess.run(["umount", small], check=True)


def _fill(keys, made):
    for _ in range(100):
        made |= keys._make(LIST, [uuid4() for _ in range(20)])


# Several processes


async def test_several_processes_at_once(folder, tmp_path):
    key_file = tmp_path / "node.key"
    wrapper = open_node_key(key_file, create=True)
    keys = FileKeys(folder, wrapper)
    command = [sys.executable, "-m", "tests.support.key_worker", folder, key_file]
    running = [
        await asyncio.create_subprocess_exec(*command, str(seed), stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        for seed in (1, 2, 3)
    ]
    found = [json.loads((await one.communicate())[0]) for one in running]
    assert [one.returncode for one in running] == [0, 0, 0]
    for name in ("alerts", "held"):
        expected = sorted(owner for one in found for owner in one[name])
        assert sorted(str(owner) for owner in await keys.fetch(Ring(DEPLOYMENT, name), None)) == expected
        assert expected
    assert not list(folder.glob("*~"))


async def test_readers_never_see_a_half_written_ring(folder, wrapper):
    made = await FileKeys(folder, wrapper).make(LIST, OWNERS)
    stop = False

    async def read():
        keys, looks = FileKeys(folder, wrapper), 0
        while not stop:
            assert await keys.fetch(LIST, KEPT) == {owner: made[owner] for owner in KEPT}
            looks += 1
        return looks

    readers = [asyncio.create_task(read()) for _ in range(2)]
    writer = FileKeys(folder, wrapper)
    for _ in range(20):
        await writer.make(OTHER, GONE)
        await writer.shred(OTHER, GONE)
    stop = True
    assert min(await asyncio.gather(*readers)) > 0


# What is wrong with the folder


async def test_another_node_key_opens_nothing_and_changes_nothing(folder, wrapper):
    made = await FileKeys(folder, wrapper).make(LIST, OWNERS)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    wrong = FileKeys(folder, LocalWrapper(secrets.token_bytes(32)))
    for work in (wrong.fetch(LIST, None), wrong.make(LIST, GONE), wrong.make(OTHER, GONE), wrong.shred(LIST, GONE)):
        with pytest.raises(VaultError, match="node key") as failed:
            await work
        assert failed.value.hint
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert await FileKeys(folder, wrapper).fetch(LIST, None) == made


@pytest.mark.parametrize("name", ["epoch", f"{LIST.deployment_id}.list"])
async def test_every_changed_byte_is_noticed(folder, wrapper, name):
    made = await FileKeys(folder, wrapper).make(LIST, OWNERS)
    path = folder / name
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            left = await FileKeys(folder, wrapper).fetch(LIST, None)
        except VaultError:
            continue
        assert left == made  # base64 has bits that say nothing
    path.write_bytes(whole)
    assert await FileKeys(folder, wrapper).fetch(LIST, None) == made


async def test_a_damaged_ring_does_not_keep_others_from_being_shredded(folder, wrapper):
    keys = FileKeys(folder, wrapper)
    await keys.make(OTHER, OWNERS)
    made = await keys.make(LIST, OWNERS)
    (folder / f"{OTHER.deployment_id}.alerts").write_bytes(b"{}\n")
    assert await keys.shred(LIST, GONE) == 2
    assert await keys.fetch(LIST, None) == {owner: made[owner] for owner in KEPT}
    with pytest.raises(VaultError, match="damaged"):
        await keys.fetch(OTHER, None)


async def test_a_lost_epoch_is_not_made_anew(folder, wrapper):
    await FileKeys(folder, wrapper).make(LIST, OWNERS)
    (folder / "epoch").unlink()
    keys = FileKeys(folder, wrapper)
    for work in (keys.make(OTHER, GONE), keys.make(LIST, GONE), keys.fetch(LIST, None)):
        with pytest.raises(VaultError):
            await work
    assert not (folder / "epoch").exists()


async def test_a_folder_that_others_may_enter(folder, wrapper):
    FileKeys(folder, wrapper)
    folder.chmod(0o750)
    with pytest.raises(VaultError, match="entered by others") as failed:
        FileKeys(folder, wrapper)
    assert "chmod 700" in failed.value.hint


def test_a_folder_that_cannot_be_made(tmp_path, wrapper):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(VaultError, match="cannot be written"):
        FileKeys(tmp_path / "file" / "keys", wrapper)


async def test_a_record_moved_to_another_owner_does_not_open(folder, wrapper):
    await FileKeys(folder, wrapper).make(LIST, OWNERS)
    path = folder / f"{LIST.deployment_id}.list"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(OWNERS[0].bytes, uuid4().bytes))
    with pytest.raises(VaultError, match="damaged"):
        await FileKeys(folder, wrapper).fetch(LIST, None)
