"""`lfr simulate`: from a folder of pictures to a clip that `lfr evaluate clip` takes, and what is refused."""

import json

import cv2
import pytest

from lfr.cli import app as root
from lfr.evaluation.clip_frames import require_clip
from lfr.evaluation.truth import load_truth
from lfr.vision.source.cutouts import listed_portrait
from tests.support.painted_faces import painted_faces

SMALL = ["--seconds", "1", "--fps", "5", "--size", "640x360", "--face-px", "30:60", "--pack", "embedded"]


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """The demonstration's volunteer under two names: nobody else may stand in a test."""
    folder = tmp_path_factory.mktemp("faces")
    for name in ("ada", "eve"):
        (folder / name).mkdir()
        (folder / name / "1.png").write_bytes(listed_portrait())
        cv2.imwrite(str(folder / name / "2.png"), cv2.imread(str(folder / name / "1.png"))[:, ::-1])
    return folder


def simulate(capsys, *arguments):
    """Exit code, stdout and stderr of the command."""
    with pytest.raises(SystemExit) as left:
        root.run(["simulate", *map(str, arguments)])
    shown = capsys.readouterr()
    return left.value.code or 0, shown.out, shown.err


def test_clip_and_truth_are_ready_for_evaluation(faces, tmp_path, capsys):
    out = tmp_path / "walk.mp4"
    code, stdout, stderr = simulate(capsys, faces, "--out", out, "--people", 2, "--listed", 1, *SMALL, "--json")
    assert code == 0, stderr
    (line,) = stdout.splitlines()
    said = json.loads(line)
    assert (said["frames"], said["tracks"], said["listed_tracks"], said["watchlist"]) == (5, 2, 1, 1)
    assert said["times_real_time"] > 0
    require_clip(out)
    truth = load_truth(tmp_path / "walk.json")
    assert truth.simulation.people == 2
    assert truth.enrolment(faces)
    assert "frames" in stderr


def test_without_json_there_is_a_table(faces, tmp_path, capsys):
    small = [part for part in SMALL if part not in {"--face-px", "30:60"}]
    out = tmp_path / "a.mp4"
    code, stdout, _ = simulate(capsys, faces, "--out", out, "--people", 1, "--distance", "4:8", *small)
    assert code == 0
    assert "times_real_time" in stdout
    assert load_truth(tmp_path / "a.json").simulation.face_px == (25.0, 50.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--people", 5], "5 people to walk past are needed, 2 are there"),
        (["--people", 2, "--density", 1], "--people and --density"),
        (["--distance", "1:2"], "--face-px and --distance"),
        (["--people", 2, "--size", "large"], "no size"),
        (["--people", 2, "--speed", "fast"], "--speed 'fast'"),
        (["--people", 2, "--light", "2:1"], "light 2:1"),
        (["--people", 2, "--pack", "no-such-pack"], "no-such-pack"),
        (["--people", 2, "--listed", 3], "3 of 2 people"),
    ],
)
def test_what_cannot_be_made_is_one_line_with_a_hint(faces, tmp_path, capsys, arguments, words):
    code, stdout, stderr = simulate(capsys, faces, "--out", tmp_path / "a.mp4", *SMALL, *arguments)
    error, hint = [line for line in stderr.splitlines() if not line.startswith(("people:", "frames:"))]
    assert (code, stdout) == (1, "")
    assert words in error
    assert hint.startswith("hint: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("out", ["none/a.mp4", "a.mkv"])
def test_a_place_that_cannot_be_written_is_refused_at_once(faces, tmp_path, capsys, out):
    code, _, stderr = simulate(capsys, faces, "--out", tmp_path / out, *SMALL)
    assert code == 1
    assert "hint: " in stderr
    assert "people:" not in stderr


def test_a_folder_in_which_no_face_is_found_is_told(tmp_path, capsys):
    faces = painted_faces(tmp_path / "painted", people=2, pictures=1)
    code, _, stderr = simulate(capsys, faces, "--out", tmp_path / "a.mp4", "--people", 1, "--listed", 0, *SMALL)
    assert code == 1
    assert "2 pictures in which no face was found" in stderr
