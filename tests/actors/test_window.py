import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.actors.window import Window


@given(st.lists(st.floats(0, 5), max_size=100))
def test_the_window_never_closes_and_never_exceeds_its_most(ages):
    async def run():
        window = Window(6)
        for age in ages:
            await window.enter()
            await window.leave(age)
            assert 1 <= window.size <= 6

    asyncio.run(run())


async def test_old_frames_shrink_it_and_young_ones_open_it_again():
    window = Window(6)
    for _ in range(5):
        await window.enter()
        await window.leave(2.0)
    assert window.size == 1
    await window.enter()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(window.enter(), 0.02)
    await window.leave(0.01)
    for _ in range(60):
        await window.enter()
        await window.leave(0.01)
    assert window.size == 6
