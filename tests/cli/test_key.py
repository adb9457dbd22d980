"""`lfr key`: a key on a stick, a statement signed away from the van, and a registrar that is elsewhere."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from lfr.cli.app import run
from lfr.config import load
from lfr.domain.authority import Endorsed, Refusal, endorsed
from lfr.domain.signing import Signed, open_signed, text_of
from lfr.services import key_files, officers, registrar
from lfr.storage.database import Database, migrate
from lfr.storage.node import open_node
from tests.support.quick import quicken

PASSWORD = "a long enough secret"


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    quicken(monkeypatch)
    (tmp_path / "secret").write_text(PASSWORD + "\n")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "van.yaml"
    path.write_text("name: van\nmode: research\npack: embedded\nforce: mercia\npolicy: uk-default\ndata_dir: data\n")
    return path


@pytest.fixture
def lfr(tmp_path, capsys):
    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run([str(one) for one in arguments])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


def on(config, use):
    async def opened():
        loaded = load(config)
        loaded.data_path.mkdir(exist_ok=True)
        await migrate(loaded.database_url)
        db = Database(loaded.database_url)
        node = open_node(loaded.node_key_source, loaded.keys_path, create=True)
        try:
            return await use(db, registrar.of(node, loaded))
        finally:
            await db.dispose()

    return asyncio.run(opened())


def draft(tmp_path, **changed):
    said = Refusal(uuid4(), "anna", datetime.now(UTC).replace(microsecond=0), "0" * 64, "Not proportionate.")
    path = tmp_path / "refusal.json"
    path.write_text(text_of(said) + "\n")
    return path


def make(lfr, tmp_path, name="anna.key"):
    code, out, _ = lfr("key", "new", tmp_path / name, "--password-file", tmp_path / "secret")
    assert code == 0
    return tmp_path / name, out.strip()


def signed(lfr, tmp_path, key, *more):
    out = tmp_path / "signed.json"
    arguments = ("--key", key, "--out", out, "--password-file", tmp_path / "secret", "--yes")
    return *lfr("key", "sign", draft(tmp_path), *arguments, *more), out


def test_a_key_on_a_stick_signs_what_the_van_accepts(lfr, config, tmp_path):
    key, public = make(lfr, tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert lfr("key", "show", key)[1].strip() == public
    code, _, err, out = signed(lfr, tmp_path, key)
    assert code == 0
    assert "reason: Not proportionate." in err
    assert open_signed(Signed.decode(out.read_bytes()), Refusal, key=public).officer == "anna"

    code, _, err = lfr("key", "register", "anna", public, "--config", config)
    assert code == 1
    assert "no user" in err
    lfr("user", "add", "anna", "--role", "authorising-officer", "--rank", "superintendent", "--config", config)
    assert lfr("key", "register", "Anna", public, "--config", config)[0] == 0
    code, shown, _ = lfr("key", "show", "anna", "--config", config)
    assert shown.splitlines()[1].split()[:2] == [public, "elsewhere"]
    assert "retired" in shown

    async def accept(db, vouching):
        given = await officers.vouched(db, vouching, out.read_bytes())
        return endorsed(
            given, Refusal, registrar=vouching.public, force="mercia", role="authorising-officer", at=datetime.now(UTC)
        )

    decision, credential = on(config, accept)
    assert (decision.reason, credential.rank) == ("Not proportionate.", "superintendent")


def test_a_key_is_never_overwritten(lfr, tmp_path):
    key, _ = make(lfr, tmp_path)
    before = key.read_bytes()
    code, _, err = lfr("key", "new", key, "--password-file", tmp_path / "secret")
    assert (code, key.read_bytes()) == (1, before)
    assert "there already" in err
    (tmp_path / "weak").write_text("short\n")
    assert lfr("key", "new", tmp_path / "b.key", "--password-file", tmp_path / "weak")[0] == 1
    assert not (tmp_path / "b.key").exists()


def test_what_is_not_signed(lfr, tmp_path):
    key, _ = make(lfr, tmp_path)
    (tmp_path / "secret").write_text("another secret\n")
    code, _, err, out = signed(lfr, tmp_path, key)
    assert code == 1
    assert "does not open" in err
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    path = draft(tmp_path)
    said = json.loads(path.read_bytes())
    for spoilt in (
        json.dumps(said),  # not canonical
        "{}",
        "nonsense",
        json.dumps(said | {"type": "lfr.credential/1"}),
        json.dumps(said | {"type": "lfr.mandate/1"}),
        json.dumps(said | {"more": 1}),
    ):
        path.write_text(spoilt)
        code, _, err = lfr(
            "key", "sign", path, "--key", key, "--out", out, "--password-file", tmp_path / "secret", "--yes"
        )
        assert code == 1
        assert err.startswith("error: ")
    assert not out.exists()
    code, _, err = lfr("key", "show", path)
    assert code == 1
    assert "no key file" in err


def test_nobody_signs_without_having_read_it(lfr, tmp_path):
    key, _ = make(lfr, tmp_path)
    code, _, err = lfr("key", "sign", draft(tmp_path), "--key", key, "--password-file", tmp_path / "secret")
    assert code == 1
    assert "Not proportionate." in err


def test_a_changed_key_file(lfr, tmp_path):
    key, _ = make(lfr, tmp_path)
    held = json.loads(key.read_bytes())
    for changed in ({"public": "0" * 64}, {"wrapped": held["wrapped"][:-8] + "AAAAAAA="}, {"lfr_key": 2}, {"x": 1}):
        key.write_text(json.dumps(held | changed))
        assert signed(lfr, tmp_path, key)[0] == 1


def test_a_registrar_elsewhere(lfr, config, tmp_path):
    code, out, _ = lfr("key", "registrar", "--config", config)
    assert code == 0
    van = tmp_path / "two" / "van.yaml"
    van.parent.mkdir()
    van.write_text(config.read_text() + f"registrar: {out.strip()}\n")
    assert lfr("key", "registrar", "--config", van)[1] == out
    lfr("user", "add", "anna", "--role", "authorising-officer", "--rank", "superintendent", "--config", van)
    key, public = make(lfr, tmp_path)
    code, _, err = lfr("key", "renew", "anna", "--config", van)
    assert code == 1
    assert "elsewhere" in err
    word = tmp_path / "anna.json"
    arguments = ("--rank", "superintendent", "--role", "authorising-officer", "--out", word, "--config", config)
    assert lfr("key", "vouch", "anna", public, *arguments)[0] == 0
    assert lfr("key", "import", word, "--config", van)[0] == 0
    code, _, _, out = signed(lfr, tmp_path, key, "--credential", word)
    assert code == 0
    assert Endorsed.decode(out.read_bytes()).credential == Signed.decode(word.read_bytes())
    for wrong in (("--rank", "general"), ("--role", "king")):
        code, _, err = lfr("key", "vouch", "anna", public, "--role", "operator", *wrong, "--config", config)
        assert code == 1
        assert "no r" in err
    word.write_text("nonsense")
    assert lfr("key", "import", word, "--config", van)[0] == 1


def test_a_registrars_key_in_the_configuration_is_a_key(lfr, config):
    config.write_text(config.read_text() + "registrar: nobody\n")
    code, _, err = lfr("key", "registrar", "--config", config)
    assert code == 1
    assert "registrar" in err


async def test_the_file_alone_opens_nothing(tmp_path):
    public = await key_files.new(tmp_path / "a.key", PASSWORD)
    raw = (tmp_path / "a.key").read_bytes()
    private = (await key_files.unlock(tmp_path / "a.key", PASSWORD)).private_bytes_raw()
    assert private not in msgspec.json.decode(raw, type=key_files._KeyFile).wrapped
    assert private.hex().encode() not in raw
    assert public in raw.decode()


def test_renewing_counts_who_has_a_key(lfr, config):
    for name in ("anna", "bob"):
        lfr("user", "add", name, "--config", config)
    code, _, err = lfr("key", "renew", "--config", config)
    assert (code, err.strip()) == (0, "2 officers are vouched for")
