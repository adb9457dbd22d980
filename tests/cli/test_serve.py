"""`lfr serve` and `lfr status`: a whole system from a file, seen from outside, ended by a signal."""

import json
import signal
import subprocess
import sys

import msgspec
import pytest

from lfr.cli import app as root
from lfr.vision.engine.double import located_double
from tests.support.clips import write_clip


@pytest.fixture
def config(tmp_path):
    """A van on the engine double, with a clip for a camera."""
    (tmp_path / "double.yaml").write_bytes(msgspec.yaml.encode(located_double().pack))
    write_clip(tmp_path / "clip.mp4", 400)
    path = tmp_path / "van.yaml"
    path.write_text(
        "name: van-test\nmode: research\npack: double.yaml\ndata_dir: data\n"
        "cameras: [{id: front, url: clip.mp4}]\n"
        "inference: {workers: 1}\nmatcher: {threshold: 0.7}\nray: {store_mb: 100}\napi: {port: 0}\nlog_level: WARNING\n"
    )
    return path


def lfr(*arguments):
    command = [sys.executable, "-m", "lfr", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.ray
def test_serve_status_and_a_quiet_end(config, tmp_path):
    command = [sys.executable, "-m", "lfr", "serve", "--config", str(config), "--self-signed"]
    serving = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        told = ""
        while "http://127.0.0.1:" not in told:
            line = serving.stderr.readline()
            assert line, told
            told += line
        for _ in range(10):  # as of the supervisor's last round: a camera's word may be older than the state
            done = lfr("status", "--config", config, "--json")
            assert done.returncode == 0, done.stderr
            said = json.loads(done.stdout)
            if [one["recognition"] for one in said["cameras"]] == ["live"]:
                break
        assert (said["name"], said["mode"]) == ("van-test", "research")
        assert (said["deployment_state"], [one["recognition"] for one in said["cameras"]]) == ("live", ["live"])
        assert {actor["kind"] for actor in said["actors"]} >= {"camera", "inference", "matcher", "audit-writer"}
        assert all(actor["pid"] > 0 and actor["restarts"] == 0 for actor in said["actors"])
        table = lfr("status", "--config", config).stdout
        assert "front" in table
        again = lfr("serve", "--config", config)
        assert again.returncode == 1
        assert "running already" in again.stderr
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(60) in {0, 143}
    finally:
        serving.kill()
        serving.wait()
        serving.stderr.close()
    assert not (tmp_path / "data" / "run.json").exists()
    gone = lfr("status", "--config", config, "--json")
    assert gone.returncode == 1
    assert "van-test" in gone.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("mode: research", "mode: operational"), "research only"),
        (("api: {port: 0}", "api: {host: 0.0.0.0}"), "TLS"),
        (("pack: double.yaml", "pack: nothing"), "nothing"),
        (("name: van-test", "nom: van-test"), "nom"),
    ],
)
def test_what_must_not_start_is_refused_with_one_line(config, changed, words, capsys):
    config.write_text(config.read_text().replace(*changed))
    with pytest.raises(SystemExit) as left:
        root.run(["serve", "--config", str(config)])
    shown = capsys.readouterr().err.splitlines()
    assert left.value.code == 1
    assert words in shown[0]
    assert shown[1].startswith("hint: ")
