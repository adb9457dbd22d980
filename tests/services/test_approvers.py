"""Approvers from outside (A10): a real server over TLS and over loopback, a signed file, a second officer."""

import datetime as dt
import ipaddress
import ssl
import time
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from sqlmodel import select

from lfr.domain.authority import Approval
from lfr.domain.errors import AuthorityError, ConfigError, Conflict, NotFound, SignatureInvalid
from lfr.domain.policy import Approver
from lfr.domain.signing import public_key_of, sign
from lfr.services import approvers, deployments, events, users
from lfr.storage.models import SignedDecision
from tests.support.court import JUDGE, court, judge
from tests.support.quick import quicken
from tests.support.scene import PASSWORD, new_scene

one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
async def scene(store, tmp_path, monkeypatch):
    quicken(monkeypatch)
    return await with_approver(store, tmp_path, Approver("judge", "Judge", "file", keys=(public_key_of(JUDGE),)))


async def with_approver(store, folder, *given):
    made = new_scene(store.db, folder, approvers=given)
    await made.make()
    return made


def approval(scene, **changed):
    given = {
        "deployment_id": scene.id, "approver": "judge", "plan_digest": scene.plan().digest, "decision": "approve",
        "at": scene.at, "expires_at": scene.at + timedelta(days=1),
    }  # fmt: skip
    return Approval(**(given | changed))


async def take(scene, data, **changed):
    given = {"policy": scene.policy, "registrar": scene.registrar.public, "by": "olga", "at": scene.at}
    return await approvers.take(scene.db, scene.id, data, **(given | changed))


def signed(scene, key=JUDGE, **changed):
    return sign(approval(scene, **changed), key).encode()


async def a10(scene, at=None):
    found = await scene.missing("go-live", at=at or scene.at)
    return [one.what for one in found if one.rule == "A10" and one.blocks]


async def kept(scene):
    async with scene.db.session() as session:
        return (await session.exec(select(SignedDecision))).all()


@pytest.mark.rule("A10")
async def test_a_signed_file_opens_the_gate_until_it_runs_out(scene):
    assert await a10(scene) == ["Judge: has not approved this plan"]
    found = await take(scene, signed(scene))
    assert (found.approver, found.decision, found.officer) == ("judge", "approve", None)
    assert await a10(scene) == []
    assert await a10(scene, scene.at + timedelta(days=1)) == ["Judge: the approval is not valid at this time"]
    with pytest.raises(Conflict, match="already"):
        await take(scene, signed(scene))


@pytest.mark.rule("A10")
async def test_a_refusal_is_kept_and_a_later_one_counts(scene):
    await take(scene, signed(scene))
    await take(scene, signed(scene, decision="refuse", at=scene.at + timedelta(seconds=1)))
    assert await a10(scene) == ["Judge: has refused"]
    kinds = [event.kind for event in await events.events_after(scene.db, 1)]
    assert kinds.count("approval.given") == 2


@pytest.mark.rule("A10")
@one_database
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"key": Ed25519PrivateKey.generate()}, "not signed with a key"),
        ({"approver": "mayor"}, "no approver"),
        ({"deployment_id": uuid4()}, "another deployment"),
        ({"plan_digest": "9" * 64}, "another plan"),
    ],
)
async def test_whose_approval_and_of_what(scene, changed, words):
    with pytest.raises(AuthorityError, match=words):
        await take(scene, signed(scene, **changed))
    assert await kept(scene) == []


@pytest.mark.rule("A10")
async def test_an_approval_of_another_time(scene):
    for changed in ({"at": scene.at + timedelta(minutes=3)}, {"expires_at": scene.at}):
        with pytest.raises(AuthorityError, match="not valid at this time"):
            await take(scene, signed(scene, **changed))
    with pytest.raises(NotFound):
        await approvers.take(scene.db, uuid4(), signed(scene), policy=scene.policy, registrar=scene.registrar.public)


@one_database
@pytest.mark.parametrize("data", [b"", b"{}", b"yes", b"\xff\xfe", b"[" * 3000])
async def test_what_is_no_answer(scene, data):
    with pytest.raises(SignatureInvalid):
        await take(scene, data)


@pytest.mark.rule("A10")
async def test_a_changed_bit(scene):
    data = bytearray(signed(scene))
    data[data.index(b"approve") + 1] ^= 1
    with pytest.raises(SignatureInvalid):
        await take(scene, bytes(data))


@pytest.mark.rule("A10")
async def test_a_changed_plan_needs_a_new_approval(scene):
    await take(scene, signed(scene))
    row = await deployments.get_deployment(scene.db, scene.id)
    await deployments.change_plan(
        scene.db, scene.id, scene.plan(title="Elsewhere"), version=row.version, policy=scene.policy,
        by=deployments.SYSTEM,
    )  # fmt: skip
    assert await a10(scene) == ["Judge: approved another plan than the present one"]


