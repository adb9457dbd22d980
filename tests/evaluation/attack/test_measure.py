"""D7: APCER and BPCER as ISO/IEC 30107-3 counts them, on instruments that are drawn."""

import hashlib
import json

import msgspec
import numpy as np
import pytest

from lfr.cli import app as root
from lfr.domain.errors import SourceError
from lfr.domain.packs import AttackFloor, AttackModel, Licence, PresentationAttack
from lfr.evaluation.attack.instruments import INSTRUMENTS, MARGIN, make
from lfr.evaluation.attack.measure import Scores, measure, record_of, table, trade_off
from lfr.evaluation.attack.presentations import SPECIES, Studio
from lfr.evaluation.simulation.heads import find_head, find_upright
from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.painted_faces import painted_faces, still
from tests.support.toy_models import recogniser

SLOT = PresentationAttack(
    models=(AttackModel("toy.onnx", "0" * 64, 2.0),),
    use="research",
    licence=Licence(name="Apache-2.0", summary="Part of these tests."),
    threshold=0.5,
    floor=AttackFloor(apcer=0.3, bpcer=0.3),
)


def scored(**live):
    return {species: Scores(live.get(species, [0.9 if species == "walker" else 0.1] * 20)) for species in SPECIES}


@pytest.mark.rule("D7")
def test_the_worst_instrument_counts_and_each_side_has_its_own_error():
    measured = scored(walker=[0.9] * 19 + [0.2], phone=[0.1] * 15 + [0.6] * 5, print=[0.1] * 18 + [0.7] * 2)
    record = record_of(measured, SLOT, "test")
    assert (record.worst, record.apcer, record.attacks) == ("phone", 0.25, 20)
    assert (record.bpcer, record.bona_fide) == (0.05, 20)
    assert record.apcer_high == pytest.approx(0.491, abs=0.001)  # Clopper-Pearson of 5 in 20
    assert "phone" in msgspec.structs.replace(SLOT, measured=record).shortfall


@pytest.mark.rule("D7")
def test_a_face_that_is_not_detected_is_no_answer_of_the_check():
    measured = scored(tablet=[0.1] * 10)
    measured["tablet"].silent = 5
    row = next(row for row in table(measured, 0.5) if row["species"] == "tablet")
    assert (row["presentations"], row["non_response"], row["wrong"], row["rate"]) == (15, 5, 0, 0.0)
    measured["tablet"] = Scores(silent=15)
    with pytest.raises(SourceError, match="no tablet was detected"):
        record_of(measured, SLOT, "test")


@pytest.mark.rule("D7")
def test_a_score_at_the_threshold_passes_for_live():
    assert record_of(scored(print=[0.5] * 20), SLOT, "test").apcer == 1.0
    assert record_of(scored(walker=[0.5] * 20), SLOT, "test").bpcer == 0.0


def test_one_error_falls_and_the_other_rises_with_the_threshold():
    draw = np.random.default_rng(1)
    points = trade_off({species: Scores(list(draw.uniform(0, 1, 50))) for species in SPECIES})
    assert [p[1] for p in points] == sorted((p[1] for p in points), reverse=True)
    assert [p[2] for p in points] == sorted(p[2] for p in points)


@pytest.fixture(scope="module")
def photograph():
    return find_upright(DoubleEngine(double_pack()), still(3), margin=MARGIN)


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_an_instrument_is_flat_has_a_face_on_it_and_is_not_the_photograph(photograph, instrument):
    thing = make(instrument, photograph, np.random.default_rng(2))
    x, y, w, h = (round(value) for value in thing.face)
    assert w == pytest.approx(photograph.face[2], abs=1)
    assert (thing.picture[y : y + h, x : x + w, 3] > 200).mean() > 0.95
    px, py, pw, ph = (round(value) for value in photograph.face)
    shown = thing.picture[y : y + ph, x : x + pw, :3].astype(int)
    assert np.abs(shown - photograph.picture[py : py + ph, px : px + pw]).mean() > 8
    edge = thing.picture[2:4, 10:-10].mean()
    assert {"print": edge > 200, "mask": True, "phone": edge < 80, "tablet": edge < 80}[instrument]


