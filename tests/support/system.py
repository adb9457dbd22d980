"""A whole system on the engine double: real Ray, real database, real actors, painted walkers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lfr.actors.runtime import Runtime
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


async def enrol(runtime: Runtime, identity: int):
    """List one painted identity; returns the entry's id."""
    rows = await watchlist.enrol(
        runtime.db,
        runtime.vault,
        runtime.engine,
        runtime.deployment_id,
        runtime.pack,
        f"walker {identity}",
        [("a.png", portrait(identity))],
        by="test",
    )
    assert rows[0].enrolled, rows
    return rows[0].entry_id


async def raised(runtime: Runtime):
    """All alerts so far."""
    return await alerts.list_alerts(runtime.db, runtime.deployment_id, limit=1000)
