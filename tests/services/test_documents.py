"""Documents by the hash of their file (A8)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from lfr.domain.errors import ConfigError, Conflict, NotFound
from lfr.services import documents, events, policies
from lfr.services.documents import NewDocument

one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
UK = policies.load("uk-default")
AT = datetime.now(UTC) - timedelta(days=10)
GOOD = NewDocument("dpia", "3", "a" * 64, AT, "the board", covers_public=True)


async def add(store, **changed):
    new = NewDocument(**({name: getattr(GOOD, name) for name in GOOD.__dataclass_fields__} | changed))
    return await documents.add(store.db, "mercia", new, policy=UK, by="dora")


@pytest.mark.rule("A8")
async def test_a_document_expires_after_the_policys_days_unless_it_says_earlier(store):
    made = await add(store)
    assert (made.expires_at - made.approved_at).days == 365
    sooner = await add(store, sha256="b" * 64, expires_at=AT + timedelta(days=30))
    assert sooner.expires_at == AT + timedelta(days=30)
    assert {one.id for one in await documents.registered(store.db, "mercia")} == {made.id, sooner.id}
    assert await documents.registered(store.db, "wessex") == []


@pytest.mark.rule("A8")
async def test_current_is_the_newest_that_is_in_force(store):
    old = await add(store, approved_at=AT - timedelta(days=30))
    new = await add(store, sha256="b" * 64)
    other = await add(store, code="eia", sha256="c" * 64)
    assert set(await documents.current(store.db, "mercia", datetime.now(UTC))) == {new.id, other.id}
    await documents.withdraw(store.db, new.id, by="dora")
    assert set(await documents.current(store.db, "mercia", datetime.now(UTC))) == {old.id, other.id}
    assert await documents.current(store.db, "mercia", AT + timedelta(days=400)) == ()
    kinds = [event.kind for event in await events.events_after(store.db, 1)]
    assert kinds == ["document.added"] * 3 + ["document.withdrawn"]


@one_database
@pytest.mark.parametrize(
    "changed",
    [
        {"code": "press-release"},
        {"version": " "},
        {"approved_by": ""},
        {"sha256": "A" * 64},
        {"sha256": "a" * 63},
        {"approved_at": datetime.now(UTC) + timedelta(days=1)},
        {"expires_at": AT},
        {"url": "x" * 2001},
    ],
)
async def test_what_is_no_approved_document(store, changed):
    with pytest.raises(Conflict):
        await add(store, **changed)
    assert await documents.registered(store.db, "mercia") == []


async def test_a_file_is_registered_once_until_it_is_withdrawn(store):
    made = await add(store)
    with pytest.raises(Conflict, match="already"):
        await add(store)
    await documents.withdraw(store.db, made.id, by="dora")
    with pytest.raises(Conflict, match="already"):
        await documents.withdraw(store.db, made.id, by="dora")
    with pytest.raises(NotFound):
        await documents.withdraw(store.db, uuid4(), by="dora")
    await add(store)


def test_the_hash_of_a_file(tmp_path):
    path = tmp_path / "dpia.pdf"
    path.write_bytes(b"abc")
    assert documents.file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ConfigError, match="cannot read"):
        documents.file_digest(tmp_path / "nothing")
    assert msgspec.structs.replace(UK, documents=()).documents == ()
