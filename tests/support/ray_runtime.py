"""A Ray of our own for tests, started the safe way. One for a module: system tests start and join others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lfr.actors.cluster import RayHandle


@pytest.fixture(scope="module")
def ray_local() -> Iterator[RayHandle]:
    """A local Ray with a store of 100 MiB, node name `van-test`."""
    from lfr.actors.cluster import start_ray
    from lfr.config import RayNode

    handle = start_ray(RayNode(store_mb=100), mode="demo", node_name="van-test")
    yield handle
    handle.stop()
