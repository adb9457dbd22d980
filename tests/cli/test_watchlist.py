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


def test_no_system_is_running(lfr):
    for arguments in (("list",), ("revoke", uuid4())):
        code, _, err = lfr(*arguments)
        assert code == 1
        assert err.startswith("error: no system named van is running\nhint: ")


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


async def test_listing_a_running_system(house, lfr):
    entry_id = await house.entry("Ada [b]Lovelace[/b]")
    code, out, err = await asyncio.to_thread(lfr, "list")
    assert code == 0, err
    assert str(entry_id) in out
    assert "Ada [b]Lovelace[/b]" in out
    assert "listed" in out


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
