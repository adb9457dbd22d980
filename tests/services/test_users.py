"""Accounts, sign-in, lock-out and sessions."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlmodel import select

from lfr.domain.errors import Conflict, NotSignedIn
from lfr.services import attempts, events, passwords, users
from lfr.storage.models import AuditEntry, Session, User
from tests.support.quick import quicken

PASSWORD = "correct horse battery"
HASHER, DECOY = passwords._hasher, passwords._DECOY


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Argon2 at its cheapest: its strength is not what is tested here."""
    quicken(monkeypatch)


@pytest.fixture
def clock(monkeypatch):
    """The services' clock, to be moved."""
    real, moved = users.now, [timedelta(0)]
    for module in (users, attempts):
        monkeypatch.setattr(module, "now", lambda: real() + moved[0])

    def forward(**by):
        moved[0] += timedelta(**by)

    return forward


async def kinds(db):
    return [event.kind for event in await events.events_after(db, 1)]


async def fail(db, name="ann", password="wrong"):
    with pytest.raises(NotSignedIn) as failed:
        await users.sign_in(db, name, password)
    return failed.value.message, failed.value.hint


async def test_a_one_time_password_must_be_changed(store):
    password = await users.add_user(store.db, " Ann ", "operator")
    assert len(password) == 24
    token = await users.sign_in(store.db, "ANN", password)
    signed_in = await users.who(store.db, token)
    assert (signed_in.name, signed_in.roles, signed_in.must_change) == ("ann", ("operator",), True)
    await users.change_password(store.db, token, password, PASSWORD)
    assert not (await users.who(store.db, token)).must_change
    await fail(store.db, password=password)
    await users.sign_in(store.db, "ann", PASSWORD)
    told = [
        "user.added",
        "user.key-made",
        "user.signed-in",
        "user.password-changed",
        "user.sign-in-failed",
        "user.signed-in",
    ]
    assert await kinds(store.db) == told


async def test_a_given_password_stands(store):
    assert await users.add_user(store.db, "ann", "auditor", PASSWORD) == PASSWORD
    assert not (await users.who(store.db, await users.sign_in(store.db, "ann", PASSWORD))).must_change


async def test_the_demo_may_leave_its_one_time_password(store):
    password = await users.add_user(store.db, "demo", "operator", must_change=False)
    assert not (await users.who(store.db, await users.sign_in(store.db, "demo", password))).must_change


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("", "operator", None),
        ("two words", "operator", None),
        ("x" * 33, "operator", None),
        ("-ann", "operator", None),
        ("ann", "king", None),
        ("ann", "operator", "short"),
        ("ann", "operator", "x" * 257),
        ("ann", "operator", "abababababababab"),
        ("annabel", "operator", "annabel-annabel"),
    ],
)
async def test_what_no_account_is_made_of(store, name, role, password):
    with pytest.raises(Conflict) as failed:
        await users.add_user(store.db, name, role, password)
    assert password is None or password not in failed.value.message
    assert await users.list_users(store.db) == []


async def test_a_name_is_given_once(store):
    await users.add_user(store.db, "ann", "operator")
    with pytest.raises(Conflict, match="already"):
        await users.add_user(store.db, "Ann", "engineer")
    assert [user.roles for user in await users.list_users(store.db)] == [("operator",)]


async def test_neither_password_nor_token_is_stored(store):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    token = await users.sign_in(store.db, "ann", PASSWORD)
    assert len(token) == 43
    async with store.db.session() as session:
        user = (await session.exec(select(User))).one()
        held = (await session.exec(select(Session))).one()
        logged = (await session.exec(select(AuditEntry))).all()
    assert user.password_hash.startswith("$argon2id$")
    assert held.token_hash == hashlib.sha256(token.encode()).digest()
    for secret in (PASSWORD, token):
        assert not any(secret in str(row) for row in (user, held, *logged))


async def test_keyboards_differ(store):
    await users.add_user(store.db, "ann", "operator", "caf\u00e9 corr\u00e9ct horse")
    await users.sign_in(store.db, "ann", "cafe\u0301 corre\u0301ct horse")


