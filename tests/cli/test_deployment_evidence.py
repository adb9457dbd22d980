"""The evidence side of `lfr deployment`: approvals, signs, the notice; all of it through the command line."""

import asyncio
import json
from datetime import timedelta

import msgspec
import pytest
import yaml

from lfr.cli.app import run
from lfr.config import load
from lfr.domain.policy import Approver
from lfr.domain.signing import public_key_of
from lfr.services import policies, users
from lfr.storage.columns import now
from lfr.storage.database import Database, migrate
from tests.support.court import JUDGE, court, judge
from tests.support.quick import quicken
from tests.support.scene import HERE, LATITUDE, LONGITUDE, PASSWORD, WORDS, picture

WHERE = f"{LATITUDE},{LONGITUDE}"


@pytest.fixture
def config(tmp_path, monkeypatch):
    quicken(monkeypatch)
    path = tmp_path / "van.yaml"
    path.write_text(
        "name: van\nmode: research\npack: embedded\nforce: mercia\npolicy: policy.yaml\ndata_dir: data\n"
        "cameras: [{id: north, url: a.mp4}]\n"
    )
    (tmp_path / "secret").write_text(PASSWORD + "\n")
    (tmp_path / "sign.jpg").write_bytes(picture())
    write_policy(tmp_path)
    return path


def write_policy(folder, **changed):
    base = policies.load("uk-default")
    approvers = (
        Approver("judge", "Judge", "file", keys=(public_key_of(JUDGE),)),
        Approver("second-officer", "Second officer", "officer", rank="superintendent"),
    )
    sensitive = msgspec.structs.replace(base.sensitive, approvals=())
    held = msgspec.structs.replace(base, **({"approvers": approvers, "sensitive": sensitive} | changed))
    (folder / "policy.yaml").write_bytes(msgspec.yaml.encode(held))


@pytest.fixture
def lfr(config, capsys):
    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["deployment", *map(str, arguments), "--config", str(config)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


@pytest.fixture
def drafted(lfr, tmp_path):
    """A deployment planned for tomorrow."""
    starts = now().replace(microsecond=0) + timedelta(hours=26)
    words = dict.fromkeys(
        ("objective", "legal_basis", "necessity", "proportionality", "less_intrusive", "expected_presence"), WORDS
    )
    plan = {
        "title": "Station square", "force": "mercia", "use_case": "wanted-persons", "categories": ["wanted-by-court"],
        "reasons": words, "place": {"title": "Station square", "polygon": [list(corner) for corner in HERE]},
        "starts_at": starts, "ends_at": starts + timedelta(hours=5),
        "cameras": [{"camera": "north", "zone": [[0.2, 0.2], [0.8, 0.2], [0.8, 0.9]]}],
    }  # fmt: skip
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    code, out, err = lfr("new", "--plan", tmp_path / "plan.yaml")
    assert code == 0, err
    return out.strip()


def missing(lfr, rule, step="go-live"):
    code, out, err = lfr("check", "--for", step, "--json")
    assert code in {0, 1}, err
    return [one["what"] for one in json.loads(out)["missing"] if one["rule"] == rule]


@pytest.mark.rule("C4")
def test_signs_from_the_first_photograph_to_the_tap(lfr, drafted, tmp_path):
    assert len(missing(lfr, "C4")) == 4
    assert "✗ signs: not photographed" in lfr("signs")[1]
    jpeg = tmp_path / "sign.jpg"
    assert lfr("photograph", "signs", jpeg, "--at", "10,10")[0] == 0
    assert "✗ signs: photographed, but not at the place" in lfr("signs")[1]
    code, _, err = lfr("confirm-signs")
    assert code == 1
    assert "not photographed yet" in err
    for item in ("signs", "notices", "vehicle-marking", "alternative-route"):
        assert lfr("photograph", item, jpeg, "--at", WHERE)[0] == 0
    assert missing(lfr, "C4") == []
    code, out, _ = lfr("confirm-signs", "--at", WHERE)
    assert code == 0
    assert "recognition pauses at" in out
    for wrong in (
        ("leaflet", jpeg, "--at", WHERE),
        ("signs", jpeg, "--at", "here"),
        ("signs", "no.jpg", "--at", WHERE),
    ):
        code, _, err = lfr("photograph", *wrong)
        assert code == 1
        assert err.startswith("error: ")


def test_the_notice_counts_once_it_is_out_and_only_for_its_plan(lfr, config, drafted, tmp_path, capsys):
    assert len(missing(lfr, "J1")) == 1
    with pytest.raises(SystemExit):
        run(["policy", "notice", "--config", str(config), "--deployment", "current"])
    told = capsys.readouterr().out
    assert "Place: Station square" in told
    assert "wanted by the courts" in told
    assert lfr("announce")[0] == 0
    assert missing(lfr, "J1") == []
    assert lfr("announce")[0] == 1
    assert lfr("plan", "--file", tmp_path / "plan.yaml")[0] == 0
    assert len(missing(lfr, "J1")) == 1


def add_officer(config, name, rank):
    async def add():
        loaded = load(config)
        await migrate(loaded.database_url)
        db = Database(loaded.database_url)
        await users.add_user(db, name, "authorising-officer", PASSWORD, rank=rank)
        await db.dispose()

    asyncio.run(add())


@pytest.mark.rule("A10")
def test_approvals_from_a_file_and_a_second_officer(lfr, config, drafted, tmp_path):
    assert len(missing(lfr, "A10")) == 2
    secret = ("--password-file", tmp_path / "secret")
    add_officer(config, "sue", "chief-inspector")
    code, _, err = lfr("approve", "second-officer", "--officer", "sue", *secret)
    assert code == 1
    assert "superintendent is needed" in err
    add_officer(config, "sam", "superintendent")
    assert lfr("approve", "second-officer", "--officer", "sam", *secret)[0] == 0
    (tmp_path / "forged.json").write_bytes(b"{}")
    assert lfr("approve", "judge", "--from", tmp_path / "forged.json")[0] == 1
    code, out, _ = lfr("show", "--json")
    asked = {"deployment_id": drafted, "approver": "judge", "plan_digest": json.loads(out)["plan_digest"]}
    (tmp_path / "judge.json").write_bytes(judge(asked)[1])
    code, _, err = lfr("approve", "judge", "--from", tmp_path / "judge.json")
    assert code == 0
    assert "judge: approved until" in err
    assert missing(lfr, "A10") == []
    code, _, err = lfr("approve", "second-officer", "--officer", "sam", "--refuse", *secret)
    assert (code, "refused" in err) == (0, True)
    for wrong in ((), ("--ask", "--officer", "sam"), ("--ask",), ("--from", tmp_path / "nothing.json")):
        assert lfr("approve", "judge", *wrong)[0] == 1


@pytest.mark.rule("A10")
def test_a_service_is_asked(lfr, drafted, tmp_path):
    with court(judge) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        write_policy(tmp_path, approvers=(Approver("judge", "Judge", "http", keys=(public_key_of(JUDGE),), url=url),))
        assert lfr("plan", "--file", tmp_path / "plan.yaml")[0] == 0
        assert len(missing(lfr, "A10")) == 1
        code, _, err = lfr("approve", "judge", "--ask")
        assert code == 0, err
    assert missing(lfr, "A10") == []
    code, _, err = lfr("approve", "judge", "--ask")
    assert code == 1
    assert "cannot be reached" in err