def test_every_species_stands_where_it_says(photograph):
    engine = DoubleEngine(double_pack())
    own = find_head(engine, still(7))
    studio = Studio(1, (80.0, 120.0))
    frames = {species: studio.present(4, species, own, photograph) for species in SPECIES}
    for species, one in frames.items():
        x, y = (round(value) for value in one.middle)
        blue, green, _ = one.picture[y - 8 : y + 8, x - 8 : x + 8].reshape(-1, 3).mean(axis=0)
        wanted = green < blue if species == "walker" else green > blue  # identity 7 is blue, 3 is green
        assert wanted, species
        again = studio.present(4, species, own, photograph)
        assert np.array_equal(again.picture, one.picture)
    assert not np.array_equal(frames["print"].picture, frames["tablet"].picture)


class ByHue:
    """A check that takes blue faces for live: every fourth person's walker, and whatever shows a blue face."""

    def live_score(self, picture, box):
        x, y, w, h = (round(value) for value in box)
        blue, green, red = picture[y + h // 3 : y + 2 * h // 3, x + w // 3 : x + 2 * w // 3].reshape(-1, 3).mean(axis=0)
        return 1.0 if blue > max(green, red) else 0.0


def test_a_check_is_asked_about_the_presented_face(tmp_path):
    faces = painted_faces(tmp_path, people=9, pictures=1)
    told = []
    measured = measure(
        DoubleEngine(double_pack()), ByHue(), faces, people=9, seed=1, progress=lambda a, b: told.append((a, b))
    )
    assert told[-1] == (9, 9)
    assert {species: len(scores.live) + scores.silent for species, scores in measured.items()} == dict.fromkeys(
        SPECIES, 9
    )
    walkers, masks = measured["walker"].live, measured["mask"].live
    assert 0 < sum(walkers) < len(walkers)
    assert 0 < sum(masks) < len(masks)
    again = measure(DoubleEngine(double_pack()), ByHue(), faces, people=9, seed=1)
    assert {s: v.live for s, v in again.items()} == {s: v.live for s, v in measured.items()}


def test_too_few_people_are_told(tmp_path):
    faces = painted_faces(tmp_path, people=3, pictures=1)
    with pytest.raises(SourceError, match="4 people with a face are needed, 3 are there"):
        measure(DoubleEngine(double_pack()), ByHue(), faces, people=4, seed=1)


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """A pack file of the double whose check is a toy model."""
    raw = recogniser(dim=3, side=80)
    (tmp_path / "toy.onnx").write_bytes(raw)
    monkeypatch.setenv("LFR_PACKS", str(tmp_path))
    slot = msgspec.structs.replace(SLOT, models=(AttackModel("toy.onnx", hashlib.sha256(raw).hexdigest(), 2.0),))
    path = tmp_path / "painted.yaml"
    path.write_bytes(msgspec.yaml.encode(msgspec.structs.replace(double_pack(), presentation_attack=slot)))
    return path


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        root.run(["evaluate", "attack", *map(str, arguments)])
    shown = capsys.readouterr()
    return left.value.code or 0, shown.out, shown.err


def test_the_command_tells_the_rates_and_the_record(tmp_path, pack, capsys):
    faces = painted_faces(tmp_path / "faces", people=5, pictures=1)
    code, out, err = command(capsys, faces, "--pack", pack, "--people", 5, "--json")
    assert code == 0, err
    (line,) = out.splitlines()
    said = json.loads(line)
    assert [row["species"] for row in said["species"]] == list(SPECIES)
    assert said["passes"] is False
    assert said["shortfall"]
    code, out, _ = command(capsys, faces, "--pack", pack, "--people", 5)
    assert code == 0
    assert "does not pass its floor" in out
    record = msgspec.yaml.decode(out.partition("# for the slot in the pack file\n")[2].encode())
    assert record == {"measured": said["measured"]}


def test_a_pack_without_a_check_is_told(tmp_path, capsys):
    faces = painted_faces(tmp_path / "faces", people=2, pictures=1)
    code, out, err = command(capsys, faces, "--pack", "embedded")
    assert (code, out) == (1, "")
    assert "no check for presentation attacks" in err
    assert "hint: " in err
