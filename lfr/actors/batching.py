"""A queue with (max size, max age) and futures: callers on many cameras, one batch at a time for the engine.

The shape is that of tessera's queue: a batch leaves when it is full, when its oldest item is `max_age_s` old, or,
with max_age_s = 0, as soon as the worker is idle; while the worker is busy the next batch fills by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

from lfr.domain.errors import RuntimeFailed

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Overloaded(RuntimeFailed):
    """The queue is full: the caller drops its item and counts it (D8)."""


class Batcher(Generic[Item, Answer]):
    """Collects items into batches for `work`, which runs in `executor` and gives one answer for each item, in order.

    The executor has one thread where several batchers share an engine: an engine belongs to one thread.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], list[Answer]],
        executor: Executor,
        *,
        max_size: int,
        max_age_s: float,
        max_waiting: int,
    ) -> None:
        self._work = work
        self._executor = executor
        self._max_size = max_size
        self._max_age_s = max_age_s
        self._max_waiting = max_waiting
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._full = asyncio.Event()
        self._some = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self.batches = 0
        self.items = 0

    async def submit(self, item: Item) -> Answer:
        """Wait for this item's answer. Raises Overloaded at once when too many wait, or what `work` raised."""
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded("the inference queue is full", hint="fewer cameras, a lower process_fps, or more workers")
        if self._loop_task is None:
            self._loop_task = asyncio.create_task(self._run())
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._some.set()
        if len(self._waiting) >= self._max_size:
            self._full.set()
        return await future

    async def close(self) -> None:
        """Stop; items still waiting fail."""
        if self._loop_task:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(RuntimeFailed("inference stopped"))
        self._waiting.clear()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._some.wait()
            if self._max_age_s and len(self._waiting) < self._max_size:
                self._full.clear()
                with contextlib.suppress(TimeoutError):  # it is old enough then
                    await asyncio.wait_for(self._full.wait(), self._max_age_s)
            batch, self._waiting = self._waiting[: self._max_size], self._waiting[self._max_size :]
            if not self._waiting:
                self._some.clear()
            await self._answer(loop, batch)

    async def _answer(self, loop: asyncio.AbstractEventLoop, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        self.batches += 1
        self.items += len(batch)
        try:
            answers = await loop.run_in_executor(self._executor, self._work, [item for item, _ in batch])
        except Exception as error:  # every caller of the batch must hear of it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # the caller may have given up meanwhile
                future.set_result(answer)
