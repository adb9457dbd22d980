"""`lfr models`: honest about what is here, asks before a research licence, fails with one line and a hint."""

import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys

import msgspec
import pytest

from lfr.resources import configs
from tests.support import toy_models

DETECTOR, RECOGNISER = toy_models.scrfd(), toy_models.recogniser()


@pytest.fixture
def home(tmp_path):
    """An environment of its own: no roots but an empty cache."""
    kept = {name: value for name, value in os.environ.items() if name not in {"LFR_PACKS", "LFR_ASSETS"}}
    return {**kept, "XDG_CACHE_HOME": str(tmp_path / "cache"), "COLUMNS": "200"}


@pytest.fixture
def pack_file(tmp_path):
    """A research pack of toy models, described by a file."""
    raw = msgspec.yaml.decode((configs() / "packs" / "research.yaml").read_bytes())
    raw["name"] = "toy"
    for part, content, file in (("detector", DETECTOR, "det.onnx"), ("recogniser", RECOGNISER, "rec.onnx")):
        raw[part] |= {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
    path = tmp_path / "toy.yaml"
    path.write_bytes(msgspec.yaml.encode(raw))
    return path


@pytest.fixture
def mirror(tmp_path):
    path = tmp_path / "mirror"
    path.mkdir()
    (path / "det.onnx").write_bytes(DETECTOR)
    (path / "rec.onnx").write_bytes(RECOGNISER)
    return path


def lfr(home, *args, stdin=subprocess.DEVNULL):
    command = [sys.executable, "-m", "lfr", "models", *map(str, args)]
    return subprocess.run(command, env=home, stdin=stdin, capture_output=True, text=True, timeout=120, check=False)


def test_list_says_what_is_here(home):
    done = lfr(home, "list", "--json")
    assert done.returncode == 0
    packs = {pack["name"]: pack for pack in json.loads(done.stdout)["packs"]}
    assert packs["embedded"]["state"] == "ready"
    assert packs["research"]["state"] == "missing"
    assert packs["research"]["use"] == "research"
    assert packs["buffalo_l"]["pull"]
    assert not packs["permissive"]["pull"]
    shown = lfr(home, "list").stdout
    assert "antelopev2" in shown
    assert "non-commercial research only" in shown


def test_verify_all_is_content_with_what_was_never_fetched(home):
    done = lfr(home, "verify", "--json")
    assert done.returncode == 0
    assert {row["state"] for row in json.loads(done.stdout)["files"]} == {"ready", "missing"}


def test_verify_one_fails_on_missing_and_on_wrong(home, tmp_path):
    missing = lfr(home, "verify", "research")
    assert missing.returncode == 1
    assert "scrfd_500m_bnkps.onnx" in missing.stderr
    wrong = tmp_path / "root" / "scrfd_500m_bnkps.onnx"
    wrong.parent.mkdir()
    wrong.write_bytes(b"wrong")
    for args in (("verify",), ("verify", "research")):
        found = lfr(home | {"LFR_PACKS": str(wrong.parent)}, *args)
        assert found.returncode == 1
        assert str(wrong) in found.stderr
        assert hashlib.sha256(b"wrong").hexdigest() in found.stderr
        assert "hint:" in found.stderr


def test_verify_the_embedded_pack(home):
    done = lfr(home, "verify", "embedded")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ready") == 2


def test_pull_without_anybody_to_ask_is_refused(home, pack_file, mirror):
    done = lfr(home, "pull", pack_file, "--mirror", mirror)
    assert done.returncode == 1
    assert "non-commercial" in done.stderr
    assert "--accept-licence" in done.stderr
    assert lfr(home, "verify", pack_file).returncode == 1


def test_pull_from_a_mirror(home, pack_file, mirror):
    done = lfr(home, "pull", pack_file, "--mirror", mirror, "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert "toy: ready" in done.stdout
    shutil.rmtree(mirror)
    again = lfr(home, "pull", pack_file)
    assert again.returncode == 0, again.stderr
    assert lfr(home, "verify", pack_file).returncode == 0


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_a_person_is_asked(home, pack_file, mirror, answer, code):
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = lfr(home, "import", mirror, "--name", pack_file, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code, done.stderr
    assert "Do you accept this licence" in done.stderr + done.stdout
    assert (lfr(home, "verify", pack_file).returncode == 0) == (code == 0)


def test_import_says_what_is_still_missing(home, pack_file, mirror):
    done = lfr(home, "import", mirror / "det.onnx", "--name", pack_file, "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert "still missing: rec.onnx" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("import", "nowhere"), "no file or folder"),
        (("pull", "nothing-like-it"), "no pack"),
        (("pull", "permissive"), "no public address"),
        (("verify", "nothing-like-it"), "no pack"),
    ],
)
def test_mistakes_are_one_line_and_a_hint(home, args, says):
    done = lfr(home, *args)
    assert done.returncode == 1
    assert says in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
