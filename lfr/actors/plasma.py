"""Pixels and templates between processes: always through Ray's shared memory, always overwritten after use (D4).

Small arguments would be inlined into task messages, whose buffers nobody can overwrite. So an array is put by itself,
the reference travels inside a list (Ray does not unpack it there), and whoever put it overwrites it once the answer is
there. The store, its spill folder and its fallback files lie on tmpfs (lfr.actors.cluster).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ray
from numpy.typing import NDArray

from lfr.actors.wipe import wipe_shared


@asynccontextmanager
async def shared(array: NDArray[Any]) -> AsyncIterator[list[Any]]:
    """Put an array for the length of the block; yields the list that carries its reference.

    On leaving, the shared copy is overwritten, also when the block failed or was cancelled.
    """
    reference = ray.put(array)
    try:
        yield [reference]
    finally:
        wipe_shared(await reference)
        del reference
