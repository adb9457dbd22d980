"""SIGKILL to each kind of actor while alerts are being raised: none is lost, none comes twice."""

import asyncio
import os
import signal
import time

import pytest

from lfr.config import Camera
from lfr.domain.errors import RuntimeFailed
from tests.support.system import enrol, raised, system, system_config
from tests.support.walkers import walkers_clip

pytestmark = pytest.mark.ray

KINDS = ("audit-writer", "matcher", "inference", "camera", "supervisor")


async def wait_for(condition, what, seconds=60.0):
    until = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < until, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(0.02)
    return found


async def alive(runtime, kind, other_than=0):
    """The status of a living actor of that kind whose process is another one than `other_than`."""
    try:
        status = await runtime.control.status()
    except RuntimeFailed:  # the supervisor itself is on its way back
        return None
    return next((a for a in status.actors if a.kind == kind and a.alive and a.pid not in (0, other_than)), None)


@pytest.mark.timeout(240)
async def test_killing_each_kind_in_turn_loses_no_alert_and_raises_none_twice(tmp_path):
    people = list(range(11))
    clip = walkers_clip(tmp_path / "walk.mp4", people, every_s=3.0)
    config = system_config(tmp_path / "data", [Camera(id="north", url=str(clip), pace="file")])
    async with system(config) as runtime:
        entries = {await enrol(runtime, person): person for person in people}
        await runtime.start_cameras()
        killed = {}
        for turn, kind in enumerate(KINDS):
            # The moment the next alert stands, another one is on its way: walkers overlap.
            await wait_for(lambda n=turn: _at_least(runtime, 2 * n + 1), f"alert {2 * turn + 1}")
            victim = await wait_for(lambda k=kind: alive(runtime, k), f"{kind} to be alive")
            os.kill(victim.pid, signal.SIGKILL)
            killed[kind] = victim
        await asyncio.wait_for(runtime.cameras_done(), 150)
        for kind, victim in killed.items():
            back = await wait_for(lambda k=kind, v=victim: alive(runtime, k, v.pid), f"{kind} to be back")
            assert back.restarts >= 1
        found = sorted(entries[alert.entry_id] for alert in await raised(runtime))
        assert found == people
        camera = await runtime.control.cameras["north"].status.remote()
        # A file that resumed has read every frame once.
        assert camera["camera"].read == round((3.0 * 10 + 4.5) * 25)
        assert camera["camera"].dropped == 0
        assert camera["camera"].processed == -(-camera["camera"].read // 2)


async def _at_least(runtime, count):
    return len(await raised(runtime)) >= count
