"""`lfr check`: all that is wrong at once, nothing changed by looking."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lfr.cli.check import app
from lfr.config import load
from lfr.resources import configs
from tests.support.clips import write_clip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty home, with a clip for a camera."""
    monkeypatch.setenv("LFR_HOME", str(tmp_path / "home"))
    write_clip(tmp_path / "clip.mp4", 5)
    return tmp_path


def check(folder, text, *more):
    (folder / "van.yaml").write_text(text)
    done = CliRunner().invoke(app, ["--config", str(folder / "van.yaml"), "--json", *more], catch_exceptions=False)
    said = json.loads(done.stdout)
    assert done.exit_code == (0 if said["ok"] else 1)
    return {found["name"]: found for found in said["checks"]}


GOOD = """
name: van-1
mode: demo
pack: embedded
cameras: [{id: front, url: clip.mp4}]
api: {port: 0}
data_dir: data
"""


def test_a_good_configuration_is_ready_and_nothing_was_made(folder):
    before = sorted(path.name for path in folder.rglob("*"))
    found = check(folder, GOOD)
    assert {f["state"] for f in found.values()} <= {"ok", "warning"}
    assert found["camera front"]["detail"].startswith("160 x 64")
    assert sorted(path.name for path in folder.rglob("*")) == sorted([*before, "van.yaml"])


def test_everything_that_is_wrong_is_said_at_once(folder):
    (folder / "van.secrets").write_text("PASSWORD=hunter2\n")
    (folder / "van.secrets").chmod(0o644)
    (folder / "data").mkdir()
    (folder / "data" / "node.key").write_text("rubbish")
    (folder / "data" / "node.key").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = f"""
name: van-1
mode: operational
pack: research
secrets_file: van.secrets
data_dir: data
cameras:
  - {{id: gone, url: gone.mp4}}
  - {{id: unset, url: "rtsp://${{NO_SUCH_VARIABLE}}@127.0.0.1/x"}}
inference: {{provider: cuda}}
api: {{port: {taken.getsockname()[1]}, tls_cert: cert.pem}}
ray: {{tmpfs: {folder}}}
storage: {{url: "postgresql://lfr:hunter2@127.0.0.1:1/lfr"}}
"""
        found = check(folder, text)
    wrong = {name for name, f in found.items() if f["state"] == "wrong"}
    assert wrong >= {
        "permitted use",
        "secrets file",
        "node key",
        "TLS",
        "port",
        "shared memory",
        "database",
        "camera gone",
        "camera unset",
    }
    assert all(found[name]["detail"] for name in wrong)
    assert "hunter2" not in json.dumps(found)


def test_every_missing_model_file_is_named(folder, monkeypatch):
    monkeypatch.setenv("LFR_ASSETS", str(folder))
    monkeypatch.setenv("LFR_PACKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    found = check(folder, GOOD.replace("embedded", "opencv-zoo"))
    missing = [name for name, f in found.items() if name.startswith("model ") and f["state"] == "wrong"]
    assert len(missing) == 2
    assert "engine" not in found


@pytest.mark.assets
def test_a_provider_that_is_not_there_is_wrong(folder):
    assert check(folder, GOOD.replace("embedded", "permissive"))["engine"]["state"] == "ok"
    found = check(folder, GOOD.replace("embedded", "permissive") + "inference: {provider: cuda}\n")
    assert found["engine"]["state"] == "wrong" or Path("/dev/nvidia0").exists()


def test_an_unknown_key_is_one_finding_with_its_name(folder):
    found = check(folder, GOOD + "colour: red\n")
    assert list(found) == ["configuration"]
    assert "colour" in found["configuration"]["detail"]


def test_a_camera_without_a_picture_is_wrong(folder):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        times = "times: {open_timeout: 0.5, read_timeout: 0.5}"
        found = check(folder, GOOD.replace("{id: front, url: clip.mp4}", f'{{id: front, url: "{url}", {times}}}'))
    assert found["camera front"]["state"] == "wrong"
    assert "no picture" in found["camera front"]["detail"]


def test_cameras_can_be_left_out(folder):
    assert "camera front" not in check(folder, GOOD, "--no-cameras")


def test_a_list_for_people_ends_with_a_verdict(folder):
    (folder / "van.yaml").write_text(GOOD.replace("clip.mp4", "gone.mp4"))
    done = CliRunner().invoke(app, ["--config", str(folder / "van.yaml")], catch_exceptions=False)
    assert done.exit_code == 1
    assert "✓ pack" in done.stdout
    assert "✗ camera front" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 wrong"


@pytest.mark.parametrize("name", ["demo", "van", "region"])
def test_the_examples_can_be_read(name):
    config = load(configs() / f"{name}.yaml")
    assert config.cameras
    assert config.mode in {"demo", "research"}


def test_the_examples_tell_what_there_is_to_tell():
    region = load(configs() / "region.yaml")
    assert {camera.node for camera in region.cameras} == {"van-1", "van-2"}
    assert region.database_url.startswith("postgresql+asyncpg://")
    assert region.ray.address
