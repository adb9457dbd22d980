"""D7: the check for presentation attacks runs only what its slot says, and stays off below its own floor."""

import hashlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import ConfigError, LicenceRefused, ModelCorrupt, ModelMissing
from lfr.domain.packs import AttackFloor, AttackModel, AttackRecord, Licence, PresentationAttack
from lfr.resources import configs
from lfr.vision.attack import measuring_attack_check, open_attack_check, surroundings
from lfr.vision.engine.double import double_pack
from lfr.vision.packs import load_pack, pack_digest
from lfr.vision.source.cutouts import _astronaut
from tests.support.toy_models import recogniser

PASSED = AttackRecord(
    apcer=0.01, apcer_high=0.05, worst="mask", attacks=300, bpcer=0.0, bpcer_high=0.01, bona_fide=300, method="test"
)


def slot_of(*models, **changed):
    slot = PresentationAttack(
        models=models,
        use="research",
        licence=Licence(name="Apache-2.0", summary="Part of these tests."),
        threshold=0.5,
        floor=AttackFloor(apcer=0.1, bpcer=0.05),
        measured=PASSED,
    )
    return msgspec.structs.replace(slot, **changed)


@pytest.fixture
def toy(tmp_path):
    """A pack whose check is two toy models: the softmax of three sums of the mean colour."""
    models = []
    for number, scale in enumerate((1.0, 2.0)):
        raw = recogniser(dim=3, side=80)
        path = tmp_path / f"toy{number}.onnx"
        path.write_bytes(raw)
        models.append(AttackModel(path.name, hashlib.sha256(raw).hexdigest(), scale))
    return msgspec.structs.replace(double_pack(), presentation_attack=slot_of(*models, std=255.0))


def with_slot(pack, **changed):
    return msgspec.structs.replace(
        pack, presentation_attack=msgspec.structs.replace(pack.presentation_attack, **changed)
    )


def expected(colour):
    """What the toy models say of a crop of one colour: BGR as it is, 0..1."""
    weights = np.random.default_rng(3).normal(size=(3, 3)).astype(np.float32)
    logits = np.array(colour, np.float32) / 255 @ weights
    return float(np.exp(logits[1]) / np.exp(logits).sum())


@pytest.mark.rule("D7")
def test_the_score_is_the_mean_over_the_models_each_with_its_own_surroundings(toy, tmp_path):
    check = open_attack_check(toy, [tmp_path], mode="research")
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:] = (250, 0, 0)
    picture[60:140, 60:140] = (0, 250, 0)
    found = check.live_score(picture, (60, 60, 80, 80))
    around = np.array((0, 250, 0)) * 0.25 + np.array((250, 0, 0)) * 0.75
    assert found == pytest.approx((expected((0, 250, 0)) + expected(around)) / 2, abs=0.01)
    assert check.is_attack(picture, (60, 60, 80, 80)) == (found < 0.5)
    check.close()
    check.close()


@pytest.mark.rule("D7")
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"measured": None}, "never measured"),
        ({"measured": msgspec.structs.replace(PASSED, apcer=0.08, apcer_high=0.12)}, r"300 attacks \(mask\) 8.0%"),
        ({"measured": msgspec.structs.replace(PASSED, bpcer=0.03, bpcer_high=0.06)}, "300 live faces 3.0%"),
    ],
)
def test_below_its_floor_it_cannot_be_enabled_and_says_why(toy, tmp_path, changed, words):
    pack = with_slot(toy, **changed)
    with pytest.raises(ConfigError, match=words) as caught:
        open_attack_check(pack, [tmp_path], mode="research")
    assert "stays off" in caught.value.message
    measuring_attack_check(pack, [tmp_path]).close()  # but it can be measured again


