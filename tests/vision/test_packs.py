"""Packs: read strictly, found by name and hash in a fixed order, refused where their licence says so."""

import hashlib
import os
import pickle
import shutil
from pathlib import Path

import msgspec
import pytest

from lfr.domain.errors import ConfigError, LicenceRefused, ModelCorrupt, ModelMissing, PackNotFound
from lfr.resources import configs
from lfr.vision import packs
from lfr.vision.packs import check_use, default_roots, load_pack, locate, pack_digest, pack_names

RIGHT = b"the right detector"
OTHER = b"the right recogniser"


def sha(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def pack():
    """The research pack with two small files in place of its models."""
    base = load_pack("research")
    return msgspec.structs.replace(
        base,
        name="tiny",
        detector=msgspec.structs.replace(base.detector, file="det.onnx", sha256=sha(RIGHT)),
        recogniser=msgspec.structs.replace(base.recogniser, file="rec.onnx", sha256=sha(OTHER)),
    )


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_described_packs():
    described = {
        "embedded",
        "permissive",
        "research",
        "research-2.5g",
        "opencv-zoo",
        "buffalo_l",
        "buffalo_s",
        "antelopev2",
    }
    assert described <= set(pack_names())
    for name in pack_names():
        pack = load_pack(name)
        assert pack.name == name
        assert pack.licence.summary
        if "InsightFace" in pack.licence.name:
            assert pack.use == "research"


def test_hashes_the_issue_names():
    zoo = load_pack("opencv-zoo")
    assert zoo.detector.sha256 == "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    assert zoo.recogniser.sha256 == "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"


def test_unknown_pack_lists_the_known_ones():
    with pytest.raises(PackNotFound) as caught:
        load_pack("nothing-like-it")
    assert "embedded" in caught.value.hint


def test_a_pack_file_anywhere(tmp_path):
    copied = shutil.copy(configs() / "packs" / "research.yaml", tmp_path / "mine.yaml")
    assert load_pack(str(copied)) == load_pack("research")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("use: research", "use: anything", "use"),
        ("use: research", "use: research\ncolour: red", "colour"),
        ("long_side: 640", "long_side: 641", "multiple of 32"),
        ("file: w600k_mbf.onnx", "file: ../w600k_mbf.onnx", "bare file name"),
        ("4edeeea0", "zzzzzzzz", "64 hex digits"),
        ("kind: scrfd", "kind: dlib-hog", "engine onnx"),
        ("metric: cosine", "metric: euclidean", "metric cosine"),
        ("std: 127.5", "std: 0", "std"),
        ("name: research", "name: ../up", "name is not"),
        ("detector:", "detector: [", "not valid YAML"),
    ],
)
def test_a_wrong_pack_file_is_refused_by_key(tmp_path, old, new, says):
    text = (configs() / "packs" / "research.yaml").read_text()
    path = put(tmp_path / "wrong.yaml", text.replace(old, new, 1).encode())
    with pytest.raises(ConfigError) as caught:
        load_pack(str(path))
    assert says in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize("place", ["{file}", "tiny/{file}", "else/{file}"])
def test_each_place_is_looked_at(tmp_path, pack, place):
    det = put(tmp_path / "a" / place.format(file="det.onnx"), RIGHT)
    rec = put(tmp_path / "a" / place.format(file="rec.onnx"), OTHER)
    found = locate(pack, [tmp_path / "empty", tmp_path / "a"])
    assert (found.detector, found.recogniser) == (det.resolve(), rec.resolve())


def test_nearer_places_and_earlier_roots_win(tmp_path, pack):
    put(tmp_path / "b" / "rec.onnx", OTHER)
    later = put(tmp_path / "b" / "det.onnx", RIGHT)
    wide = put(tmp_path / "a" / "aaa" / "det.onnx", RIGHT)
    roots = [tmp_path / "a", tmp_path / "b"]
    assert locate(pack, roots).detector == wide
    named = put(tmp_path / "a" / "tiny" / "det.onnx", RIGHT)
    assert locate(pack, roots).detector == named
    bare = put(tmp_path / "a" / "det.onnx", RIGHT)
    assert locate(pack, roots).detector == bare
    assert locate(pack, roots[::-1]).detector == later


def test_a_wrong_file_is_passed_over_for_a_right_one(tmp_path, pack):
    put(tmp_path / "det.onnx", b"wrong")
    right = put(tmp_path / "x" / "det.onnx", RIGHT)
    put(tmp_path / "rec.onnx", OTHER)
    assert locate(pack, [tmp_path]).detector == right


def test_only_wrong_hashes_names_path_and_both_hashes(tmp_path, pack):
    wrong = put(tmp_path / "det.onnx", b"wrong")
    with pytest.raises(ModelCorrupt) as caught:
        locate(pack, [tmp_path])
    for part in (str(wrong), sha(b"wrong"), sha(RIGHT)):
        assert part in caught.value.message
    assert "lfr models" in caught.value.hint


def test_nothing_found_says_where_it_looked(tmp_path, pack):
    with pytest.raises(ModelMissing) as caught:
        locate(pack, [tmp_path / "one", tmp_path / "two"])
    assert str(tmp_path / "one") in caught.value.message
    assert str(tmp_path / "two") in caught.value.message
    assert "lfr models pull tiny" in caught.value.hint
    assert "import" in caught.value.hint


def test_relative_roots_become_absolute(tmp_path, pack, monkeypatch):
    put(tmp_path / "models" / "det.onnx", RIGHT)
    put(tmp_path / "models" / "rec.onnx", OTHER)
    monkeypatch.chdir(tmp_path)
    found = locate(pack, [Path("models")])
    assert found.detector.is_absolute()
    assert pickle.loads(pickle.dumps(found)) == found


def test_roots_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("LFR_PACKS", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    monkeypatch.setenv("LFR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    expected = [
        tmp_path / "one",
        tmp_path / "two",
        tmp_path / "cache" / "lfr" / "packs",
        tmp_path / "assets" / "models",
    ]
    assert default_roots() == [path.resolve() for path in expected]
    monkeypatch.delenv("LFR_PACKS")
    monkeypatch.delenv("LFR_ASSETS")
    assert default_roots() == [expected[2]]


def test_the_embedded_pack_comes_with_its_package():
    found = locate(load_pack("embedded"), [])
    assert found.detector.parent == found.recogniser.parent
    assert found.detector.parent.parent.name == "face_recognition_models"


def test_without_its_package_the_hint_names_the_extra(monkeypatch):
    monkeypatch.setattr(packs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelMissing) as caught:
        locate(load_pack("embedded"), [])
    assert "lfr[embedded]" in caught.value.hint


def test_the_digest_follows_what_decides(pack):
    same = msgspec.structs.replace(pack, title="Another title", note="n")
    assert pack_digest(same) == pack_digest(pack)
    changed = msgspec.structs.replace(pack, detector=msgspec.structs.replace(pack.detector, score_threshold=0.4))
    assert pack_digest(changed) != pack_digest(pack)
    assert len(pack_digest(pack)) == 64


def test_research_packs_refuse_operations(pack):
    check_use(pack, "research")
    check_use(pack, "demo")
    check_use(msgspec.structs.replace(pack, use="operational"), "operational")
    with pytest.raises(LicenceRefused):
        check_use(pack, "operational")
