import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lfr.actors import host, probe
from lfr.actors.probe import Check, NodeProbe
from lfr.domain.errors import NodeUnsafe

SHM = "/dev/shm"
DISK = str(next(p for p in (Path("/var/tmp"), Path(__file__).parent) if not host.in_memory(p)))
SPILLS_TO_DISK = {
    "object_spilling_config": json.dumps({"type": "filesystem", "params": {"directory_path": [SHM, DISK]}})
}


@contextmanager
def stand_in(folder: str, *, code: str = "", env: dict[str, str] | None = None) -> Iterator[int]:
    """A real process with a raylet's command line, limits, environment and open files; yields its id."""
    names = ("temp_dir", "session_dir", "log_dir", "resource_dir", "plasma_directory", "fallback_directory")
    flags = [f"--{name}={folder}" for name in names]
    body = f"import sys; {code}; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", body, *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env or {},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


SAFE = "from lfr.actors import host; host.forbid_core_dumps()"


@pytest.fixture
def private() -> Iterator[str]:
    """A folder in memory, its owner's alone."""
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        yield folder


def faults(pid: int, config: dict[str, object] | None = None) -> dict[str, str]:
    seen = probe.inspect(pid, node="van-1", system_config=config)
    return {check.name: check.detail for check in seen.checks if not check.ok and check.name != "swap off"}


def test_a_safe_node_has_no_fault(private: str):
    with stand_in(private, code=SAFE, env={"RAY_AUTH_MODE": "token"}) as pid:
        assert faults(pid, {"automatic_object_spilling_enabled": False}) == {}


def test_folders_on_a_disk_are_each_named():
    with stand_in(DISK, code=SAFE, env={"RAY_AUTH_MODE": "token"}) as pid:
        found = faults(pid)
    assert set(found) == {
        "session in memory",
        "object store in memory",
        "overflow in memory",
        "closed to other users",
    }
    assert f"fallback_directory {DISK} is not in memory" in found["overflow in memory"]


def test_a_node_without_token_auth_is_seen(private: str):
    with stand_in(private, code=SAFE, env={"RAY_AUTH_MODE": "disabled"}) as pid:
        assert "token required" in faults(pid)
    with stand_in(private, code=SAFE) as pid:
        assert "token required" in faults(pid)


def test_an_open_file_on_a_disk_is_seen_though_the_flags_are_right(private: str, tmp_path: Path):
    path = f"{DISK}/lfr-{tmp_path.name}"
    code = f"{SAFE}; file = open({path!r}, 'w'); import os; os.unlink({path!r})"
    with stand_in(private, code=code, env={"RAY_AUTH_MODE": "token"}) as pid:
        assert faults(pid) == {"nothing written to disk": f"raylet writes {path} (deleted)"}


def test_a_node_that_may_dump_core_is_seen(private: str):
    code = (
        "import resource; hard = resource.getrlimit(resource.RLIMIT_CORE)[1]; "
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))"
    )
    with stand_in(private, code=code, env={"RAY_AUTH_MODE": "token"}) as pid:
        limited = host.core_dumps(pid) == ""  # where this very test runs under a hard limit of nought
        assert ("core dumps off" in faults(pid)) is not limited


@pytest.mark.parametrize(
    ("config", "ok"),
    [
        ({"automatic_object_spilling_enabled": False}, True),
        (SPILLS_TO_DISK, False),
        ({"object_spilling_config": json.dumps({"type": "filesystem", "params": {"directory_path": SHM}})}, True),
        ({"object_spilling_config": json.dumps({"type": "smart_open", "params": {"uri": "s3://x"}})}, False),
        ({"object_spilling_config": "{"}, False),
        ({}, False),
    ],
)
def test_spilling_must_be_off_or_stay_in_memory(private: str, config: dict[str, object], ok: bool):
    with stand_in(private, code=SAFE, env={"RAY_AUTH_MODE": "token"}) as pid:
        assert ("no spilling to disk" not in faults(pid, config)) is ok


def test_swap_is_a_fault_only_in_operation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "swaps", lambda: ("/dev/sda2",))
    node = NodeProbe("van-1", "", (probe.swap_check(),))
    assert probe.require_safe((node,), "demo") == ("node van-1: swap off: on: /dev/sda2",)
    with pytest.raises(NodeUnsafe, match=r"node van-1 is unsafe \(swap off: on: /dev/sda2\)"):
        probe.require_safe((node,), "operational")


def test_every_unsafe_node_is_named_with_what_to_do():
    bad = Check("core dumps off", ok=False, detail="worker: RLIMIT_CORE is unlimited/unlimited")
    good = NodeProbe("van-1", "", (Check("core dumps off", ok=True),))
    with pytest.raises(NodeUnsafe, match=r"node van-2 is unsafe .*; node van-3 is unsafe") as caught:
        probe.require_safe((good, NodeProbe("van-2", "", (bad,)), NodeProbe("van-3", "", (bad,))), "demo")
    assert "van-1" not in str(caught.value)
    assert "lfr node start" in caught.value.hint


def test_a_probe_outside_of_a_worker_finds_no_raylet():
    assert probe.inspect_here("van-1", "", {}).faults("demo") == ["raylet: cannot be found from its worker"]