@pytest.mark.rule("D7")
@given(rates=st.tuples(st.floats(0, 1), st.floats(0, 1)), floors=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_it_is_the_upper_end_of_both_intervals_that_must_reach_the_floor(rates, floors):
    record = msgspec.structs.replace(PASSED, apcer_high=rates[0], bpcer_high=rates[1])
    slot = slot_of(AttackModel("a", "0" * 64, 1.0), floor=AttackFloor(*floors), measured=record)
    assert (slot.shortfall == "") == (rates[0] <= floors[0] and rates[1] <= floors[1])


@pytest.mark.rule("D7")
def test_a_pack_without_a_slot_has_no_check():
    with pytest.raises(ConfigError, match="no check for presentation attacks"):
        open_attack_check(double_pack(), [], mode="research")


def test_what_is_for_research_is_refused_in_operations(toy, tmp_path):
    with pytest.raises(LicenceRefused, match="for research"):
        open_attack_check(toy, [tmp_path], mode="operational")
    open_attack_check(with_slot(toy, use="operational"), [tmp_path], mode="operational").close()


def test_models_are_taken_by_their_hash(toy, tmp_path):
    with pytest.raises(ModelMissing, match=r"toy0\.onnx"):
        open_attack_check(toy, [tmp_path / "elsewhere"], mode="research")
    (tmp_path / "toy1.onnx").write_bytes(b"changed")
    with pytest.raises(ModelCorrupt, match=r"toy1\.onnx"):
        open_attack_check(toy, [tmp_path], mode="research")


@pytest.mark.parametrize(
    ("model", "words"), [(recogniser(dim=4, side=80), "3 classes"), (recogniser(dim=3, side=64), "does not run")]
)
def test_a_model_of_another_shape_is_refused(toy, tmp_path, model, words):
    (tmp_path / "other.onnx").write_bytes(model)
    other = AttackModel("other.onnx", hashlib.sha256(model).hexdigest(), 2.7)
    with pytest.raises(ModelCorrupt, match=words):
        measuring_attack_check(with_slot(toy, models=(other,)), [tmp_path])


@given(
    box=st.tuples(st.floats(-300, 400), st.floats(-300, 400), st.floats(0, 600), st.floats(0, 600)),
    scale=st.floats(1, 6),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_any_box_has_surroundings_in_the_picture(box, scale, size):
    assert surroundings(np.zeros((*size, 3), np.uint8), box, scale, 80).shape == (80, 80, 3)


def test_surroundings_are_moved_where_they_would_leave_the_picture():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:40, :40] = 255
    assert surroundings(picture, (0, 0, 20, 20), 2.0, 80).mean() == 255
    assert surroundings(picture, (10, 10, 20, 20), 2.0, 80).mean() == 255
    assert surroundings(picture, (0, 0, 100, 100), 4.0, 80).mean() == pytest.approx(255 * 0.16, abs=2)


def test_the_research_pack_has_a_slot_that_is_off_and_the_digest_covers_it():
    pack = load_pack("research")
    assert pack.presentation_attack.use == "research"
    assert pack.presentation_attack.shortfall
    assert pack_digest(with_slot(pack, threshold=0.4)) != pack_digest(pack)
    assert pack_digest(with_slot(pack, measured=PASSED)) == pack_digest(pack)
    assert load_pack("permissive").presentation_attack is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("live_class: 1", "live_class: 3", "live_class"),
        ("side: 80", "side: 8", "side"),
        ("scale: 2.7", "scale: 0.5", "scale"),
        ("file: fasnet_2_7.onnx", "file: ../fasnet_2_7.onnx", "bare file name"),
        ("threshold: 0.5\n  floor", "threshold: 1.5\n  floor", "threshold"),
    ],
)
def test_a_slot_that_makes_no_sense_is_refused_by_key(tmp_path, old, new, words):
    text = (configs() / "packs" / "research.yaml").read_text()
    assert old in text
    (tmp_path / "mine.yaml").write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=words):
        load_pack(str(tmp_path / "mine.yaml"))


@pytest.mark.assets
@pytest.mark.rule("D7")
def test_the_research_models_run_as_their_slot_says(assets):
    check = measuring_attack_check(load_pack("research"), [assets / "models"])
    face = (178.0, 63.0, 90.0, 113.0)
    assert check.live_score(_astronaut(), face) > 0.5
    screen = np.full((720, 1280, 3), 120, np.uint8)
    screen[100:600, 400:800] = 15
    screen[130:570, 420:780] = np.asarray(_astronaut()[0:440, 50:410])
    assert check.live_score(screen, (548.0, 193.0, 90.0, 113.0)) < 0.5
