"""Importing model files: by hash, from files, folders and zips, all or nothing."""

import hashlib
import json
import zipfile

import msgspec
import pytest

from lfr.domain.errors import LicenceRefused, ModelCorrupt, ModelError, ModelMissing
from lfr.vision import model_store
from lfr.vision.model_store import Origin, find_models, install
from lfr.vision.packs import cache_root, load_pack, locate

DETECTOR, RECOGNISER = b"detector" * 1000, b"recogniser" * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lfr"


def small(name="tiny", use="operational"):
    """A pack of two small files."""
    base = load_pack("research")
    return msgspec.structs.replace(
        base,
        name=name,
        use=use,
        detector=msgspec.structs.replace(base.detector, file="det.onnx", sha256=hashlib.sha256(DETECTOR).hexdigest()),
        recogniser=msgspec.structs.replace(
            base.recogniser, file="rec.onnx", sha256=hashlib.sha256(RECOGNISER).hexdigest()
        ),
    )


@pytest.fixture
def folder(tmp_path):
    """Both files, one of them deeper and under another name."""
    place = tmp_path / "given"
    (place / "deep").mkdir(parents=True)
    (place / "det.onnx").write_bytes(DETECTOR)
    (place / "deep" / "another name.onnx").write_bytes(RECOGNISER)
    return place


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def files_in(path):
    return sorted(found.name for found in path.rglob("*") if found.is_file()) if path.exists() else []


def test_a_folder_is_searched_by_hash(folder):
    (match,) = find_models(folder, [small()])
    assert sorted(match.files) == ["det.onnx", "rec.onnx"]
    assert match.missing == ()
    target = install(match.pack, match.files, accepted=False)
    assert target == cache_root() / "tiny"
    located = locate(small(), [cache_root()])
    assert located.detector.read_bytes() == DETECTOR
    assert located.recogniser.read_bytes() == RECOGNISER


def test_a_zip_with_a_folder_inside(tmp_path):
    path = zipped(
        tmp_path / "tiny.zip", **{"tiny__det.onnx": DETECTOR, "tiny__rec.onnx": RECOGNISER, "readme.txt": b"x"}
    )
    (match,) = find_models(path, [small()])
    install(match.pack, match.files, accepted=True)
    assert files_in(cache_root()) == ["det.onnx", "licence.json", "rec.onnx"]


def test_one_file_serves_every_pack_that_wants_it(folder):
    matches = find_models(folder / "det.onnx", [small(), small("twin")])
    assert [match.pack.name for match in matches] == ["tiny", "twin"]
    assert matches[0].missing == ("rec.onnx",)


def test_what_was_agreed_to_is_noted(folder):
    (match,) = find_models(folder, [small(use="research")])
    target = install(match.pack, match.files, accepted=True)
    note = json.loads((target / "licence.json").read_text())
    assert note["pack"] == "tiny"
    assert note["licence"]["name"].startswith("InsightFace")
    assert note["accepted_at"]


def test_a_research_licence_must_be_accepted(folder, cache):
    (match,) = find_models(folder, [small(use="research")])
    with pytest.raises(LicenceRefused) as caught:
        install(match.pack, match.files, accepted=False)
    assert "--accept-licence" in caught.value.hint
    assert files_in(cache) == []


def test_a_wrong_hash_changes_nothing(folder, cache):
    broken = folder / "rec.onnx"
    broken.write_bytes(RECOGNISER[:-1])
    with pytest.raises(ModelCorrupt) as caught:
        install(small(), {"det.onnx": Origin(folder / "det.onnx"), "rec.onnx": Origin(broken)}, accepted=True)
    assert str(broken) in caught.value.message
    assert files_in(cache) == []


def test_a_full_or_closed_disk_is_one_line(folder, cache):
    cache.parent.mkdir()
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(ModelError, match="cannot write") as caught:
        install(small(), {"det.onnx": Origin(folder / "det.onnx")}, accepted=True)
    assert caught.value.hint


def test_the_right_name_with_a_wrong_hash_names_both(tmp_path):
    path = tmp_path / "det.onnx"
    path.write_bytes(b"wrong")
    with pytest.raises(ModelCorrupt) as caught:
        find_models(path, [small()])
    assert hashlib.sha256(b"wrong").hexdigest() in caught.value.message
    assert small().detector.sha256 in caught.value.message


@pytest.mark.parametrize("what", ["nothing there", "empty folder", "unknown file"])
def test_nothing_to_import(tmp_path, what):
    path = tmp_path / "x"
    if what == "empty folder":
        path.mkdir()
    elif what == "unknown file":
        path.write_bytes(b"hello")
    with pytest.raises(ModelMissing):
        find_models(path, [small()])


@pytest.mark.parametrize("name", ["../det.onnx", "/etc/det.onnx", "a/../../det.onnx", "..\\det.onnx"])
def test_a_zip_that_leads_out_of_itself_is_refused(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, DETECTOR)
    with pytest.raises(ModelCorrupt, match="unsafe"):
        find_models(path, [small()])


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "evil.zip"
    link = zipfile.ZipInfo("det.onnx")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelCorrupt, match="unsafe"):
        find_models(path, [small()])


def test_a_zip_bomb_stops_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(model_store, "MAX_FILE", 1 << 20)
    path = zipped(tmp_path / "bomb.zip", **{"det.onnx": bytes(3 << 20)})
    assert path.stat().st_size < 1 << 16
    with pytest.raises(ModelCorrupt, match="larger than"):
        find_models(path, [small()])


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_a_broken_zip_is_corrupt(tmp_path, keep):
    path = zipped(tmp_path / "tiny.zip", **{"det.onnx": bytes(range(256)) * 40, "rec.onnx": RECOGNISER})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelCorrupt, match="no readable zip"):
        find_models(path, [small()])


def test_a_damaged_member_is_corrupt(tmp_path):
    path = tmp_path / "tiny.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("det.onnx", DETECTOR)
    raw = bytearray(path.read_bytes())
    raw[200] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(ModelCorrupt, match="no readable zip"):
        find_models(path, [small()])


def test_progress_is_told(folder):
    told = []
    install(small(), {"det.onnx": Origin(folder / "det.onnx")}, accepted=True, progress=lambda *args: told.append(args))
    assert told[-1] == ("det.onnx", len(DETECTOR), 0)
