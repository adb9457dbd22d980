"""`lfr deployment`: from a plan to a decision that came as QR codes, on a real database."""

from __future__ import annotations

import asyncio
import io
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import yaml

from lfr.cli.app import run
from lfr.config import load
from lfr.domain.authority import Restart
from lfr.services import carried, deployments, machine, mandates, officers, policies, registrar, users
from lfr.services.life import bundle_of
from lfr.services.terms import Terms
from lfr.storage.database import Database, migrate
from lfr.storage.node import open_node
from tests.support.desk import FORCE_POLICY, PEOPLE
from tests.support.quick import quicken

PASSWORD = "a long enough secret"
START = datetime.now(UTC).replace(microsecond=0)
RANKS = {"olga": "lead", "ian": "volunteer"}


@pytest.fixture
def config(tmp_path, monkeypatch):
    quicken(monkeypatch)
    (tmp_path / "policy.yaml").write_bytes(msgspec.yaml.encode(FORCE_POLICY))
    (tmp_path / "van.yaml").write_text(
        "name: van\nmode: research\npack: embedded\nforce: north-force\npolicy: policy.yaml\ndata_dir: data\n"
        "cameras: [{id: north, url: a.mp4}]\n"
    )
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    return tmp_path / "van.yaml"


@pytest.fixture
def lfr(config, tmp_path, capsys):
    """Run the command; exit code, stdout, stderr."""

    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["deployment", *map(str, arguments)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    def on_van(*arguments):
        return use(*arguments, "--config", config)

    on_van.plain = use
    return on_van


def at(config: Path, use):
    """Something done on the database of this configuration."""

    async def opened():
        loaded = load(config)
        loaded.data_path.mkdir(exist_ok=True)
        await migrate(loaded.database_url)
        db = Database(loaded.database_url)
        try:
            return await use(db, open_node(loaded.node_key_source, loaded.keys_path, create=True), loaded)
        finally:
            await db.dispose()

    return asyncio.run(opened())


@pytest.fixture
def people(config):
    async def add(db, node, loaded):
        for role, names in PEOPLE.items():
            for name in names:
                await users.add_user(db, name, role, PASSWORD, rank=RANKS.get(name), must_change=False)

    at(config, add)


@pytest.fixture
def plan(lfr, tmp_path) -> Path:
    """The template, filled in."""
    code, out, _ = lfr("plan", "--template")
    assert code == 0
    filled = yaml.safe_load(out)
    filled |= {
        "title": "Saturday market", "people": {role: list(names) for role, names in PEOPLE.items()},
        "starts_at": START.isoformat(), "ends_at": (START + timedelta(hours=6)).isoformat(),
        "reasons": dict.fromkeys(filled["reasons"], "Enough different words for this small policy of ours."),
    }  # fmt: skip
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(filled))
    return path


SIGNED = ("--password-file", "secret")


@pytest.fixture
def ready(lfr, people, plan, tmp_path, monkeypatch) -> str:
    """A deployment that is ready; its id."""
    monkeypatch.chdir(tmp_path)
    code, out, _ = lfr("new", "--plan", plan)
    assert code == 0
    for step in (
        ["submit", "--as", "petra"],
        ["authorise", "--officer", "olga"],
        ["approve-list", "--officer", "olga"],
    ):
        code, _, err = lfr(*step, *SIGNED)
        assert (code, err) == (0, err), err
    assert err.strip().endswith("is ready")
    assert lfr("check")[0] == 0
    return out.strip()


@pytest.mark.rule("A1")
def test_from_a_plan_to_ready_by_signed_steps(lfr, ready) -> None:
    told = json.loads(lfr("show", "--json")[1])
    assert (told["id"], told["state"], told["band"]) == (ready, "ready", 1)
    assert [(one["kind"], one["officer"]) for one in told["decisions"]] == [
        ("lfr.authorisation/1", "olga"),
        ("lfr.list-approval/1", "olga"),
    ]
    assert "Saturday market" in lfr("list")[1]
    shown = lfr("show", ready[:8])[1]
    assert "list-approval" in shown
    assert yaml.safe_load(lfr("plan", ready[:8])[1])["title"] == "Saturday market"


@pytest.mark.rule("A1")
def test_the_checklist_names_what_is_missing_by_rule_and_whoever_can_mend_it(lfr, people, plan, tmp_path) -> None:
    filled = yaml.safe_load(plan.read_text())
    filled["reasons"]["necessity"] = "<to be written>"
    filled["people"]["operator"] = ["olga"]
    plan.write_text(yaml.safe_dump(filled))
    lfr("new", "--plan", plan)
    code, out, _ = lfr("check")
    assert code == 1
    assert "✗ Reasons written (A2): why it is necessary: nothing is written [authorising-officer]" in out
    assert "✗ Parts kept apart (A9): olga may not be both Authorising Officer and operator" in out
    assert "✓ Start and end" in out
    code, _, err = lfr("submit")
    assert code == 1
    assert "and 1 more" in err
    told = json.loads(lfr("check", "--for", "go-live", "--json")[1])
    rules = {one["rule"] for one in told["missing"]}
    assert {"A1", "A2", "A9"} <= rules
    assert lfr("check", "--for", "party")[0] == 1


