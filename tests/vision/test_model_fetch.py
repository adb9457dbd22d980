"""Pulling packs: from a mirror folder, from a server, through InsightFace's loader. Never half of one."""

import functools
import hashlib
import socket
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from lfr.domain.errors import LicenceRefused, ModelCorrupt, ModelError, ModelMissing
from lfr.vision import model_fetch
from lfr.vision.model_fetch import can_pull, pull
from lfr.vision.packs import cache_root, load_pack, locate

DETECTOR, RECOGNISER = b"detector" * 5000, b"recogniser" * 5000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lfr"


@pytest.fixture
def mirror(tmp_path):
    path = tmp_path / "mirror"
    path.mkdir()
    return path


@pytest.fixture
def server(mirror):
    """The mirror folder over http; its address."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(mirror)))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def small(name):
    """The pack of that name with two small files in place of its models."""
    base = load_pack(name)
    return msgspec.structs.replace(
        base,
        detector=msgspec.structs.replace(base.detector, sha256=hashlib.sha256(DETECTOR).hexdigest()),
        recogniser=msgspec.structs.replace(base.recogniser, sha256=hashlib.sha256(RECOGNISER).hexdigest()),
    )


def fill(folder, pack):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / pack.detector.file).write_bytes(DETECTOR)
    (folder / pack.recogniser.file).write_bytes(RECOGNISER)


def archive(path, pack, prefix=""):
    with zipfile.ZipFile(path, "w") as out:
        out.writestr(prefix + pack.detector.file, DETECTOR)
        out.writestr(prefix + pack.recogniser.file, RECOGNISER)
        out.writestr(prefix + "genderage.onnx", b"not wanted")


def files_in(path):
    return sorted(found.name for found in path.rglob("*") if found.is_file()) if path.exists() else []


def installed(pack):
    located = locate(pack, [cache_root()])
    return located.detector.read_bytes() == DETECTOR and located.recogniser.read_bytes() == RECOGNISER


def test_which_packs_can_be_pulled():
    assert {name for name in ("buffalo_l", "buffalo_s", "antelopev2", "opencv-zoo") if can_pull(load_pack(name))} == {
        "buffalo_l",
        "buffalo_s",
        "antelopev2",
        "opencv-zoo",
    }
    assert not can_pull(load_pack("research"))


@pytest.mark.parametrize("shape", ["bare", "folder", "zip", "zip in folder"])
def test_from_a_mirror(mirror, shape):
    pack = small("buffalo_l")
    if shape == "bare":
        fill(mirror, pack)
    elif shape == "folder":
        fill(mirror / pack.name, pack)
    elif shape == "zip":
        archive(mirror / "buffalo_l.zip", pack)
    else:
        (mirror / pack.name).mkdir()
        archive(mirror / pack.name / "buffalo_l.zip", pack, prefix="buffalo_l/")
    pull(pack, mirror=mirror, accepted=True)
    assert installed(pack)
    assert "genderage.onnx" not in files_in(cache_root())


def test_a_mirror_that_lacks_a_file(mirror, cache):
    pack = small("buffalo_l")
    (mirror / pack.detector.file).write_bytes(DETECTOR)
    with pytest.raises(ModelMissing, match=pack.recogniser.file):
        pull(pack, mirror=mirror, accepted=True)
    assert files_in(cache) == []


def test_over_http(mirror, server, monkeypatch):
    pack = small("opencv-zoo")
    fill(mirror, pack)
    addresses = {file: server + file for file in (pack.detector.file, pack.recogniser.file)}
    monkeypatch.setitem(model_fetch.ADDRESSES, "opencv-zoo", addresses)
    told = []
    pull(pack, mirror=None, accepted=False, progress=lambda *args: told.append(args))
    assert installed(pack)
    assert (f"download {pack.detector.file}", len(DETECTOR), len(DETECTOR)) in told


def test_what_the_server_sends_is_verified(mirror, server, monkeypatch, cache):
    pack = small("opencv-zoo")
    fill(mirror, pack)
    (mirror / pack.recogniser.file).write_bytes(b"something else")
    addresses = {file: server + file for file in (pack.detector.file, pack.recogniser.file)}
    monkeypatch.setitem(model_fetch.ADDRESSES, "opencv-zoo", addresses)
    with pytest.raises((ModelCorrupt, ModelMissing), match=pack.recogniser.file):
        pull(pack, mirror=None, accepted=False)
    assert files_in(cache) == []


@pytest.mark.parametrize("prefix", ["", "buffalo_s/"])
def test_through_insightface(mirror, server, monkeypatch, capfd, prefix):
    from insightface.utils import storage

    pack = small("buffalo_s")
    archive(mirror / "buffalo_s.zip", pack, prefix)
    monkeypatch.setattr(storage, "MODEL_ZOO_RELEASE_DOWNLOAD_URL", server)
    pull(pack, mirror=None, accepted=True)
    assert installed(pack)
    printed = capfd.readouterr()
    assert "download" not in printed.out.lower()  # its chatter belongs on stderr
    assert "Downloading" in printed.err


def test_a_file_that_is_not_there(server, monkeypatch, cache):
    from insightface.utils import storage

    monkeypatch.setattr(storage, "MODEL_ZOO_RELEASE_DOWNLOAD_URL", server)
    with pytest.raises(ModelError, match="answered 404"):
        pull(small("buffalo_s"), mirror=None, accepted=True)
    assert files_in(cache) == []


@pytest.mark.parametrize("name", ["buffalo_s", "opencv-zoo"])
def test_offline_is_said_clearly(name, monkeypatch, cache):
    from insightface.utils import storage

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    monkeypatch.setattr(storage, "MODEL_ZOO_RELEASE_DOWNLOAD_URL", address)
    pack = small(name)
    for file in (pack.detector.file, pack.recogniser.file):
        monkeypatch.setitem(model_fetch.ADDRESSES["opencv-zoo"], file, address + file)
    with pytest.raises(ModelError, match="cannot reach") as caught:
        pull(pack, mirror=None, accepted=True)
    assert "--mirror" in caught.value.hint
    assert "\n" not in caught.value.message
    assert files_in(cache) == []


def test_no_licence_no_download(server, cache):
    with pytest.raises(LicenceRefused):
        pull(small("buffalo_s"), mirror=None, accepted=False)
    assert files_in(cache) == []


@pytest.mark.parametrize(("name", "says"), [("permissive", "no public address"), ("embedded", "embedded")])
def test_packs_without_an_address(name, says):
    with pytest.raises(ModelMissing, match=says) as caught:
        pull(load_pack(name), mirror=None, accepted=True)
    assert "--mirror" in caught.value.hint
