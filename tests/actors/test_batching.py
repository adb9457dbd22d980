import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lfr.actors.batching import Batcher, Overloaded


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as executor:
        yield executor


async def test_while_the_worker_is_busy_the_next_batch_fills(thread):
    sizes, gate = [], threading.Event()

    def work(items):
        gate.wait(5)
        sizes.append(len(items))
        return [item * 10 for item in items]

    batcher = Batcher(work, thread, max_size=4, max_age_s=0.0, max_waiting=100)
    calls = [asyncio.create_task(batcher.submit(i)) for i in range(9)]
    await asyncio.sleep(0.05)
    gate.set()
    assert await asyncio.gather(*calls) == [i * 10 for i in range(9)]
    assert max(sizes) <= 4
    assert len(sizes) <= 4
    await batcher.close()


async def test_an_old_batch_leaves_although_it_is_not_full(thread):
    batcher = Batcher(lambda items: items, thread, max_size=100, max_age_s=0.02, max_waiting=100)
    assert await asyncio.wait_for(asyncio.gather(*(batcher.submit(i) for i in range(3))), 2) == [0, 1, 2]
    assert batcher.batches == 1
    await batcher.close()


async def test_a_full_queue_refuses_at_once(thread):  # D8
    gate = threading.Event()
    batcher = Batcher(lambda items: (gate.wait(5) and items) or items, thread, max_size=1, max_age_s=0.0, max_waiting=2)
    first = asyncio.create_task(batcher.submit(0))
    await asyncio.sleep(0.02)
    waiting = [asyncio.create_task(batcher.submit(i)) for i in (1, 2)]
    await asyncio.sleep(0.02)
    with pytest.raises(Overloaded):
        await batcher.submit(3)
    gate.set()
    await asyncio.gather(first, *waiting)
    await batcher.close()


async def test_a_failing_batch_fails_its_callers_and_no_others(thread):
    def work(items):
        if "bad" in items:
            raise ValueError("no")
        return items

    batcher = Batcher(work, thread, max_size=1, max_age_s=0.0, max_waiting=10)
    results = await asyncio.gather(*(batcher.submit(i) for i in ("a", "bad", "b")), return_exceptions=True)
    assert results[0] == "a"
    assert isinstance(results[1], ValueError)
    assert results[2] == "b"
    await batcher.close()
