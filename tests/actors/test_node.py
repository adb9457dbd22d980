import os
import socket
from pathlib import Path

import pytest

from lfr.actors import host, node, runfolder
from lfr.actors.runfolder import MARK, RunFolder
from lfr.domain.errors import NodeUnsafe, NotFound, RuntimeFailed

SHM = Path("/dev/shm")


def test_workers_see_no_credential_and_no_setting_of_rays_but_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("CAMERA_PASSWORD", "PGPASSWORD", "RAY_object_spilling_config", "RAY_gcs_storage", "LFR_CAM_PW"):
        monkeypatch.setenv(name, "hunter2")
    env = node.safe_environment(RunFolder(tmp_path), tmp_path / "token")
    assert "hunter2" not in env.values()
    assert env["PATH"] == os.environ["PATH"]
    assert env["RAY_AUTH_MODE"] == "token"
    assert env["RAY_AUTH_TOKEN_PATH"] == str(tmp_path / "token")
    assert env["RAY_USAGE_STATS_ENABLED"] == "0"
    assert env["TMPDIR"].startswith(str(tmp_path))
    assert env[MARK] == str(tmp_path)


def test_the_environment_comes_back_as_it_was():
    before = dict(os.environ)

    def fail() -> None:
        with node.only_environment({"A": "b"}):
            assert dict(os.environ) == {"A": "b"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert dict(os.environ) == before


def test_a_store_larger_than_the_tmpfs_is_refused():
    node.require_room(SHM, 1)
    with pytest.raises(NodeUnsafe, match="the object store needs 100000000") as caught:
        node.require_room(SHM, 100_000_000)
    assert "--shm-size" in caught.value.hint


def test_swap_warns_in_demo_and_refuses_in_operation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "swaps", lambda: ("/dev/sda2",))
    assert "/dev/sda2" in node.require_no_swap("demo")[0]
    assert node.require_no_swap("research")
    with pytest.raises(NodeUnsafe, match="/dev/sda2"):
        node.require_no_swap("operational")
    monkeypatch.setattr(host, "swaps", lambda: ())
    assert node.require_no_swap("operational") == ()


def test_a_token_is_made_once_and_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "deep" / "token"
    node.make_token(path)
    first = path.read_text()
    node.make_token(path)
    assert path.read_text() == first
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    node.require_token(path)


@pytest.mark.parametrize(
    ("mode", "words", "said"),
    [(0o640, "x" * 64, "read by others"), (0o600, "short", "too short"), (None, "", "No such")],
)
def test_a_bad_token_is_refused_with_a_hint(tmp_path: Path, mode: int | None, words: str, said: str):
    path = tmp_path / "token"
    if mode is not None:
        path.write_text(words)
        path.chmod(mode)
    with pytest.raises(NodeUnsafe, match=said) as caught:
        node.require_token(path)
    assert caught.value.hint
    assert "x" * 64 not in str(caught.value)


def test_the_tokens_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LFR_HOME", str(tmp_path))
    monkeypatch.delenv("LFR_RAY_TOKEN", raising=False)
    assert node.cluster_token() == tmp_path / "ray.token"
    monkeypatch.setenv("LFR_RAY_TOKEN", "/elsewhere/token")
    assert node.cluster_token() == Path("/elsewhere/token")
    assert node.cluster_token("/given") == Path("/given")


def test_stopping_a_node_that_was_not_started_here():
    with pytest.raises(NotFound, match="no node van-404"):
        node.stop_node("van-404")


def test_auto_without_a_node_here_says_so(tmp_path: Path):
    with pytest.raises(NodeUnsafe, match="clusters found here are: none") as caught:
        node.find_cluster(tmp_path)
    assert "host:port" in caught.value.hint


@pytest.mark.ray
def test_a_node_that_cannot_start_fails_clearly_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    token = tmp_path / "token"
    node.make_token(token)
    before = [folder.path for folder in runfolder.existing(SHM)]
    with pytest.raises(RuntimeFailed, match="nobody answers at"):
        node.start_node("van-9", address="127.0.0.2:9", token=token, store_mb=80, mode="demo")
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeFailed, match=f"port {port} is in use"):
            node.start_node("van-9", port=port, ip="127.0.0.2", token=token, store_mb=80, mode="demo")
    with pytest.raises(RuntimeFailed, match=r"node van-9: `ray start` failed: .*minimum"):
        node.start_node("van-9", port=port, ip="127.0.0.2", token=token, store_mb=10, mode="demo")
    assert [folder.path for folder in runfolder.existing(SHM) if folder.path not in before] == []
