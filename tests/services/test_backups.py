"""A copy of the database of any age beside the present key store: what was shredded opens nowhere (G3)."""

import asyncio
import shutil
import sqlite3
from contextlib import closing

import pytest

from lfr.domain.errors import VaultError
from lfr.services import deployments, holds, policies, retention, watchlist
from lfr.services.holds import Asked
from lfr.storage.database import Database
from lfr.storage.node import new_node
from lfr.storage.vault import Vault
from tests.support.kept import keep, opening
from tests.support.stores import Store

POLICY = policies.load("uk-default")
ASKED = Asked("criminal-evidence", "URN 17/2026", "DC Doe", 90)


class Backups:
    """Copies of a database, taken as an administrator would, and put back the same way."""

    def __init__(self, url, folder, server):
        self.url, self.folder, self.server, self.taken = url, folder, server, {}

    async def take(self, name):
        if self.server is None:
            self.taken[name] = self.folder / f"{name}.db"
            await asyncio.to_thread(_sqlite_copy, self.url, self.taken[name])
        else:
            self.taken[name] = await asyncio.to_thread(self.server.copy, f"copy_{name.replace('-', '_')}")

    def open(self, name):
        """The copy, put beside the present key store."""
        if self.server is None:
            again = self.folder / f"{name}-again.db"
            shutil.copy(self.taken[name], again)
            return Database(f"sqlite+aiosqlite:///{again}")
        return Database(self.taken[name])


def _sqlite_copy(url, target):
    """SQLite's own online backup, WAL included."""
    with closing(sqlite3.connect(url.partition("///")[2])) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


@pytest.fixture
def backups(request, url, tmp_path):
    postgres = url.startswith("postgresql")
    return Backups(url, tmp_path, request.getfixturevalue("postgres_server") if postgres else None)


@pytest.mark.rule("G3")
@pytest.mark.rule("G2")
async def test_whatever_copy_is_put_back_nothing_shredded_opens(store, backups, tmp_path):
    """At each step a backup is taken; at the end every one of them is opened beside the key store as it is then."""
    node = new_node(tmp_path / "keys")
    store = Store(store.url, store.db, node.vault(), store.deployment_id)
    await backups.take("empty")
    kept = await keep(store, entries=4, alerts=4)
    held, released, expired, undecided = kept.alerts
    await backups.take("full")
    await holds.place(store.db, store.vault, held, ASKED, policy=POLICY, by="ann")
    hold = await holds.place(store.db, store.vault, released, ASKED, policy=POLICY, by="ann")
    await backups.take("held")
    await retention.shred_alerts(store.db, store.vault, store.deployment_id, [expired], reason="expired")
    await backups.take("one-expired")
    gone, *others = [one.entry_id for one in kept.entries]
    await watchlist.revoke(store.db, store.deployment_id, gone, by="test")
    await backups.take("revoked")
    await retention.shred_entries(store.db, store.vault, store.deployment_id, [gone], reason="revoked")
    await backups.take("shredded")
    before_close = await _look(backups, node)
    for name in ("full", "held", "one-expired", "revoked", "shredded"):
        assert before_close[name]["probe"] == before_close[name]["scene"] == {held, released, undecided}, name
        for kind in ("label", "details", "template", "picture"):
            assert before_close[name][kind] == set(others), (name, kind)
    await retention.purge_undecided(store.db, store.vault, store.deployment_id, "stopped")
    await deployments.end(store.db, store.deployment_id, by=deployments.SYSTEM)
    await backups.take("ended")
    await retention.close(store.db, store.vault, store.deployment_id, reason="closed")
    await backups.take("closed")
    for name, found in (await _look(backups, node)).items():
        wanted = {held, released} if name != "empty" else set()
        assert found["probe"] == found["scene"] == wanted, name
        for kind in ("label", "details", "template", "picture"):
            assert found[kind] == set(), (name, kind)
    await holds.release(store.db, store.vault, hold.id, by="ann")
    assert {frozenset(found["probe"]) for name, found in (await _look(backups, node)).items() if name != "empty"} == {
        frozenset({held})
    }


async def _look(backups, node):
    """What opens in each copy, for somebody who has the key store of now."""
    found = {}
    for name in backups.taken:
        db = backups.open(name)
        found[name] = await opening(db, Vault(node.keys))
        await db.dispose()
    return found


@pytest.mark.rule("G3")
async def test_a_copy_works_as_long_as_nothing_was_shredded(store, backups, tmp_path):
    """So that the test above cannot pass for the wrong reason."""
    node = new_node(tmp_path / "keys")
    store = Store(store.url, store.db, node.vault(), store.deployment_id)
    kept = await keep(store)
    await backups.take("full")
    db = backups.open("full")
    found = await opening(db, Vault(node.keys))
    items = await watchlist.load_gallery(db, Vault(node.keys), store.deployment_id)
    await db.dispose()
    assert len(items) == 3
    assert found["probe"] == set(kept.alerts)
    assert found["template"] == {one.entry_id for one in kept.entries}


@pytest.mark.rule("G3")
async def test_the_gallery_of_an_old_copy_does_not_load(store, backups, tmp_path):
    node = new_node(tmp_path / "keys")
    store = Store(store.url, store.db, node.vault(), store.deployment_id)
    await keep(store)
    await backups.take("full")
    await deployments.end(store.db, store.deployment_id, by=deployments.SYSTEM)
    await retention.close(store.db, store.vault, store.deployment_id, reason="closed")
    db = backups.open("full")
    with pytest.raises(VaultError) as failed:
        await watchlist.load_gallery(db, Vault(node.keys), store.deployment_id)
    assert "shredded" in failed.value.hint
    await db.dispose()
