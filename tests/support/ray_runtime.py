"""A Ray of our own for tests, started the safe way. One for a module: system tests start and join others."""

from collections.abc import Iterator

import pytest

from lfr.actors.cluster import RayHandle, start_ray
from lfr.config import RayNode


@pytest.fixture(scope="module")
def ray_local() -> Iterator[RayHandle]:
    """A local Ray with a store of 100 MiB, node name `van-test`."""
    handle = start_ray(RayNode(store_mb=100), mode="demo", node_name="van-test")
    yield handle
    handle.stop()