async def test_wrong_unknown_and_locked_are_told_alike(store):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    answers = {await fail(store.db, "nobody"), await fail(store.db, "")}
    for _ in range(attempts.FAILURES):
        answers.add(await fail(store.db))
    answers.add(await fail(store.db, password=PASSWORD))
    assert len(answers) == 1


async def test_a_typed_name_that_nobody_has_is_not_written_down(store):
    await fail(store.db, "my-password-in-the-wrong-field")
    async with store.db.session() as session:
        logged = (await session.exec(select(AuditEntry))).all()
    assert not any("wrong-field" in str(row) for row in logged)


async def test_the_lock_opens_with_time_and_grows(store, clock):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    for _ in range(attempts.FAILURES):
        await fail(store.db)
    await fail(store.db, password=PASSWORD)
    assert (await users.list_users(store.db))[0].locked
    clock(seconds=61)
    await fail(store.db)
    clock(seconds=61)
    await fail(store.db, password=PASSWORD)
    clock(seconds=61)
    await users.sign_in(store.db, "ann", PASSWORD)
    assert (await kinds(store.db)).count("user.locked") == 2
    await fail(store.db)
    await users.sign_in(store.db, "ann", PASSWORD)


async def test_many_guesses_at_once_are_no_more_than_one_after_another(store, monkeypatch):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    looked = []
    verify = passwords.verified

    async def watched(password_hash, password):
        looked.append(password_hash)
        return await verify(password_hash, password)

    monkeypatch.setattr(passwords, "verified", watched)
    guesses = [f"guess {number}" for number in range(20)] + [PASSWORD]
    answers = await asyncio.gather(
        *(users.sign_in(store.db, "ann", guess) for guess in guesses), return_exceptions=True
    )
    assert all(isinstance(answer, NotSignedIn) for answer in answers[attempts.FAILURES :])
    assert (await users.list_users(store.db))[0].locked


async def test_the_same_work_whether_known_or_not(store, monkeypatch):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    looked = []

    async def watched(password_hash, _password):
        looked.append(password_hash)
        return False

    monkeypatch.setattr(passwords, "verified", watched)
    await fail(store.db, "ann")
    await fail(store.db, "nobody")
    assert len(looked) == 2


async def test_sessions_end(store, clock):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    token = await users.sign_in(store.db, "ann", PASSWORD)
    clock(minutes=59)
    await users.who(store.db, token)
    clock(minutes=59)
    await users.who(store.db, token)
    clock(minutes=60)
    with pytest.raises(NotSignedIn, match="ended"):
        await users.who(store.db, token)


async def test_no_session_outlives_its_most(store, clock):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    token = await users.sign_in(store.db, "ann", PASSWORD)
    for _ in range(15):
        clock(minutes=47)
        await users.who(store.db, token)
    clock(minutes=16)
    with pytest.raises(NotSignedIn, match="ended"):
        await users.who(store.db, token)


async def test_signing_out(store):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    token = await users.sign_in(store.db, "ann", PASSWORD)
    await users.sign_out(store.db, token)
    await users.sign_out(store.db, token)
    for bad in (token, "", "made up"):
        with pytest.raises(NotSignedIn):
            await users.who(store.db, bad)
    assert (await kinds(store.db))[-1] == "user.signed-out"


async def test_a_new_password_ends_all_other_sessions(store):
    await users.add_user(store.db, "ann", "operator", PASSWORD)
    one, other = [await users.sign_in(store.db, "ann", PASSWORD) for _ in range(2)]
    with pytest.raises(NotSignedIn, match="old password"):
        await users.change_password(store.db, one, "not the old one", "another good password")
    with pytest.raises(Conflict):
        await users.change_password(store.db, one, PASSWORD, PASSWORD)
    await users.change_password(store.db, one, PASSWORD, "another good password")
    await users.who(store.db, one)
    with pytest.raises(NotSignedIn):
        await users.who(store.db, other)


def test_the_decoy_costs_what_a_real_hash_costs():
    assert not HASHER.check_needs_rehash(DECOY)
    assert HASHER.memory_cost >= 64 * 1024
