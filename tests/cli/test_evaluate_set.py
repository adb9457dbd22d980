"""`lfr evaluate set`, `lfr evaluate threshold`, `lfr bench set` and `calibration`: what they print and refuse."""

import json
import shutil

import msgspec
import pytest

from lfr.cli import app as root
from lfr.domain.packs import Calibration
from lfr.vision.engine.double import double_pack
from tests.support.faces import painted_set

BOUNDED = Calibration(
    method="test",
    fmr=((-2.0, 0.20), (-4.0, 0.30), (-6.0, 0.40)),
    measured_to=-4.0,
    transits=800,
    comparisons=800 * 1200,
    target_fpir=0.02,
    bounds=((-2.0, 0.19, 0.21), (-4.0, 0.28, 0.33), (-6.0, 0.36, 0.46)),
    upper=((-1.9, 0.20), (-3.9, 0.30), (-5.0, 0.40)),
)


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "double.yaml"
    path.write_bytes(msgspec.yaml.encode(double_pack()))
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    people = {f"p{n:02d}": [n] * (1 + n % 3) for n in range(12)} | {"p12": [3, None, 3]}
    return painted_set(tmp_path_factory.mktemp("faces"), people)


def ran(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        root.run([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return left.value.code, shown.out, shown.err


def evaluate(capsys, faces, pack, *more):
    return ran(capsys, "evaluate", "set", faces, "--pack", pack, *more)


def test_one_json_line_with_all_that_was_asked_for(capsys, faces, pack, tmp_path):
    groups = tmp_path / "groups.csv"
    groups.write_text("identity,sex_label,side\n" + "".join(f"p{n:02d},{'fm'[n % 2]},{n % 3}\n" for n in range(12)))
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("p01\t1\t2\np02\t1\t2\np04\t1\t2\np01\t1\tp02\t1\np03\t1\tp04\t1\np12\t2\t3\n" * 4)
    out = tmp_path / "report"
    arguments = ("--groups", groups, "--pairs", pairs, "--watchlist-size", 4, "--seed", 3, "--out", out, "--json")
    code, said, told = evaluate(capsys, faces, pack, *arguments)
    assert code == 0
    (line,) = said.splitlines()
    found = json.loads(line)
    assert (found["images"], found["identities"], found["watchlist_size"], found["seed"]) == (27, 13, 4, 3)
    assert found["fte"] == pytest.approx(1 / 27, abs=1e-6)
    assert found["by_group"].keys() == {"sex_label"}
    assert found["by_group"]["sex_label"].keys() == {"f", "m", "not stated"}
    # All pairs but the one whose face is missing are told: it shows one person and is told different.
    assert found["accuracy_1to1"] == pytest.approx(5 / 6, abs=0.02)
    assert found["suspects"] == {"same file under two names": 1}
    assert sorted(found["report"]) == ["report.html", "report.json", "report.pdf", "suspects.csv"]
    assert all((out / name).stat().st_size for name in found["report"])
    assert "p01" not in told + said
    assert "embed" in told


def test_a_named_column_is_a_group_and_two_make_intersections(capsys, faces, pack, tmp_path):
    groups = tmp_path / "groups.csv"
    groups.write_text("identity,sex_label,side\n" + "".join(f"p{n:02d},{'fm'[n % 2]},{n % 3}\n" for n in range(13)))
    more = ("--groups", groups, "--group-by", "sex_label", "--group-by", "side", "--watchlist-size", 4, "--json")
    _, said, _ = evaluate(capsys, faces, pack, *more)
    found = json.loads(said)
    assert found["by_group"].keys() == {"sex_label", "side"}
    assert len(found["by_intersection"]["sex_label & side"]) == 6


def test_without_json_there_are_tables_and_the_evidence_in_words(capsys, faces, pack):
    code, said, _ = evaluate(capsys, faces, pack, "--watchlist-size", 4)
    assert code == 0
    assert "too thin" in said
    assert "needs about 2,995 unlisted people" in said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--watchlist-size", 12), "no list of 12 can be drawn"),
        (("--pairs", "no-such-file"), "no-such-file"),
        (("--groups", "no-such-file"), "no-such-file"),
        (("--pack", "no-such-pack"), "no-such-pack"),
    ],
)
def test_what_cannot_run_is_one_line_with_a_hint_and_changes_nothing(capsys, faces, pack, tmp_path, more, words):
    code, said, told = evaluate(capsys, faces, pack, "--out", tmp_path / "report", *more, "--json")
    assert (code, said) == (1, "")
    assert words in told.splitlines()[0]
    assert told.splitlines()[1].startswith("hint: ")
    assert not (tmp_path / "report").exists()


def test_a_place_that_cannot_be_made_is_refused_before_anything_is_measured(capsys, faces, pack):
    code, said, told = evaluate(capsys, faces, pack, "--out", pack / "report", "--watchlist-size", 4, "--json")
    assert (code, said) == (1, "")
    assert told.splitlines()[1].startswith("hint: ")
    assert "embed" not in told


def test_an_empty_set_is_refused(capsys, pack, tmp_path):
    code, _, told = evaluate(capsys, tmp_path, pack, "--json")
    assert code == 1
    assert "no folders of pictures" in told


@pytest.mark.assets
def test_a_sample_of_real_faces_from_end_to_end(capsys, assets, tmp_path):
    """Real models, 28 people: our path is no worse than the library's own on the same pictures and lists."""
    folder = assets / "faces" / "lfw-dev"
    many = [person for person in sorted(folder.iterdir()) if len(list(person.iterdir())) > 2][:12]
    for person in [*many, *sorted(folder.iterdir())[:16]]:
        shutil.copytree(person, tmp_path / "faces" / person.name, dirs_exist_ok=True)
    arguments = ("--baseline", "--watchlist-size", 8, "--transits", 4, "--out", tmp_path / "out", "--json")
    code, said, _ = evaluate(capsys, tmp_path / "faces", "research", *arguments)
    assert code == 0
    found = json.loads(said)
    assert found["fte"] == 0
    assert found["rank1"] >= 0.98
    ours, theirs = found["tpir_at_fpir"]["0.01"], found["baseline"]["tpir_at_fpir"]["0.01"]
    assert ours["tpir"] >= theirs["tpir"]
    assert found["baseline"]["name"] == "FaceAnalysis"
    assert found["made_transits"]["listed_walkers"] == 4
    assert (tmp_path / "out" / "report.pdf").exists()


@pytest.mark.rule("D2")
def test_a_threshold_comes_with_its_evidence_and_a_claim_beyond_it_is_refused(capsys, tmp_path):
    pack = tmp_path / "bounded.yaml"
    pack.write_bytes(msgspec.yaml.encode(msgspec.structs.replace(double_pack(), calibration=BOUNDED)))
    arguments = ("evaluate", "threshold", "--pack", pack, "--entries", 10_000, "--target-fpir", 0.001)
    code, said, _ = ran(capsys, *arguments, "--json")
    found = json.loads(said)
    assert code == 0
    assert not found["supported"]
    assert found["n_max"] < 10_000
    assert found["low"] < found["threshold"] < found["high"]
    code, said, told = ran(capsys, *arguments, "--require")
    assert (code, said) == (1, "")
    assert "error-free transits; this measurement has only" in told.splitlines()[0]
    near, _, _ = ran(capsys, "evaluate", "threshold", "--pack", pack, "--entries", 200, "--require")
    assert near == 0


def test_speed_is_one_json_line(capsys, faces, pack):
    code, said, _ = ran(capsys, "bench", "set", faces, "--pack", pack, "--limit", 6, "--json")
    found = json.loads(said)
    assert code == 0
    assert found["images"] == 6
    assert found["bound_share"] == pytest.approx(found["images_per_s"] / found["bound_per_s"], rel=0.01)


def test_too_small_a_set_says_nothing_about_calibration(capsys, faces, pack):
    code, said, told = ran(capsys, "bench", "calibration", faces, "--pack", pack, "--json")
    assert (code, said) == (1, "")
    assert "too few to be split" in told


def test_honesty_is_one_json_line(capsys, pack, tmp_path):
    folder = painted_set(tmp_path, {f"p{n:02d}": [n % 12] for n in range(40)})
    code, said, _ = ran(capsys, "bench", "calibration", folder, "--pack", pack, "--splits", 10, "--json")
    found = json.loads(said)
    assert code == 0
    assert (found["splits"], found["identities"], found["watchlist_size"]) == (10, 40, 4)
    assert found["coverage"] == found["covered"] / 10
