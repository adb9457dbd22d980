"""A Ray of our own for tests: started once, the safe way, for all tests that need one."""

from collections.abc import Iterator

import pytest

from lfr.actors.cluster import RayHandle, start_ray
from lfr.config import RayNode


@pytest.fixture(scope="session")
def ray_local() -> Iterator[RayHandle]:
    """A local Ray with a store of 100 MiB, node name `van-test`."""
    handle = start_ray(RayNode(store_mb=100), mode="demo", node_name="van-test")
    yield handle
    handle.stop()
