"""Two Ray nodes, a real PostgreSQL, a camera and an alert on each: the van's code, by configuration only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lfr.actors.standing_run import StandingRun
from lfr.config import Camera, RayNode, Storage
from tests.support import postgres
from tests.support.rtsp import free_port
from tests.support.system import enrol, raised, system, system_config
from tests.support.walkers import walkers_clip

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

LFR = [sys.executable, "-m", "lfr.cli"]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Two nodes on this machine, started as a person would; yields the head's address and the token's file."""
    port, token = free_port(), tmp_path / "token"
    env = {**os.environ, "LFR_HOME": str(tmp_path / "home")}
    common = ["--token", str(token), "--store-mb", "80", "--mode", "demo", "--json"]
    started = []
    try:
        for name, ip, role in (
            ("van-1", "127.0.0.2", ["--head", "--port", str(port)]),
            ("van-2", "127.0.0.3", ["--address", f"127.0.0.2:{port}"]),
        ):
            call = [*LFR, "node", "start", "--name", name, "--ip", ip, *role, *common]
            done = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            started.append(json.loads(done.stdout.splitlines()[-1])["name"])
        yield f"127.0.0.2:{port}", token
    finally:
        for name in reversed(started):
            subprocess.run([*LFR, "node", "stop", "--name", name], env=env, capture_output=True, check=True)


@pytest.mark.timeout(240)
async def test_two_vans_share_a_database_and_each_raises_its_own_alert(cluster, tmp_path):
    address, token = cluster
    clips = {name: walkers_clip(tmp_path / f"{name}.mp4", [who]) for name, who in (("van-1", 2), ("van-2", 9))}
    cameras = [Camera(id=f"cam-{name}", url=str(clip), pace="file", node=name) for name, clip in clips.items()]
    with postgres.server() as server:
        config = system_config(
            tmp_path / "data",
            cameras,
            name="region",
            storage=Storage(url=server.empty()),
            ray=RayNode(address=address, token_file=str(token)),
        )
        async with system(config) as runtime:
            run = await StandingRun.open(runtime)
            entries = {await enrol(runtime, run, 2): "cam-van-1", await enrol(runtime, run, 9): "cam-van-2"}
            await run.go_live()
            await runtime.cameras_done()
            assert {alert.entry_id: alert.camera for alert in await raised(runtime, run)} == entries
            assert runtime.db.dialect == "postgresql"
            crew = runtime.control.crew
            nodes = {
                kind: {(await actor.status.remote())["who"].node for actor in actors.values()}
                for kind, actors in (("camera", crew.cameras), ("matcher", crew.matchers))
            }
            assert len(nodes["camera"]) == 2
            assert nodes["matcher"] == nodes["camera"]
