import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lfr.actors import host

SHM = Path("/dev/shm")


@pytest.fixture
def on_disk(tmp_path: Path) -> Path:
    """A folder that lies on a disk, also where /tmp does not."""
    base = next(p for p in (tmp_path, Path("/var/tmp"), Path(__file__).parent) if not host.in_memory(p))
    folder = base / f"lfr-{os.getpid()}"
    folder.mkdir()
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def test_shared_memory_is_in_memory_and_a_disk_is_not(on_disk: Path):
    assert host.in_memory(SHM)
    assert not host.in_memory(on_disk)


def test_a_missing_path_is_an_error_not_an_answer():
    with pytest.raises(FileNotFoundError):
        host.in_memory(SHM / "no such thing")


def test_swap_is_read_from_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    head = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
    (tmp_path / "swaps").write_text(head)
    monkeypatch.setattr(host, "_PROC", tmp_path)
    assert host.swaps() == ()
    (tmp_path / "swaps").write_text(head + "/dev/dm-1 partition 8388604 0 -2\n/swapfile file 1024 0 -3\n")
    assert host.swaps() == ("/dev/dm-1", "/swapfile")


def test_swap_into_compressed_memory_is_no_swap_unless_it_has_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "_PROC", tmp_path)
    monkeypatch.setattr(host, "_BLOCK", tmp_path)
    (tmp_path / "swaps").write_text("Filename\n/dev/zram0 partition 8 0 100\n/dev/zram1 partition 8 0 100\n")
    (tmp_path / "zram0").mkdir()
    assert host.swaps() == ()
    (tmp_path / "zram0" / "backing_dev").write_text("none\n")
    assert host.swaps() == ()
    (tmp_path / "zram0" / "backing_dev").write_text("/dev/sda3\n")
    assert host.swaps() == ("/dev/zram0",)


def test_files_written_on_a_disk_are_seen_even_when_deleted(on_disk: Path):
    (on_disk / "read").write_text("x")
    with (on_disk / "kept").open("w"), (on_disk / "gone").open("w"), (on_disk / "read").open():
        (on_disk / "gone").unlink()
        written = host.disk_files_written(os.getpid())
    ours = [path for path in written if path.startswith(str(on_disk))]
    assert ours == [f"{on_disk}/gone (deleted)", f"{on_disk}/kept"]
    with (SHM / f"lfr-{os.getpid()}").open("w") as file:
        Path(file.name).unlink()
        assert not any(str(SHM) in path for path in host.disk_files_written(os.getpid()))


def test_core_dumps_are_forbidden_for_a_process_and_its_children():
    code = (
        "import subprocess, sys\n"
        "from lfr.actors import host\n"
        "host.forbid_core_dumps()\n"
        "print(repr(host.core_dumps()))\n"
        "child = subprocess.Popen(['sleep', '10'])\n"
        "print(repr(host.core_dumps(child.pid)), open(f'/proc/{child.pid}/coredump_filter').read().strip())\n"
        "child.kill(); child.wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["''", "''", "00000000"]


def test_a_limit_that_could_be_raised_again_is_named():
    with subprocess.Popen(["sh", "-c", "ulimit -S -c 0; exec sleep 10"]) as child:
        try:
            said = host.core_dumps(child.pid)
        finally:
            child.kill()
    assert said == "" or said.startswith("RLIMIT_CORE is 0/")


def test_a_process_is_read_by_its_id():
    env = {"LFR_TEST": "a=b", "PATH": os.environ["PATH"]}
    call = ["sh", "-c", "echo up; read line"]
    with subprocess.Popen(call, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        assert host.arguments(child.pid) == call
        assert host.environment(child.pid) == env
        assert host.command(child.pid) == "sh"
        assert host.parent(child.pid) == os.getpid()
        assert child.pid in host.own_processes()
        assert host.started(child.pid) >= host.started(os.getpid())
    assert child.pid not in host.own_processes()
    with pytest.raises(OSError, match=str(child.pid)):
        host.started(child.pid)


def test_a_folder_below_a_private_one_is_closed_to_others(tmp_path: Path):
    inner = tmp_path / "private" / "open"
    inner.mkdir(parents=True)
    inner.chmod(0o777)
    inner.parent.chmod(0o700)
    assert host.closed_to_others(inner)
    assert not host.closed_to_others(SHM)


def test_an_address_is_listened_at_or_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert host.listens(f"127.0.0.1:{port}")
    assert not host.listens(f"127.0.0.1:{port}")
    assert not host.listens("nonsense")


def test_room_is_the_file_systems_own():
    assert 0 < host.free_bytes(SHM) <= os.statvfs(SHM).f_blocks * os.statvfs(SHM).f_frsize
