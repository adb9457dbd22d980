import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from lfr.actors import host, runfolder
from lfr.actors.runfolder import MARK, RunFolder
from lfr.domain.errors import NodeUnsafe


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory for this test alone."""
    path = Path("/dev/shm") / f"t{os.getpid()}"
    path.mkdir()
    yield path
    for folder in runfolder.existing(path):
        folder.end(grace_s=0)
    for left in path.iterdir():
        left.unlink()
    path.rmdir()


def dead_owner(folder: RunFolder) -> None:
    """Give the folder to a process that has ended."""
    with subprocess.Popen(["sleep", "0.01"]) as child:
        folder.own(child.pid)


def test_a_folder_is_private_and_its_own(memory: Path):
    folder = runfolder.create(memory)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.spill.is_dir()
    assert folder.plasma.is_dir()
    owner = folder.owner()
    assert owner is not None
    assert owner.pid == os.getpid()
    assert runfolder.alive(owner)


def test_a_disk_is_refused():
    base = next(p for p in (Path("/var/tmp"), Path(__file__).parent) if not host.in_memory(p))
    with pytest.raises(NodeUnsafe, match="is not in memory"):
        runfolder.create(base)


def test_a_path_too_long_for_a_socket_is_refused(memory: Path):
    deep = memory / ("x" * 40)
    deep.mkdir()
    with pytest.raises(NodeUnsafe, match="too long"):
        runfolder.create(deep)
    deep.rmdir()


def test_a_missing_tmpfs_is_refused(memory: Path):
    with pytest.raises(NodeUnsafe, match="No such file") as caught:
        runfolder.create(memory / "none")
    assert "tmpfs" in caught.value.hint


def test_what_a_dead_run_left_is_removed_and_a_live_one_stays(memory: Path):
    live, dead = runfolder.create(memory), runfolder.create(memory)
    dead_owner(dead)
    (dead.spill / "face").write_bytes(b"x")
    assert runfolder.clean_stale(memory) == [dead.path]
    assert not dead.path.exists()
    assert live.path.is_dir()


def test_a_later_process_of_the_same_id_is_not_the_owner(memory: Path):
    folder = runfolder.create(memory)
    owner = folder.owner()
    assert owner is not None
    changed = msgspec.structs.replace(owner, started=owner.started - 1)
    (folder.path / "owner.json").write_bytes(msgspec.json.encode(changed))
    assert runfolder.clean_stale(memory) == [folder.path]


def test_another_containers_folder_is_left_alone(memory: Path):
    folder = runfolder.create(memory)
    dead_owner(folder)
    owner = folder.owner()
    assert owner is not None
    elsewhere = msgspec.structs.replace(owner, pid_namespace="pid:[1]")
    (folder.path / "owner.json").write_bytes(msgspec.json.encode(elsewhere))
    assert runfolder.clean_stale(memory) == []


def test_a_folder_without_an_owner_is_given_a_minute(memory: Path):
    folder = runfolder.create(memory)
    (folder.path / "owner.json").write_text("{")
    assert runfolder.clean_stale(memory) == []
    os.utime(folder.path, (time.time() - 61, time.time() - 61))
    assert runfolder.clean_stale(memory) == [folder.path]


def test_a_link_is_never_followed(memory: Path, tmp_path: Path):
    (tmp_path / "precious").write_text("x")
    link = memory / f"{runfolder.PREFIX}link"
    link.symlink_to(tmp_path)
    assert runfolder.existing(memory) == []
    runfolder.clean_stale(memory)
    assert (tmp_path / "precious").exists()


def test_ending_takes_the_marked_processes_and_their_children_only(memory: Path):
    folder = runfolder.create(memory)
    stubborn = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "subprocess.Popen(['sleep', '60'], env={}); print('up', flush=True); time.sleep(60)"
    )
    env = os.environ | {MARK: str(folder.path)}
    with (
        subprocess.Popen([sys.executable, "-c", stubborn], env=env, stdout=subprocess.PIPE) as marked,
        subprocess.Popen(["sleep", "60"]) as stranger,
    ):
        assert marked.stdout is not None
        assert marked.stdout.readline() == b"up\n"
        # Its child took the environment off, and is found by its parent.
        assert len(folder.processes()) == 2
        folder.end(grace_s=0.3)
        assert marked.wait(timeout=10) != 0
        assert stranger.poll() is None
        stranger.kill()
    assert not folder.path.exists()
    assert folder.processes() == []
