"""The list in the matcher's memory: exactly the signed one, at its band's threshold, and gone at the end."""

import asyncio
import time

import msgspec
import numpy as np
import pytest
from sqlalchemy import text

from lfr.actors.searching import Searching
from lfr.domain.bundle import BandThreshold
from lfr.domain.errors import MandateRefused
from lfr.matching.matcher import ShotNote, TransitKey
from lfr.services import standing, watchlist
from lfr.vision.engine.double import DoubleEngine, paint
from tests.actors.conftest import PACK


def searching(ground, bundle=None):
    return Searching(PACK, bundle or ground.bundle, ground.db, ground.node.vault())


def probe(identity):
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    paint(crop[0], identity, 0, 0, 112)
    return DoubleEngine(PACK).embed(crop)


def found(matcher, identity):
    note = ShotNote(TransitKey("north", "r", identity), 0.0, time.time(), 1.0)
    answer = matcher.match(probe(identity), [note], time.time())[0]
    return answer.entry_id if answer else None


async def refusal(awaited):
    with pytest.raises(MandateRefused) as refused:
        await awaited
    return refused.value.code


async def listed_one(ground):
    """A matcher's side that has loaded nothing yet, and a mandate for a list of one."""
    await ground.enrol(3)
    await ground.ready()
    _, mandate = await ground.mint()
    return searching(ground), mandate


@pytest.mark.rule("A1", "B12")
async def test_it_holds_the_approved_list_turned_by_the_deployments_own_rotation(ground):
    entry, _ = await ground.enrol(3, 5)
    await ground.ready()
    _, mandate = await ground.mint()
    here = searching(ground)
    matcher = await here.begin(mandate)
    assert (matcher.gallery.entries, matcher.threshold.value) == (2, 0.7)
    assert found(matcher, 3) == entry
    assert found(matcher, 8) is None


@pytest.mark.rule("B4")
async def test_whoever_was_added_since_is_not_searched_for_before_the_amendment(ground):
    await ground.enrol(3)
    await ground.ready(room=4)
    _, first = await ground.mint()
    here = searching(ground)
    matcher = await here.begin(first)
    (late,) = await ground.enrol(7)
    assert found(await searching(ground).begin(first), 7) is None
    await standing.amend(ground.db, ground.run, terms=await ground.terms())
    _, second = await ground.mint()
    assert await here.begin(second) is matcher
    assert found(matcher, 7) == late
    assert matcher.threshold.value == 0.7
    assert await here.begin(first) is matcher  # a call that was under way with the mandate before
    assert here.mandate == second


@pytest.mark.rule("A1")
async def test_a_list_that_somebody_changed_behind_the_system_is_refused(ground):
    await ground.enrol(3)
    await ground.ready()
    _, mandate = await ground.mint()
    async with ground.db.transaction() as session:
        await (await session.connection()).execute(text("UPDATE watchlist_entry SET action = 'arrest'"))
    here = searching(ground)
    assert await refusal(here.begin(mandate)) == "list"
    assert here.matcher is None


@pytest.mark.rule("D2")
async def test_another_threshold_than_the_bundles_for_the_band_is_refused(ground):
    await ground.enrol(3)
    await ground.ready()
    _, mandate = await ground.mint()
    lower = msgspec.structs.replace(mandate, threshold=0.69)
    assert await refusal(searching(ground).begin(lower)) == "threshold"
    other = msgspec.structs.replace(ground.bundle, thresholds=(BandThreshold(5, 0.7, "test", True),))
    assert await refusal(searching(ground, other).begin(mandate)) == "threshold"


@pytest.mark.rule("B4")
async def test_whoever_is_taken_off_is_gone_at_once_and_stays_so(ground):
    gone, kept = await ground.enrol(3, 5)
    await ground.ready()
    _, mandate = await ground.mint()
    here = searching(ground)
    matcher = await here.begin(mandate)
    await watchlist.revoke(ground.db, ground.run.deployment_id, gone, by="test")
    assert here.drop(gone) == 1
    assert found(matcher, 3) is None
    again = searching(ground)
    assert found(await again.begin(mandate), 3) is None
    assert found(await again.begin(mandate), 5) == kept
    assert await here.refresh() == 1


@pytest.mark.rule("A13")
async def test_at_the_end_nothing_is_left_in_memory(ground):
    here, mandate = await listed_one(ground)
    matcher = await here.begin(mandate)
    found(matcher, 3)
    here.end()
    assert not matcher.gallery._rows.any()
    assert not matcher._turn._matrix.any()
    assert (here.matcher, here.mandate, here.threshold) == (None, None, None)


@pytest.mark.rule("A13")
async def test_a_stop_while_the_list_is_on_its_way_leaves_nothing_in_memory(ground):
    here, mandate = await listed_one(ground)
    loading = asyncio.create_task(here.begin(mandate))
    await asyncio.sleep(0)
    here.end()
    assert await refusal(loading) == "revoked"
    assert here.matcher is None


async def test_a_pause_overwrites_shots_and_keeps_the_list(ground):
    here, mandate = await listed_one(ground)
    matcher = await here.begin(mandate)
    found(matcher, 3)
    here.pause()
    assert (len(matcher._fusion), matcher.gallery.entries) == (0, 1)
    assert await here.begin(mandate) is matcher
