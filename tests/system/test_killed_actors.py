"""SIGKILL to each kind of actor while alerts are being raised: none is lost, none comes twice."""

import asyncio
import os
import signal

import pytest

from lfr.actors.standing_run import StandingRun
from lfr.actors.watchdog import CRASHES
from lfr.config import Camera
from lfr.domain.errors import RuntimeFailed
from tests.support.system import enrol, raised, system, system_config, wait_for
from tests.support.walkers import walkers_clip

pytestmark = pytest.mark.ray

KINDS = ("audit-writer", "matcher", "inference", "camera", "supervisor")


async def alive(runtime, kind, other_than=0):
    """The status of a living actor of that kind whose process is another one than `other_than`."""
    try:
        status = await runtime.control.status()
    except RuntimeFailed:  # the supervisor itself is on its way back
        return None
    return next((a for a in status.actors if a.kind == kind and a.alive and a.pid not in (0, other_than)), None)


@pytest.mark.rule("M1")
@pytest.mark.timeout(240)
async def test_killing_each_kind_in_turn_loses_no_alert_and_raises_none_twice(tmp_path):
    people = list(range(11))
    clip = walkers_clip(tmp_path / "walk.mp4", people, every_s=3.0)
    config = system_config(tmp_path / "data", [Camera(id="north", url=str(clip), pace="file")])
    async with system(config) as runtime:
        run = await StandingRun.open(runtime)
        entries = {await enrol(runtime, run, person): person for person in people}
        await run.go_live()
        killed = {}
        for turn, kind in enumerate(KINDS):
            # The moment the next alert stands, another one is on its way: walkers overlap.
            await wait_for(lambda n=turn: _at_least(runtime, run, 2 * n + 1), f"alert {2 * turn + 1}")
            victim = await wait_for(lambda k=kind: alive(runtime, k), f"{kind} to be alive")
            os.kill(victim.pid, signal.SIGKILL)
            killed[kind] = victim
            if turn == CRASHES - 1:  # it was the third: from here on a person must confirm (M1)
                await wait_for(lambda: _paused(runtime), "the pause after three crashes")
                await runtime.control.resume("system")
        await asyncio.wait_for(runtime.cameras_done(), 150)
        for kind, victim in killed.items():
            back = await wait_for(lambda k=kind, v=victim: alive(runtime, k, v.pid), f"{kind} to be back")
            assert back.restarts >= 1
        found = sorted(entries[alert.entry_id] for alert in await raised(runtime, run))
        assert found == people
        camera = await runtime.control.crew.cameras["north"].status.remote()
        # A file that resumed has read every frame once.
        assert camera["camera"].read == round((3.0 * 10 + 4.5) * 25)
        assert camera["camera"].dropped == 0
        assert camera["camera"].processed == -(-camera["camera"].read // 2)


async def _paused(runtime):
    try:
        status = await runtime.control.status()
    except RuntimeFailed:
        return False
    return (status.state, status.reason) == ("paused", "crashes")


async def _at_least(runtime, run, count):
    return len(await raised(runtime, run)) >= count