@pytest.mark.rule("A10")
async def test_a_second_officer_of_the_rank_and_not_the_same_one(store, tmp_path, monkeypatch):
    quicken(monkeypatch)
    scene = await with_approver(store, tmp_path, Approver("second", "Second officer", "officer", rank="superintendent"))
    await scene.accounts()
    await scene.make(documents=await scene.papers())
    await users.add_user(store.db, "sue", "authorising-officer", PASSWORD, rank="chief-inspector")
    row = await deployments.get_deployment(scene.db, scene.id)
    said = approval(scene, approver="second", plan_digest=row.plan_digest)
    with pytest.raises(SignatureInvalid, match="credential"):
        await take(scene, (await scene.signer("sue")).endorse(said).said.encode())
    with pytest.raises(AuthorityError, match="superintendent is needed"):
        await take(scene, (await scene.signer("sue")).endorse(said).encode())
    await scene.authorise()
    own = (await scene.signer("anna")).endorse(said)
    await take(scene, own.encode())
    assert await a10(scene) == ["Second officer: it must be another officer than the one who authorised"]
    await users.change_user(store.db, "sue", rank="superintendent")
    later = approval(scene, approver="second", plan_digest=row.plan_digest, at=scene.at + timedelta(seconds=1))
    given = (await scene.signer("sue")).endorse(later)
    with pytest.raises(SignatureInvalid):
        await take(scene, msgspec.structs.replace(given, credential=own.credential).encode())
    assert (await take(scene, given.encode())).officer == "sue"
    assert await a10(scene) == []


def over_http(server, scheme="http"):
    url = f"{scheme}://127.0.0.1:{server.server_port}/approve"
    return Approver("judge", "Judge", "http", keys=(public_key_of(JUDGE),), url=url)


async def ask(scene, *, cafile="", timeout_s=5.0):
    async with approvers.http_client(cafile=cafile, timeout_s=timeout_s) as client:
        return await approvers.ask(
            scene.db, client, scene.id, "judge", policy=scene.policy, registrar=scene.registrar.public, by="olga"
        )


@pytest.mark.rule("A10")
async def test_a_service_that_signs_its_answer(store, tmp_path):
    with court(judge) as server:
        scene = await with_approver(store, tmp_path, over_http(server))
        found = await ask(scene)
    assert found.decision == "approve"
    (asked,) = server.asked
    assert asked["plan_digest"] == scene.plan().digest
    assert asked["plan"]["title"] == "Station square"
    assert await a10(scene) == []


@pytest.mark.rule("A10")
async def test_a_service_may_refuse(store, tmp_path):
    with court(lambda asked: judge(asked, decision="refuse")) as server:
        scene = await with_approver(store, tmp_path, over_http(server))
        assert (await ask(scene)).decision == "refuse"
    assert await a10(scene) == ["Judge: has refused"]


@pytest.mark.rule("A10")
@one_database
@pytest.mark.parametrize(
    "answer",
    [
        lambda asked: (202, b""),
        lambda asked: (500, judge(asked)[1]),
        lambda asked: (302, judge(asked)[1]),
        lambda asked: (200, b"yes"),
        lambda asked: (200, b"x" * (approvers.ANSWER_MOST + 1)),
        lambda asked: judge(asked, key=Ed25519PrivateKey.generate()),
        lambda asked: judge(asked, plan_digest="9" * 64),
        lambda asked: judge(asked, deployment_id=str(uuid4())),
        lambda asked: judge(asked, approver="mayor"),
    ],
    ids=[
        "later",
        "broken",
        "elsewhere",
        "unsigned",
        "endless",
        "forged",
        "other plan",
        "other deployment",
        "other name",
    ],
)
async def test_everything_but_a_good_answer_is_a_no(store, tmp_path, answer):
    with court(answer) as server:
        scene = await with_approver(store, tmp_path, over_http(server))
        with pytest.raises(AuthorityError):
            await ask(scene)
    assert await kept(scene) == []
    assert await a10(scene) == ["Judge: has not approved this plan"]


@pytest.mark.rule("A10")
async def test_nobody_there_and_somebody_too_slow(store, tmp_path):
    def slow(asked):
        time.sleep(0.5)
        return judge(asked)

    with court(slow) as server:
        scene = await with_approver(store, tmp_path, over_http(server))
        with pytest.raises(AuthorityError, match="cannot be reached"):
            await ask(scene, timeout_s=0.1)
    with pytest.raises(AuthorityError, match="cannot be reached"):
        await ask(scene)
    assert await kept(scene) == []
    kinds = [event.kind for event in await events.events_after(scene.db, 1)]
    assert kinds.count("approval.unanswered") == 2


def certificate(folder, host="127.0.0.1"):
    """A self-signed certificate for one address, and a server's TLS with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "court")])
    at = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / f"{host}.pem", folder / f"{host}.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)
    return str(cert), context


@pytest.mark.rule("A10")
async def test_tls_is_checked(store, tmp_path):
    cafile, context = certificate(tmp_path)
    with court(judge, context) as server:
        scene = await with_approver(store, tmp_path, over_http(server, "https"))
        with pytest.raises(AuthorityError, match="cannot be reached"):
            await ask(scene)
        assert (await ask(scene, cafile=cafile)).decision == "approve"
    other, context = certificate(tmp_path, "127.0.0.9")
    with court(judge, context) as server:
        scene = await with_approver(store, tmp_path / "two", over_http(server, "https"))
        with pytest.raises(AuthorityError, match="cannot be reached"):
            await ask(scene, cafile=other)


@one_database
@pytest.mark.parametrize(
    "address", ["", "http://court.example/", "ftp://127.0.0.1/", "https://", "//x", "file:///etc/passwd"]
)
async def test_a_plan_never_goes_out_in_the_clear(store, tmp_path, address):
    scene = await with_approver(store, tmp_path, Approver("judge", "Judge", "http", keys=("0" * 64,), url=address))
    with pytest.raises(ConfigError, match="https"):
        await ask(scene)


async def test_only_services_are_asked_over_the_network(scene):
    with pytest.raises(ConfigError, match="not asked"):
        await ask(scene)
