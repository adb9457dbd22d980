"""`lfr camera check`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lfr.cli.app import run
from tests.support.clips import write_clip
from tests.support.rtsp import RtspServer, free_port


def lfr(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lfr", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_a_clip_is_described_in_words_and_in_one_json_line(tmp_path: Path) -> None:
    clip = str(write_clip(tmp_path / "clip.mp4", 40))
    told = lfr("camera", "check", clip, "--seconds", "0.3")
    assert told.returncode == 0, told.stderr
    assert "160 x 64" in told.stdout
    done = lfr("camera", "check", clip, "--seconds", "0.3", "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["width"], seen["height"], seen["fps"], seen["faces"]) == (160, 64, 25.0, None)
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == [Path(clip)], "no picture is kept"


@pytest.mark.parametrize(
    "url", ["rtsp://user:hush7@127.0.0.1:{port}/live?key=hush8", "http://user:hush7@127.0.0.1:{port}/pass=hush8"]
)
def test_a_dead_stream_is_one_line_and_a_hint_and_the_password_is_nowhere(url: str) -> None:
    done = lfr("camera", "check", url.format(port=free_port()), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert "connection refused" in lines[0]
    assert "hush" not in done.stderr


@pytest.mark.parametrize(
    "address", ["webcam:99", "nowhere.mp4", "ftp://user:hush7@host/x", "scene:none", "rtsp://${NOT_SET}@h/"]
)
def test_what_cannot_be_opened_is_one_line_and_a_hint(
    address: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lfr.log.configure", lambda level: None)  # this process' logging is the test run's
    with pytest.raises(SystemExit) as left:
        run(["camera", "check", address])
    assert left.value.code == 1
    shown = capfd.readouterr()
    lines = [line for line in shown.err.splitlines() if "camera.lost" not in line]
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert "hush" not in shown.err + shown.out


@pytest.mark.rtsp
def test_a_password_from_the_environment_opens_the_stream_and_is_not_shown() -> None:
    with RtspServer(user="user", password="hush7") as server:
        done = lfr("camera", "check", server.url("user:${CAMERA_PW}"), "--seconds", "0.5", "--json", CAMERA_PW="hush7")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["url"], seen["codec"], seen["width"]) == (server.url(), "h264", 320)
    assert "hush7" not in done.stdout + done.stderr


@pytest.mark.assets
def test_face_sizes_come_with_a_pack(assets: Path) -> None:
    done = lfr(
        "camera", "check", str(assets / "video" / "walk_720p.mp4"), "--seconds", "2", "--pack", "permissive", "--json"
    )
    assert done.returncode == 0, done.stderr
    faces = json.loads(done.stdout)["faces"]
    assert faces["detections"] > 0
    assert 10 < faces["smallest_px"] <= faces["median_px"] <= faces["largest_px"] < 400
