"""`lfr watchlist`: import into the database; list, add and revoke through a real API on a real socket."""

import asyncio
import csv
import json
import os
import re
from uuid import uuid4

import cv2
import msgspec
import numpy as np
import pytest

from lfr.cli.app import run
from lfr.domain.errors import RuntimeFailed
from lfr.domain.watchlist import RowResult
from lfr.vision.engine.double import double_pack, paint
from tests.support.api import build_house, served


@pytest.fixture
def config(tmp_path):
    """A configuration whose engine is the shipped double."""
    (tmp_path / "double.yaml").write_bytes(msgspec.yaml.encode(double_pack()))
    path = tmp_path / "van.yaml"
    path.write_text("name: van\nmode: research\npack: double.yaml\ndata_dir: data\n")
    return path


@pytest.fixture
def lfr(config, capsys):
    """Run the command; exit code, stdout, stderr."""

    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["watchlist", *map(str, arguments), "--config", str(config)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


@pytest.fixture
def people(tmp_path):
    root = tmp_path / "people"
    for label, identity in (("Ada", 0), ("Bea", 4)):
        canvas = np.full((200, 200, 3), 120, np.uint8)
        paint(canvas, identity, 60, 60, 80)
        (root / label).mkdir(parents=True)
        cv2.imwrite(str(root / label / "1.png"), canvas)
    (root / "Bea" / "bad\x1b[31m.png").write_bytes(b"bad")
    return root


def test_every_row_is_told(lfr, people, tmp_path):
    report = tmp_path / "report.csv"
    code, out, err = lfr("import", people, "--report", report)
    assert code == 0, err
    assert re.search(r"Ada\s+Ada/1\.png\s+enrolled", out)
    assert re.search(r"refused: unreadable", out)
    assert "\x1b[31m" not in out
    assert "2 enrolled, 1 refused; unreadable: 1" in err
    with report.open(newline="") as file:
        assert [line["result"] for line in csv.DictReader(file)] == ["enrolled", "enrolled", "refused"]


def test_again_enrols_nothing_anew_and_says_so(lfr, people):
    lfr("import", people)
    code, out, err = lfr("import", people)
    assert code == 0, err
    assert out.count("enrolled already") == 2
    assert "0 enrolled, 2 enrolled already, 1 refused" in err


def test_nobody_enrolled_is_an_error(lfr, tmp_path):
    (tmp_path / "people" / "Ada").mkdir(parents=True)
    (tmp_path / "people" / "Ada" / "1.png").write_bytes(b"x")
    code, _, err = lfr("import", tmp_path / "people")
    assert code == 1
    assert "error: no picture was enrolled" in err


def test_a_dry_run_leaves_nobody(lfr, people):
    assert lfr("import", people, "--dry-run")[0] == 0
    assert lfr("import", people)[0] == 0


def test_what_is_no_import(lfr, tmp_path):
    code, _, err = lfr("import", tmp_path / "nothing")
    assert code == 1
    assert err.splitlines()[-2].startswith("error: there is no folder or file")
    assert "hint:" in err


def test_operational_mode_makes_no_template(lfr, config, people, tmp_path):
    config.write_text(config.read_text().replace("research", "operational"))
    code, _, err = lfr("import", people)
    assert code == 1
    assert "error:" in err
    assert not (tmp_path / "data").exists()


def test_no_system_is_running(lfr, people):
    code, _, err = lfr("add", "Ada", people / "Ada" / "1.png")
    assert code == 1
    assert err.startswith("error: no system named van is running\nhint: ")


def test_no_deployment_yet(lfr):
    for arguments in (("list",), ("revoke", uuid4()), ("digest",), ("confirm", "--all")):
        code, _, err = lfr(*arguments)
        assert code == 1
        assert "has no deployment" in err


def entries_of(out):
    """Label -> id, as the table shows them."""
    return {label: entry for entry, label in re.findall(r"^([0-9a-f-]{36})\s+(\w+)", out, re.MULTILINE)}


def test_a_list_from_import_to_removal(lfr, people):
    lfr("import", people)
    code, out, err = lfr("list")
    assert code == 0, err
    listed = entries_of(out)
    assert set(listed) == {"Ada", "Bea"}
    assert out.count("not confirmed") == 2
    # Whoever enrolled cannot confirm.
    code, _, err = lfr("confirm", "--all")
    assert code == 1
    assert "second person" in err
    before = json.loads(lfr("digest", "--json")[1])
    assert (before["entries"], before["images"], before["pending"], before["approved_digest"]) == (2, 2, 2, None)
    assert re.fullmatch("[0-9a-f]{64}", before["digest"])
    code, _, err = lfr("revoke", listed["Ada"])
    assert code == 0, err
    assert json.loads(lfr("digest", "--json")[1])["entries"] == 1
    assert lfr("revoke", listed["Ada"])[0] == 1
    code, out, err = lfr("list")
    assert code == 0, err
    assert "revoked" in out


@pytest.mark.rule("B4")
def test_a_feed_takes_the_withdrawn_off(lfr, people, tmp_path):
    rows = tmp_path / "list.csv"
    rows.write_text("label,image,nominal_ref\nAda,people/Ada/1.png,N 1\nBea,people/Bea/1.png,n2\n")
    assert lfr("import", rows)[0] == 0
    feed = tmp_path / "feed.csv"
    feed.write_text("nominal_ref,status\nN1,withdrawn\nN2,current\nN3,current\n")
    code, out, err = lfr("recheck", feed)
    assert code == 0, err
    assert re.fullmatch("feed [0-9a-f]{64}\n", out)
    assert "1 still current, 1 withdrawn and taken off, 0 entries not named, 1 references" in err
    assert json.loads(lfr("digest", "--json")[1])["entries"] == 1


@pytest.mark.rule("B1")
def test_values_for_every_row(lfr, people):
    code, _, err = lfr("import", people, "--set", "category=person-of-interest")
    assert code == 1
    assert "nothing was imported: row 1" in err
    assert lfr("import", people, "--set", "nonsense=1")[0] == 1
    assert lfr("import", people, "--set", "reason")[0] == 1
    assert lfr("import", people, "--set", "reason=Rehearsal")[0] == 0


def test_the_template_names_every_column(lfr):
    code, out, _ = lfr("template")
    assert code == 0
    assert out.startswith("label,image,nominal_ref,category,")


@pytest.mark.rule("B7")
def test_look_alikes_are_flagged_by_the_import_and_on_demand(lfr, people, config):
    lfr("import", people)
    assert "yes" not in lfr("list")[1]
    config.write_text(config.read_text() + "matcher: {threshold: -1}\n")
    code, out, err = lfr("alike")
    assert code == 0, err
    assert re.search(r"Ada\s+Bea\s+-?[0-9.]+", out)
    assert "2 of the list are much alike" in err
    assert lfr("list")[1].count("yes") == 2


def test_nobody_waits_for_a_signature(lfr, people):
    lfr("import", people)
    code, out, err = lfr("special")
    assert code == 0, err
    assert entries_of(out) == {}


@pytest.fixture
async def house(tmp_path, config):
    """A running API whose control is the shipped stand-in, and its run file."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    async with build_house(folder) as built, served(built.app(), built.config) as url:
        path = folder / "run.json"
        path.touch(0o600)
        path.write_text(json.dumps({"url": url, "token": built.local_token, "cafile": "", "pid": os.getpid()}))
        yield built


async def test_adding_to_a_running_system(house, lfr, people):
    house.control.rows = [
        RowResult("Ada", "1.png", True, entry_id=uuid4()),
        RowResult("Ada", "2.png", False, "no face"),
    ]
    code, out, err = await asyncio.to_thread(lfr, "add", "Ada", people / "Ada" / "1.png", people / "Bea" / "1.png")
    assert code == 0, err
    assert "refused: no face" in out
    asked = house.control.asked[-1]
    assert asked[:3] == ("add", "Ada", ["1.png", "1.png"])
    assert asked[3].startswith("local:")


async def test_adding_what_is_no_file(house, lfr, tmp_path):
    code, _, err = await asyncio.to_thread(lfr, "add", "Ada", tmp_path / "nothing.png")
    assert code == 1
    assert "there is no such file" in err
    assert not house.control.asked


async def test_revoking_on_a_running_system(house, lfr):
    entry_id = uuid4()
    code, _, err = await asyncio.to_thread(lfr, "revoke", entry_id)
    assert code == 0, err
    assert house.control.asked[-1][:2] == ("revoke", entry_id)


async def test_a_matcher_that_does_not_acknowledge_is_named(house, lfr, monkeypatch):
    async def silent(*_):
        raise RuntimeFailed("matcher-2 did not acknowledge", hint="see `lfr status`")

    monkeypatch.setattr(house.control, "revoke_entry", silent)
    code, _, err = await asyncio.to_thread(lfr, "revoke", uuid4())
    assert code == 1
    assert err.endswith("error: matcher-2 did not acknowledge\nhint: see `lfr status`\n")


async def test_importing_beside_a_running_system_says_so(house, lfr, people):
    code, _, err = await asyncio.to_thread(lfr, "import", people)
    assert code == 0
    assert "wait for an amendment" in err
