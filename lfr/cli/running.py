"""What `lfr serve` and `lfr demo` share: an event loop that ends in good order, and a runtime that is being served."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from lfr.actors.runtime import Runtime

Answer = TypeVar("Answer")


def run_until_done(main: Coroutine[Any, Any, Answer]) -> Answer:
    """Run it. SIGTERM ends it as Ctrl-C does: every context is left properly, then the exit code is 143."""
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(main)
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return asyncio.run(main)
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the form of a signal handler
    sys.exit(128 + number)


@asynccontextmanager
async def served(runtime: Runtime) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Serve a runtime's API and pages: the real url, and a task that ends when a signal asks for the end.

    Raises ConfigError: a port in use, an address that needs TLS.
    """
    from lfr.api.app import create_app  # noqa: PLC0415 - heavy
    from lfr.api.bound import Bound  # noqa: PLC0415
    from lfr.api.server import serve  # noqa: PLC0415
    from lfr.services import registrar  # noqa: PLC0415

    bound = Bound(
        config=runtime.config,
        policy=runtime.policy,
        pack=runtime.pack,
        pack_digest=runtime.bundle.pack_digest,
        bundle=runtime.bundle,
        registrar=registrar.of(runtime.node, runtime.config),
    )
    app = create_app(
        config=runtime.config,
        db=runtime.db,
        vault=runtime.vault,
        control=runtime.control,
        bound=bound,
        local_token=runtime.local_token,
    )
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(app, runtime.config, ready=ready.set_result), name="lfr-serve")
    try:
        either: set[asyncio.Future[Any]] = {ready, serving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            await serving  # it failed before it was ready: raises why
            return
        yield ready.result(), serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
