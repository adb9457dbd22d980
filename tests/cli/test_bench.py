"""`lfr bench pipeline`: four measurements, one JSON line."""

import json
import subprocess
import sys

import pytest

from lfr.cli import app as root
from lfr.cli import bench
from lfr.domain.errors import RuntimeFailed
from tests.support.street_clip import FRAMES, make_street_clip

FIELDS = {
    *("fps", "baseline", "baseline_fps", "speedup", "bound_fps", "bound_share", "detector_bound_fps"),
    *("tpir", "found", "baseline_tpir", "baseline_found", "false_alerts", "baseline_false_alerts"),
}


@pytest.mark.ray
@pytest.mark.assets
def test_ours_the_loop_and_the_bounds_on_a_real_clip(assets, tmp_path):
    street = make_street_clip(tmp_path)
    command = [sys.executable, "-m", "lfr", "bench", "pipeline", *street.arguments(), "--pack", "research"]
    command += ["--threshold", "0.35"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert set(said) >= FIELDS
    assert said["baseline"] == "FaceAnalysis"
    assert said["frames"] == FRAMES
    assert (said["found"], said["tpir"], said["false_alerts"]) == (1, 1.0, 0)
    assert (said["baseline_found"], said["baseline_tpir"], said["baseline_false_alerts"]) == (1, 1.0, 0)
    assert said["enrolled"] == said["baseline_enrolled"] == 1
    assert said["embeddings"] < said["baseline_embeddings"]
    assert all(said[name] > 0 for name in ("fps", "baseline_fps", "bound_fps", "detector_bound_fps", "speedup"))
    assert "4 of 4" in done.stderr
    assert "speedup over the loop" in done.stdout


def test_a_broken_clip_is_refused_before_anything_starts(tmp_path, capsys):
    street = make_street_clip(tmp_path)
    street.clip.write_bytes(street.clip.read_bytes()[:5000])
    with pytest.raises(SystemExit) as left:
        root.run(["bench", "pipeline", *street.arguments(), "--pack", "embedded"])
    assert left.value.code == 1
    assert "street.mp4" in capsys.readouterr().err.splitlines()[0]


def test_a_run_of_ours_that_fails_ends_the_bench(tmp_path):
    with pytest.raises(RuntimeFailed, match="did not complete"):
        bench._our_run(tmp_path / "no.mp4", tmp_path / "no.json", tmp_path, "embedded", None, "file")


@pytest.mark.assets
def test_an_import_beside_its_bound(assets):
    command = [
        sys.executable,
        "-m",
        "lfr",
        "bench",
        "import",
        str(assets / "faces" / "lfw-dev"),
        "--pack",
        "permissive",
    ]
    done = subprocess.run([*command, "--limit", "100"], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["pictures"] == 100
    assert 90 <= said["enrolled"] == said["templates"] <= 100
    assert said["looks"] >= 100
    assert all(said[name] > 0 for name in ("import_per_s", "bound_per_s", "ratio", "one_look_ratio"))
    assert "the same detections and templates" in done.stdout


def test_what_asking_for_a_mandate_costs(capsys):
    with pytest.raises(SystemExit) as left:
        root.run(["bench", "mandate", "--amendments", "3", "--seconds", "0.2"])
    assert left.value.code == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["amendments"] == 3
    assert said["frame_us"] == pytest.approx(5 * (said["check_us"] + said["carry_us"]), abs=0.5)
    assert 0 < said["check_us"] < 1000 * said["verify_ms"]


def test_a_policy_that_does_not_exist_cannot_be_timed(capsys):
    with pytest.raises(SystemExit) as left:
        root.run(["bench", "mandate", "--policy", "no-such"])
    assert left.value.code == 1
    assert "no-such" in capsys.readouterr().err