@pytest.mark.rule("A1")
@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("rank", ["authorise", "--officer", "ian", *SIGNED]),
        ("role", ["authorise", "--officer", "petra", *SIGNED]),
        ("name or the password is wrong", ["authorise", "--officer", "nobody", *SIGNED]),
        ("password of olga is needed", ["authorise", "--officer", "olga"]),
        ("who decides", ["authorise"]),
        ("needs its reason", ["refuse", "--officer", "olga", *SIGNED]),
        ("not stopped", ["restart", "--officer", "olga", "--reason", "x", *SIGNED]),
        ("authorised yet", ["extend", "--officer", "olga", "--until", "2030-01-01T00:00Z", "--reason", "x", *SIGNED]),
        ("no zone", ["extend", "--officer", "olga", "--until", "2030-01-01T00:00", "--reason", "x", *SIGNED]),
        ("no deployment 'ffff'", ["show", "ffff"]),
        ("no system named van is running", ["go-live", "--as", "petra", *SIGNED]),
        ("submitted cannot stop", ["stop"]),
    ],
)
def test_a_step_that_cannot_be_is_one_line_and_a_hint(
    lfr, people, plan, tmp_path, monkeypatch, words: str, step: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert lfr("new", "--plan", plan)[0] == 0
    assert lfr("submit")[0] == 0
    code, _, err = lfr(*step)
    assert code == 1
    assert err.startswith("error: ")
    assert words in err
    assert json.loads(lfr("show", "--json")[1])["state"] == "submitted"


def test_a_refused_plan_is_changed_and_submitted_again(lfr, people, plan, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lfr("new", "--plan", plan)
    lfr("submit")
    assert lfr("refuse", "--officer", "olga", "--reason", "The place is too wide.", *SIGNED)[0] == 0
    assert json.loads(lfr("show", "--json")[1])["state"] == "refused"
    assert lfr("plan", "--file", plan, "--version", "1")[0] == 1
    assert lfr("plan", "--file", plan)[0] == 0
    assert lfr("submit")[0] == 0
    assert lfr("withdraw")[0] == 0
    assert lfr("end")[0] == 0
    assert json.loads(lfr("show", json.loads(_first(lfr)), "--json")[1])["state"] == "ended"


def _first(lfr) -> str:
    return json.dumps(lfr("list")[1].splitlines()[1].split()[0])


@pytest.mark.rule("A13")
def test_a_van_without_a_link_is_restarted_by_codes_signed_elsewhere(lfr, ready, config, tmp_path, monkeypatch) -> None:
    async def go_live(db, node, loaded):
        bundle = bundle_of(await deployments.get_deployment(db, UUID(ready)))
        system = await machine.look(db, loaded, node.registrar_key)
        terms = Terms(policies.load(loaded.policy), bundle, system)
        await mandates.mint(db, node, UUID(ready), terms=terms, by="petra")

    at(config, go_live)
    assert lfr("stop", "--as", "audrey", *SIGNED)[2].strip().endswith("is stopped")

    # In the van: the decision is drawn up and shown as codes.
    assert lfr("restart", "--officer", "olga", "--reason", "The lamp was mended.", "--draft", "restart.json")[0] == 0
    assert json.loads(lfr("show", "--json")[1])["state"] == "stopped"
    drawn = lfr.plain("qr", "restart.json", "--out", "asked")[1].split()

    # At the officer's desk: read from the pictures, signed with a key, and shown as codes again.
    assert lfr.plain("qr", *drawn, "--read", "--out", "asked.json")[0] == 0
    said = msgspec.json.decode(Path("asked.json").read_bytes(), type=Restart)

    async def olgas(db, node, loaded):
        return await officers.signer(db, registrar.of(node, loaded), "olga", PASSWORD)

    signer = at(config, olgas)
    Path("signed.json").write_bytes(signer.endorse(said).encode())
    codes = lfr.plain("qr", "signed.json", "--out", "answer")[1].split()
    assert len(codes) > 1
    random.Random(2).shuffle(codes)

    # In the van again.
    missing = lfr("restart", "--from", codes[0])
    assert missing[0] == 1
    assert "missing" in missing[2]
    back = [part for code in codes for part in ("--from", code)]
    assert lfr("restart", *back)[2].strip().endswith("is ready")
    assert lfr("restart", *back)[0] == 1  # it counts once
    assert carried.read([Path(code) for code in codes]) == Path("signed.json").read_bytes()
