"""What a running system does by itself: it ends at the window's end, and goes on after it was started again."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lfr.actors.standing_run import StandingRun
from lfr.config import Camera
from lfr.domain.lifecycle import WINDOW_OVER
from lfr.resources import configs
from lfr.services import deployments
from tests.support.stage import Stage
from tests.support.system import enrol, system, system_config, wait_for
from tests.support.walkers import walkers_clip

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]


@pytest.mark.rule("A3")
async def test_at_the_windows_end_it_ends_by_itself_within_a_second(tmp_path: Path):
    policy = (configs() / "policies" / "demo.yaml").read_text()
    assert "max_window_hours: 12" in policy
    seconds = 12
    (tmp_path / "short.yaml").write_text(
        policy.replace("max_window_hours: 12", f"max_window_hours: {seconds / 3600:.6f}")
    )
    clip = walkers_clip(tmp_path / "walk.mp4", [1, 2] * 15, every_s=2.0)
    camera = Camera(id="north", url=str(clip), pace="live")
    config = system_config(tmp_path / "data", [camera], policy=str(tmp_path / "short.yaml"))
    async with system(config) as runtime:
        run = await StandingRun.open(runtime)
        stage = Stage(runtime, run, [await enrol(runtime, run, 1)])
        await run.go_live()
        await stage.says("live")
        ends = (await deployments.get_deployment(runtime.db, run.deployment_id)).ends_at.timestamp()
        await asyncio.sleep(max(0.0, ends - time.time()) + 1.0)
        await stage.sees_nobody()
        await stage.says("no mandate")
        row = await deployments.get_deployment(runtime.db, run.deployment_id)
        assert (row.state, row.state_reason) == ("ended", WINDOW_OVER)
        assert row.state_at.timestamp() - ends < 2.0
        assert (await runtime.control.crew.matchers["matcher-van-test"].status.remote())["entries"] == 0


@pytest.mark.rule("M1")
async def test_a_system_that_is_started_again_goes_on_with_what_was_live(tmp_path: Path):
    clip = walkers_clip(tmp_path / "walk.mp4", [1, 2] * 40, every_s=2.0)
    config = system_config(tmp_path / "data", [Camera(id="north", url=str(clip), pace="live")])
    async with system(config) as runtime:
        run = await StandingRun.open(runtime)
        stage = Stage(runtime, run, [await enrol(runtime, run, 1)])
        await run.go_live()
        await stage.says("live")
    async with system(config) as runtime:
        again = Stage(runtime, run)
        await again.says("live")
        await again.sees()
        await wait_for(lambda: again.alerted(stage.entries[0]), "an alert")
        assert (await runtime.control.status()).deployment_id == str(run.deployment_id)
