"""A whole system on the engine double: real Ray, database, actors and signed authority; painted walkers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from lfr.actors.runtime import Runtime
from lfr.actors.standing_run import StandingRun
from lfr.config import Camera, Config, Inference, Matcher, RayNode, Storage
from lfr.services import alerts, watchlist
from lfr.vision.engine.double import located_double
from tests.support.walkers import portrait


def system_config(folder: Path, cameras: Sequence[Camera], **options) -> Config:
    """One van with the given cameras, everything in `folder`."""
    storage = options.pop("storage", Storage())
    return Config(
        name=options.pop("name", "van-test"),
        mode="research",
        pack="double",
        cameras=tuple(cameras),
        data_dir=str(folder),
        storage=storage,
        matcher=options.pop("matcher", Matcher(threshold=0.7)),
        inference=options.pop("inference", Inference(workers=1)),
        ray=options.pop("ray", RayNode(store_mb=100)),
        log_level="WARNING",
        **options,
    )


def system(config: Config) -> Runtime:
    """Ready to be entered."""
    return Runtime(config, located_double())


async def enrol(runtime: Runtime, run: StandingRun, identity: int) -> UUID:
    """List one painted identity; returns the entry's id."""
    rows = await watchlist.enrol(
        runtime.db,
        runtime.vault,
        runtime.engine,
        run.deployment_id,
        runtime.pack,
        f"walker {identity}",
        [("a.png", portrait(identity))],
        by="test",
        policy=runtime.policy,
    )
    assert rows[0].enrolled, rows
    assert rows[0].entry_id is not None
    return rows[0].entry_id


async def raised(runtime: Runtime, run: StandingRun):
    """All alerts so far."""
    return await alerts.list_alerts(runtime.db, run.deployment_id, limit=1000)


async def wait_for(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 60.0) -> Any:
    """What `condition` gives as soon as that is something."""
    until = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < until, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(0.02)
    return found


async def recognition(runtime: Runtime) -> dict[str, str]:
    """What each camera's tile says."""
    return {camera.id: camera.recognition for camera in (await runtime.control.status()).cameras}
