"""The envelope finder on painted people: through the real shot rules, fusion and search, with the shipped double."""

import json
import re
from functools import partial

import msgspec
import numpy as np
import pytest

from lfr.cli import app as root
from lfr.domain.envelope import Envelope
from lfr.domain.errors import SourceError
from lfr.evaluation.envelope import find
from lfr.evaluation.envelope.find import Wanted, find_envelope, report_of
from lfr.evaluation.envelope.levels import Axis, Held
from lfr.evaluation.envelope.lineup import FRAMES, LineUp, Mover, Places
from lfr.evaluation.envelope.page import page
from lfr.evaluation.simulation.heads import find_head
from lfr.vision.engine.double import DoubleEngine, double_pack
from lfr.vision.letterbox import fit
from tests.support.painted_faces import painted_faces, still

AXES = (
    Axis("face_px", "Width", (5, 80)),
    Axis("yaw", "Turn", (0, 15)),
    Axis("defocus", "Defocus", (0.6, 1.0)),
    Axis("light", "Light", (0.1, 1.0)),
)
WANTED = Wanted(entries=8, transits=6, floor=0.3, axes=AXES)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return painted_faces(tmp_path_factory.mktemp("painted"), people=10, pictures=2)


@pytest.fixture(scope="module")
def found(faces):
    return find_envelope(DoubleEngine(double_pack()), double_pack(), faces, WANTED)


@pytest.mark.rule("C5")
def test_who_is_too_small_to_be_seen_is_not_found_and_bounds_the_envelope(found):
    sizes = {level.at: level.outcome for level in found.levels["face_px"]}
    assert (sizes[80].found, sizes[80].wrong, sizes[80].undetected) == (6, 0, 0)
    assert (sizes[5].found, sizes[5].undetected) == (0, 6)
    assert sizes[5].measured["face_px"] is None
    assert 60 < found.envelope.min_face_px < 120


@pytest.mark.rule("C5")
def test_light_is_measured_where_it_failed_and_where_it_passed(found):
    lights = {level.at: level.outcome.measured for level in found.levels["light"]}
    assert lights[0.1]["luma"] < 0.2 * lights[1.0]["luma"]
    assert lights[0.1]["dark"] > lights[1.0]["dark"]


def test_the_usual_conditions_are_measured_once(found):
    usual = [level.outcome for levels in found.levels.values() for level in levels if level.at in {80, 0.6, 1.0, 0}]
    assert len({id(outcome) for outcome in usual}) == 2  # 1.0 is a level of the blur, too


def test_the_report_holds_every_level_and_reads_back(found):
    report = json.loads(json.dumps(report_of(found, double_pack(), "0" * 64, 1.0)))
    assert [axis["name"] for axis in report["axes"]] == ["face_px", "yaw", "defocus", "light"]
    limits = msgspec.convert(report["envelope"], Envelope)
    assert limits.min_face_px == pytest.approx(found.envelope.min_face_px, abs=1e-3)
    assert report["axes"][0]["certified"] == [80, 80]
    assert report["axes"][0]["reaches_the_end"] == [False, True]
    written = page(report)
    assert written.count("<svg") == 4
    assert "0 of 6" in written
    assert not re.search(r'(src|href)="http', written)
    assert page(report) == written


def test_people_can_be_left_out_and_too_few_are_told(faces):
    wanted = Wanted(entries=8, transits=6, axes=AXES, without=frozenset({"p00", "p01", "p02"}))
    with pytest.raises(SourceError, match="8 people to list are needed, 7 are there"):
        find_envelope(DoubleEngine(double_pack()), double_pack(), faces, wanted)


@pytest.mark.parametrize("face_px", [8.0, 40.0, 80.0, 150.0, 400.0])
def test_everybody_has_a_place_of_their_own(face_px):
    places = Places.of(face_px)
    assert [places.at(*places.middle(place)) for place in range(places.count)] == list(range(places.count))


def test_the_same_person_moves_alike_at_every_level():
    engine = DoubleEngine(double_pack())
    movers = [Mover(number, find_head(engine, still(number))) for number in range(3)]
    one, two = (LineUp(movers, Held(face_px=60), 1) for _ in range(2))
    assert np.array_equal(one.frame(7), two.frame(7))
    faces = fit(1280, 720, 640).undo(engine.detect([fit(1280, 720, 640).apply(one.frame(FRAMES - 1))])[0])
    assert set(one.by_place(faces)) == {0, 1, 2}


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        root.run(["evaluate", "envelope", *map(str, arguments)])
    shown = capsys.readouterr()
    return left.value.code or 0, shown.out, shown.err


@pytest.fixture
def pack(tmp_path):
    """The double as a pack file."""
    path = tmp_path / "painted.yaml"
    path.write_bytes(msgspec.yaml.encode(double_pack()))
    return path


def test_the_command_writes_a_page_and_json(faces, pack, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(find, "Wanted", partial(Wanted, axes=AXES))
    code, out, err = command(
        capsys, faces, "--pack", pack, "--out", tmp_path / "out", "--watchlist-size", 10, "--transits", 10, "--json"
    )
    assert code == 0, err
    (line,) = out.splitlines()
    said = json.loads(line)
    assert json.loads((tmp_path / "out" / "envelope.json").read_bytes()) == said
    assert said["envelope"] is None
    assert "10 of 10 were found, at least 0.69" in said["refusal"]  # ten cannot show 0.85
    assert "No envelope." in (tmp_path / "out" / "envelope.html").read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["envelope.html", "envelope.json"]


def test_more_transits_than_entries_are_refused(faces, pack, tmp_path, capsys):
    code, out, err = command(capsys, faces, "--pack", pack, "--out", tmp_path, "--watchlist-size", 9, "--transits", 10)
    assert (code, out) == (1, "")
    assert "10 listed people cannot pass" in err
    assert "hint: " in err


@pytest.mark.parametrize("rate", [-1, 0, 7])
def test_a_rate_that_is_none_is_refused_before_anything_is_measured(faces, pack, tmp_path, capsys, rate):
    code, _, err = command(capsys, faces, "--pack", pack, "--out", tmp_path / "out", "--target-fpir", rate)
    assert code == 2
    assert "--target-fpir" in err
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_made_is_refused_before_anything_is_measured(faces, pack, capsys):
    code, _, err = command(capsys, faces, "--pack", pack, "--out", pack / "out")
    assert code == 1
    assert "hint: " in err
    assert "people:" not in err
