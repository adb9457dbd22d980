"""Officers' keys: opened by a re-entered password, vouched for by the registrar, replaced when a password is reset."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select

from lfr.domain.authority import Credential, Refusal, endorsed
from lfr.domain.errors import AuthorityError, Conflict, NotAllowed, NotFound, NotSignedIn, SignatureInvalid
from lfr.domain.signing import Signed, instant, public_key_of, sign
from lfr.services import attempts, events, officers, users
from lfr.services import registrar as registrars
from lfr.storage.models import AuditEntry, OfficerKey, User
from lfr.storage.node import new_node
from tests.support.quick import quicken

PASSWORD = "correct horse battery"
OTHER = "another good password"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    quicken(monkeypatch)


@pytest.fixture
def registrar(tmp_path):
    return registrars.local(new_node(tmp_path / "keys"), "mercia")


@pytest.fixture
async def ann(store):
    await users.add_user(store.db, "ann", "authorising-officer", PASSWORD, rank="superintendent")
    return "ann"


def refusal(officer="ann"):
    return Refusal(uuid4(), officer, instant(datetime.now(UTC)), "0" * 64, "Not proportionate.")


def said_by(given, vouching, **changed):
    asked = {"registrar": vouching.public, "force": "mercia", "role": "authorising-officer", "at": datetime.now(UTC)}
    return endorsed(given, Refusal, **(asked | changed))


async def key_row(db):
    async with db.session() as session:
        rows = (await session.exec(select(OfficerKey).where(OfficerKey.retired_at.is_(None)))).all()
    assert len(rows) == 1
    return rows[0]


async def signs(store, registrar, password=PASSWORD, name="ann"):
    return await officers.signer(store.db, registrar, name, password)


@pytest.mark.rule("A1")
async def test_a_password_opens_the_key_and_the_registrar_vouches_for_it(store, registrar, ann):
    signer = await signs(store, registrar)
    decision, credential = said_by(signer.endorse(refusal()), registrar)
    assert decision.reason == "Not proportionate."
    assert (credential.officer, credential.rank, credential.roles) == (
        "ann",
        "superintendent",
        ("authorising-officer",),
    )


@pytest.mark.rule("A1")
async def test_nobody_signs_in_anothers_name(store, registrar, ann):
    signer = await signs(store, registrar)
    with pytest.raises(AuthorityError, match="cannot sign"):
        signer.endorse(refusal("bob"))


@pytest.mark.rule("A1")
async def test_another_registrar_force_role_or_time_is_refused(store, registrar, ann, tmp_path):
    given = (await signs(store, registrar)).endorse(refusal())
    stranger = registrars.local(new_node(tmp_path / "other"), "mercia")
    for changed in (
        {"registrar": stranger.public},
        {"force": "wessex"},
        {"role": "operator"},
        {"at": datetime.now(UTC) + registrars.VALID},
        {"at": datetime.now(UTC) - timedelta(seconds=2)},
    ):
        with pytest.raises(AuthorityError):
            said_by(given, registrar, **changed)


async def test_a_wrong_reentered_password_counts_as_a_failed_sign_in(store, registrar, ann):
    told = set()
    for name, password in [("ann", "wrong"), ("nobody", PASSWORD), ("ann", "")]:
        with pytest.raises(NotSignedIn) as failed:
            await signs(store, registrar, password, name)
        told.add((failed.value.message, failed.value.hint))
    for _ in range(attempts.FAILURES):
        with pytest.raises(NotSignedIn):
            await signs(store, registrar, "wrong")
    for refused in (signs(store, registrar), users.sign_in(store.db, "ann", PASSWORD)):
        with pytest.raises(NotSignedIn) as failed:
            await refused
        told.add((failed.value.message, failed.value.hint))
    assert len(told) == 1
    kinds = [event.kind for event in await events.events_after(store.db, 1)]
    assert kinds.count("user.locked") == 1


async def test_a_right_password_forgets_the_failures(store, registrar, ann):
    for _ in range(attempts.FAILURES - 1):
        with pytest.raises(NotSignedIn):
            await signs(store, registrar, "wrong")
    await signs(store, registrar)
    async with store.db.session() as session:
        assert (await session.exec(select(User))).one().failures == 0


async def test_the_key_survives_a_new_password(store, registrar, ann):
    before = (await key_row(store.db)).public
    token = await users.sign_in(store.db, "ann", PASSWORD)
    await users.change_password(store.db, token, PASSWORD, OTHER)
    assert (await key_row(store.db)).public == before
    with pytest.raises(NotSignedIn):
        await signs(store, registrar)
    said_by((await signs(store, registrar, OTHER)).endorse(refusal()), registrar)


async def test_a_reset_password_has_a_new_key_and_the_old_one_signs_nothing_more(store, registrar, ann):
    given = (await signs(store, registrar)).endorse(refusal())
    one_time = await users.reset_password(store.db, "ann", by="eve")
    with pytest.raises(NotAllowed, match="one-time"):
        await signs(store, registrar, one_time)
    token = await users.sign_in(store.db, "ann", one_time)
    await users.change_password(store.db, token, one_time, OTHER)
    assert (await key_row(store.db)).public != given.said.key
    said_by((await signs(store, registrar, OTHER)).endorse(refusal()), registrar)
    with pytest.raises(AuthorityError, match="retired"):
        await officers.vouched(store.db, registrar, given.said.encode())
    async with store.db.session() as session:
        retired = await session.get(OfficerKey, given.said.key)
    assert retired.wrapped is None


async def test_a_reset_lifts_the_lock_and_ends_the_sessions(store, registrar, ann):
    token = await users.sign_in(store.db, "ann", PASSWORD)
    for _ in range(attempts.FAILURES):
        with pytest.raises(NotSignedIn):
            await signs(store, registrar, "wrong")
    one_time = await users.reset_password(store.db, "ann")
    with pytest.raises(NotSignedIn):
        await users.who(store.db, token)
    await users.sign_in(store.db, "ann", one_time)
    with pytest.raises(NotFound):
        await users.reset_password(store.db, "nobody")


async def test_neither_key_nor_password_stands_in_database_or_log(store, registrar, ann):
    signer = await signs(store, registrar)
    private = signer.key.private_bytes_raw()
    async with store.db.session() as session:
        rows = [*(await session.exec(select(OfficerKey))).all(), *(await session.exec(select(AuditEntry))).all()]
    for row in rows:
        assert PASSWORD not in str(row)
        assert private.hex() not in str(row)
        assert private not in (getattr(row, "wrapped", b"") or b"")
    assert private.hex() not in repr(signer)
    assert "PrivateKey" not in repr(signer)


async def test_an_account_without_a_key_gets_one_when_it_first_signs(store, registrar, ann):
    async with store.db.transaction() as session:
        for row in (await session.exec(select(OfficerKey))).all():
            await session.delete(row)
    said_by((await signs(store, registrar)).endorse(refusal()), registrar)
    said_by((await signs(store, registrar)).endorse(refusal()), registrar)
    await key_row(store.db)


async def test_a_key_row_that_was_tampered_with_opens_nothing(store, registrar, ann):
    async with store.db.transaction() as session:
        row = (await session.exec(select(OfficerKey))).one()
        row.wrapped = row.wrapped[:-1] + bytes([row.wrapped[-1] ^ 1])
    with pytest.raises(AuthorityError, match="does not open"):
        await signs(store, registrar)


@pytest.mark.rule("A1")
async def test_another_rank_or_role_shows_in_the_next_credential(store, registrar, ann):
    before = (await signs(store, registrar)).credential
    assert (await signs(store, registrar)).credential == before
    await users.change_user(store.db, "ann", roles=["operator"], rank="sergeant", by="eve")
    signer = await signs(store, registrar)
    credential = registrar.read(signer.credential)
    assert (credential.rank, credential.roles) == ("sergeant", ("operator",))
    with pytest.raises(AuthorityError, match="role"):
        said_by(signer.endorse(refusal()), registrar)
    await users.change_user(store.db, "ann", rank="")
    assert registrar.read((await signs(store, registrar)).credential).rank is None


async def test_a_credential_is_renewed_when_half_of_it_is_over(store, registrar, ann, monkeypatch):
    before = (await signs(store, registrar)).credential
    real = officers.now
    monkeypatch.setattr(officers, "now", lambda: real() + registrars.VALID * 0.4)
    assert (await signs(store, registrar)).credential == before
    monkeypatch.setattr(officers, "now", lambda: real() + registrars.VALID * 0.6)
    after = (await signs(store, registrar)).credential
    assert registrar.read(after).expires_at > registrar.read(before).expires_at
    monkeypatch.setattr(officers, "now", lambda: real() + registrars.VALID * 2)
    assert await officers.renew(store.db, registrar) == 1
    shown = await officers.keys_of(store.db, registrar, "ann")
    assert shown[0].expires_at > real() + registrars.VALID * 2


async def test_a_key_held_elsewhere(store, registrar, ann):
    own = Ed25519PrivateKey.generate()
    with pytest.raises(SignatureInvalid, match="nobody"):
        await officers.vouched(store.db, registrar, sign(refusal(), own).encode())
    await officers.register(store.db, registrar, "Ann", public_key_of(own).upper())
    with pytest.raises(AuthorityError, match="elsewhere"):
        await signs(store, registrar)
    given = await officers.vouched(store.db, registrar, sign(refusal(), own).encode())
    said_by(given, registrar)
    token = await users.sign_in(store.db, "ann", PASSWORD)
    await users.change_password(store.db, token, PASSWORD, OTHER)
    assert (await key_row(store.db)).public == public_key_of(own)
    with pytest.raises(Conflict, match="known"):
        await officers.register(store.db, registrar, "ann", public_key_of(own))


@pytest.mark.parametrize("key", ["", "ab", "g" * 64, "0" * 63])
async def test_what_is_no_public_key(store, registrar, ann, key):
    with pytest.raises(Conflict, match="64 hex"):
        await officers.register(store.db, registrar, "ann", key)
    with pytest.raises(NotFound):
        await officers.register(store.db, registrar, "nobody", "0" * 64)


@pytest.mark.rule("A1")
async def test_a_registrar_elsewhere(store, registrar, ann, tmp_path):
    here = registrars.local(new_node(tmp_path / "van"), "mercia", public=registrar.public)
    with pytest.raises(AuthorityError, match="elsewhere"):
        await signs(store, here)
    async with store.db.session() as session:
        assert (await session.exec(select(User))).one().failures == 0
    public = (await key_row(store.db)).public
    told = {"rank": "superintendent", "roles": ["authorising-officer"], "public": public, "at": datetime.now(UTC)}
    assert await officers.import_credential(store.db, here, registrar.vouch("ann", **told)) == "ann"
    said_by((await signs(store, here)).endorse(refusal()), registrar)

    with pytest.raises(AuthorityError, match="another rank"):
        await officers.import_credential(store.db, here, registrar.vouch("ann", **(told | {"rank": "chief-constable"})))
    late = told | {"at": datetime.now(UTC) - registrars.VALID}
    with pytest.raises(AuthorityError, match="run out"):
        await officers.import_credential(store.db, here, registrar.vouch("ann", **late))
    forged = registrars.local(new_node(tmp_path / "forger"), "mercia")
    with pytest.raises(SignatureInvalid):
        await officers.import_credential(store.db, here, forged.vouch("ann", **told))
    await users.change_user(store.db, "ann", rank="inspector")
    with pytest.raises(AuthorityError, match="no valid credential"):
        await signs(store, here)


async def test_a_credential_for_a_token_makes_it_the_officers_key(store, registrar, ann):
    token = Ed25519PrivateKey.generate()
    told = {"rank": "superintendent", "roles": ["authorising-officer"], "at": datetime.now(UTC)}
    signed = registrar.vouch("ann", public=public_key_of(token), **told)
    await officers.import_credential(store.db, registrar, signed)
    assert (await key_row(store.db)).public == public_key_of(token)


def test_a_credential_of_another_force_is_none(registrar, tmp_path):
    key = Ed25519PrivateKey.generate()
    at = instant(datetime.now(UTC))
    said = Credential("ann", "wessex", None, ("operator",), "0" * 64, at, at + timedelta(days=1))
    mine = registrars.Registrar("mercia", public_key_of(key), key)
    with pytest.raises(AuthorityError, match="wessex"):
        mine.read(sign(said, key))


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[1]", b'{"text": 1}'])
async def test_what_is_no_signed_file(store, registrar, data):
    with pytest.raises(SignatureInvalid):
        await officers.vouched(store.db, registrar, data)


async def test_a_file_may_hold_the_credential_too(store, registrar, ann):
    given = (await signs(store, registrar)).endorse(refusal())
    assert await officers.vouched(store.db, registrar, msgspec.json.encode(given)) == given
    assert Signed.decode(given.said.encode()) == given.said
