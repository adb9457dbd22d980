"""Time for everything that must go never runs backwards, and goes on when the wall clock does not (A3, M2)."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.services import clock
from lfr.services.clock import Reading
from lfr.storage.columns import now
from lfr.storage.database import Database
from lfr.storage.models import ClockMark

START = now()


def reading(wall_s, up_s, boot="one"):
    return Reading(START + timedelta(seconds=wall_s), boot, float(up_s))


async def seen(store, *readings):
    return [(await clock.look(store.db, one)).at - START for one in readings]


def s(*seconds):
    return [timedelta(seconds=one) for one in seconds]


async def test_a_good_clock_is_taken_at_its_word(store):
    assert await seen(store, reading(0, 0), reading(5, 5), reading(3600, 3600)) == s(0, 5, 3600)
    assert (await clock.look(store.db, reading(3700, 3700))).trusted


@pytest.mark.rule("A3")
async def test_set_back_time_goes_on_from_where_it_was(store):
    assert await seen(store, reading(1000, 0), reading(-5000, 10), reading(-4000, 1010)) == s(1000, 1010, 2010)
    found = await clock.look(store.db, reading(-4000, 1010))
    assert found.behind == timedelta(seconds=6010)
    assert not found.trusted


@pytest.mark.rule("A3")
async def test_a_restart_with_an_older_clock_does_not_go_back(store):
    assert await seen(store, reading(1000, 500), reading(200, 5, "two"), reading(260, 65, "two")) == s(1000, 1000, 1000)
    # What the new start has seen so far counts once it is noted.
    assert (await seen(store, reading(1011, 816, "two"), reading(100, 846, "two"))) == s(1011, 1041)


async def test_a_set_forward_clock_is_not_taken_back(store):
    assert await seen(store, reading(0, 0), reading(90_000, 10), reading(20, 20)) == s(0, 90_000, 90_010)


async def test_small_corrections_say_nothing(store):
    await seen(store, reading(100, 0))
    assert (await clock.look(store.db, reading(99, 2))).trusted


async def test_it_is_not_written_at_every_look(store):
    await seen(store, reading(0, 0), reading(3, 3), reading(9, 9))
    async with store.db.session() as session:
        assert (await session.get(ClockMark, 1)).latest == START
    await seen(store, reading(10, 10))
    async with store.db.session() as session:
        assert (await session.get(ClockMark, 1)).latest == START + timedelta(seconds=10)


async def test_many_first_looks_at_once(store):
    another = Database(store.url)
    found = await asyncio.gather(*(clock.look((store.db, another)[n % 2], reading(n, n)) for n in range(6)))
    await another.dispose()
    assert len(found) == 6


def test_the_machines_own_clocks():
    first, second = clock.read(), clock.read()
    assert first.boot == second.boot
    assert len(first.boot) == 36
    assert 0 < first.up_s <= second.up_s
    assert abs(first.wall - now()) < timedelta(seconds=60)
    assert clock.read(START).wall == START


STEPS = st.lists(st.tuples(st.floats(0, 100_000), st.floats(-100_000, 100_000), st.booleans()), min_size=1, max_size=8)


@pytest.mark.rule("A3")
@given(steps=STEPS)
def test_no_sequence_of_jumps_and_restarts_turns_time_back(steps):
    """Each step: seconds that pass, how far somebody moves the wall clock, whether the machine restarts."""
    mark, wall, up, boot, offset, last = None, 0.0, 0.0, 0, 0.0, None
    for passed, jump, restarts in steps:
        wall, up, offset = wall + passed, up + passed, offset + jump
        if restarts:
            boot, up = boot + 1, 0.0
        now_read = reading(wall + offset, up, str(boot))
        at = now_read.wall if mark is None else clock.later(mark, now_read)
        assert at >= now_read.wall
        if last is not None:
            assert at >= last
            if not restarts:  # what passes on a running machine is never lost
                assert at - last >= timedelta(seconds=passed) - timedelta(milliseconds=1)
        mark, last = ClockMark(id=1, latest=at, boot=now_read.boot, up_s=now_read.up_s), at
