"""Rule D4: no face reaches a disk, during a run or after it, and none is left in memory when it has ended.

A picture and templates full of a marker go through real actors until the object store overflows; then everything a disk
could keep is searched. The same search finds the marker as soon as Ray is left to itself, so it is able to find it.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lfr.actors import host
from lfr.actors.runfolder import RunFolder, clean_stale
from tests.support.canary import find_marker
from tests.support.rtsp import free_port

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
ROUNDS = 36  # 36 pictures and 36 blocks of templates: 99 MiB into a store of 80
LFR = [sys.executable, "-c", "from lfr.cli import main; main()"]


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder that really lies on a disk, with a path short enough for Ray's sockets."""
    base = next(p for p in (Path("/tmp"), Path("/var/tmp"), ROOT) if p.is_dir() and not host.in_memory(p))
    folder = Path(tempfile.mkdtemp(prefix="lfr-", dir=base))
    for part in ("home", "tmp", "cwd", "ray"):
        (folder / part).mkdir()
    yield folder
    shutil.rmtree(folder)


@dataclass
class Run:
    """One run with a canary in a process of its own, whose every default points to `disk`."""

    disk: Path
    images: bytes = field(default_factory=lambda: secrets.token_bytes(64))
    templates: bytes = field(default_factory=lambda: secrets.token_bytes(64))
    begun: float = field(default_factory=lambda: time.time() - 2)
    facts: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        return kept | {
            "HOME": str(self.disk / "home"),
            "TMPDIR": str(self.disk / "tmp"),
            "RAY_TMPDIR": str(self.disk / "ray"),
            "RAY_USAGE_STATS_ENABLED": "0",
            "LFR_HOME": str(self.disk / "home" / "lfr"),
        }

    def begin(self, shape: str, *, nodes: tuple[str, ...] = ("van-1",), address: str = "", token: str = "") -> None:
        orders = {"shape": shape, "images": self.images.hex(), "templates": self.templates.hex(), "rounds": ROUNDS}
        orders |= {"nodes": list(nodes), "address": address, "token": token}
        # stderr goes to the run's own folder: it is searched like everything else.
        with (self.disk / "stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "tests" / "support" / "ray_canary.py"],
                env=self.env | {"PYTHONPATH": str(ROOT)},
                cwd=self.disk / "cwd",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(orders).encode() + b"\n")
        self.process.stdin.flush()
        self.facts = self._line()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"end\n")
        self.process.stdin.flush()
        assert self._line() == {"ended": True}
        self.process.stdin.close()
        assert self.process.wait(timeout=30) == 0

    def on_disk(self) -> list[str]:
        """Where a disk holds the canary: paths, and files the run's processes have open or mapped."""
        roots = [self.disk, Path("/tmp"), Path("/var/tmp"), Path.home() / ".ray", ROOT]
        return self._found(roots, self.facts["pids"], memory=False)

    def stored_in_memory(self) -> list[str]:
        """Where the run's processes hold the canary in files in memory: the store and its overflow."""
        return self._found([], self.facts["pids"], memory=True)

    def in_memory(self) -> list[str]:
        """Where a file system in memory holds the canary."""
        return self._found([Path("/dev/shm"), Path("/run")], (), memory=True)

    def _found(self, roots: list[Path], pids: Any, *, memory: bool) -> list[str]:
        both = (self.images, self.templates)
        return [x for m in both for x in find_marker(m[:48], roots, pids, memory=memory, since=self.begun)]

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(timeout=30)
            pytest.fail((self.disk / "stderr").read_text()[-2000:])
        return dict(json.loads(line))


@pytest.fixture
def run(disk: Path) -> Iterator[Run]:
    """A run, ended whatever happens."""
    made = Run(disk)
    yield made
    if made.process is None:
        return
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    for pipe in (made.process.stdin, made.process.stdout):
        assert pipe is not None
        pipe.close()


def test_one_node_writes_no_face_to_a_disk(run: Run):
    run.begin("local")
    assert run.facts["over"] > 0, "the store did not overflow, so this proves nothing"
    assert run.stored_in_memory(), "the search cannot see into the store, so this proves nothing"
    assert run.on_disk() == []
    run.end()
    assert run.on_disk() == []
    assert run.in_memory() == []
    assert not Path(run.facts["folder"]).exists()


def test_a_killed_run_leaves_no_face_behind(run: Run):
    run.begin("local")
    folder = RunFolder(Path(run.facts["folder"]))
    run.process.kill()
    run.process.wait()
    waited = time.monotonic() + 60
    while folder.processes() and time.monotonic() < waited:
        time.sleep(0.1)
    assert folder.processes() == [], "Ray must end with the process that started it"
    assert run.on_disk() == []
    assert run.in_memory() == []
    clean_stale(folder.path.parent)
    assert not folder.path.exists()


def test_two_nodes_write_no_face_to_a_disk(run: Run):
    port = free_port()
    first, second = f"van-{port}-1", f"van-{port}-2"  # stopped by name, so nobody else's may bear it
    token = run.disk / "home" / "token"
    common = ["--token", str(token), "--cpus", "1", "--store-mb", "80", "--mode", "demo", "--json"]
    started = []
    try:
        for name, ip, role in (
            (first, "127.0.0.2", ["--head", "--port", str(port)]),
            (second, "127.0.0.3", ["--address", f"127.0.0.2:{port}"]),
        ):
            call = [*LFR, "node", "start", "--name", name, "--ip", ip, *role, *common]
            done = subprocess.run(call, env=run.env, cwd=run.disk / "cwd", capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            started.append(json.loads(done.stdout.splitlines()[-1]))
        run.begin("joined", nodes=(first, second), address=f"127.0.0.2:{port}", token=str(token))
        assert run.facts["over"] > 0
        assert run.on_disk() == []
        run.end()
        assert run.on_disk() == []
    finally:
        for node in reversed(started):
            call = [*LFR, "node", "stop", "--name", node["name"]]
            subprocess.run(call, env=run.env, capture_output=True, check=True)
    assert run.on_disk() == []
    assert run.in_memory() == []
    assert not any(Path(node["folder"]).exists() for node in started)


def test_the_search_finds_what_ray_spills_by_itself(run: Run):
    run.begin("spilling")
    found = run.on_disk()
    assert any("ray_spilled_objects" in place for place in found)
    refused = subprocess.run(
        [sys.executable, "-c", JOIN, run.facts["address"], str(run.disk / "home" / ".ray" / "auth_token")],
        env=run.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.stdout.startswith("refused node van-1 is unsafe"), refused.stderr
    assert "no spilling to disk" in refused.stdout
    assert "lfr node start" in refused.stdout
    run.end()


def test_the_search_finds_deleted_files_that_are_still_mapped(run: Run):
    run.begin("fallback")
    found = run.on_disk()
    assert any("(deleted)" in place and "raylet" in place for place in found)
    assert not any(place.startswith("/") for place in found), "no file with a name holds it: only open ones do"
    run.end()
    assert run.on_disk() == []  # the disk's blocks are free, not empty: which is why this must never happen


JOIN = """
import sys, os
os.chmod(sys.argv[2], 0o600)
from lfr.actors.cluster import start_ray
from lfr import log
from lfr.config import RayNode
from lfr.domain.errors import NodeUnsafe
log.configure()
try:
    start_ray(RayNode(address=sys.argv[1], token_file=sys.argv[2]), mode="demo", node_name="hq")
except NodeUnsafe as error:
    print("refused", error.message, "|", error.hint)
"""
