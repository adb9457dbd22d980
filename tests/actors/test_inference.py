"""The inference worker without Ray: no picture of a camera reaches a model without a mandate that holds just then."""

import asyncio
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lfr.actors.doorman import Doorman, Pass
from lfr.actors.inference import InferenceWorker
from lfr.config import Inference
from lfr.domain.errors import MandateRefused
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from tests.support.authority import ZONE, Clock, Force

GOOD = object()


class Counted(DoubleEngine):
    """The double; it counts what it is given, and waits when it is told to."""

    def __init__(self):
        super().__init__(double_pack())
        self.pictures = self.crops = 0
        self.free = threading.Event()
        self.free.set()

    def detect(self, pictures):
        assert self.free.wait(10)
        self.pictures += len(pictures)
        return super().detect(pictures)

    def embed(self, crops):
        assert self.free.wait(10)
        self.crops += len(crops)
        return super().embed(crops)


@pytest.fixture
def force():
    return Force()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def worker(force, clock, tmp_path):
    door = Doorman(force.anchor(), tmp_path, wall=lambda: clock.wall, monotonic=lambda: clock.steady)
    with ThreadPoolExecutor(1) as thread:
        made = InferenceWorker(Counted(), Inference(), thread, door)
        made.door = door
        yield made


def picture():
    drawn = np.full((384, 640, 3), 90, np.uint8)
    paint(drawn, 3, 100, 100, 60)
    return drawn


def crop():
    drawn = np.zeros((1, 112, 112, 3), np.uint8)
    paint(drawn[0], 3, 0, 0, 112)
    return drawn


@pytest.mark.rule("A1")
async def test_with_a_mandate_faces_are_found_and_embedded(worker, force):
    good = Pass(force.minted(), "north", ZONE.digest)
    assert len(await worker.detect(picture(), good)) == 1
    assert (await worker.embed(crop(), math.inf, good)).shape == (1, 64)
    assert (worker.detected, worker.embedded) == (1, 1)


@pytest.mark.rule("A1")
async def test_without_one_no_model_sees_anything(worker, force):
    bad = [
        Pass(None, "north", ZONE.digest),
        Pass(Force().minted(), "north", ZONE.digest),
        Pass(force.minted(force="other"), "north", ZONE.digest),
        Pass(force.minted(bundle_digest="9" * 64), "north", ZONE.digest),
        Pass(force.minted(), "south", ZONE.digest),
        Pass(force.minted(), "north", "0" * 64),
    ]
    for shown in bad:
        with pytest.raises(MandateRefused):
            await worker.detect(picture(), shown)
        with pytest.raises(MandateRefused):
            await worker.embed(crop(), math.inf, shown)
    assert (worker.engine.pictures, worker.engine.crops) == (0, 0)
    assert sum(worker.door.refused.values()) == 2 * len(bad)


@pytest.mark.rule("A13")
async def test_what_waits_in_the_queue_when_the_mandate_is_taken_back_is_refused_when_its_turn_comes(worker, force):
    good = Pass(force.minted(), "north", ZONE.digest)
    worker.engine.free.clear()
    first = asyncio.create_task(worker.detect(picture(), good))
    await asyncio.sleep(0.05)  # the engine has it now
    waiting = [asyncio.create_task(worker.detect(picture(), good)) for _ in range(3)]
    crops = asyncio.create_task(worker.embed(crop(), math.inf, good))
    await asyncio.sleep(0.05)
    worker.door.revoke(worker.door.check(good).id)
    worker.engine.free.set()
    assert len(await first) == 1
    for one in [*waiting, crops]:
        with pytest.raises(MandateRefused) as refused:
            await one
        assert refused.value.code == "revoked"
    assert (worker.engine.pictures, worker.engine.crops) == (1, 0)


async def test_one_refused_picture_in_a_batch_does_not_spoil_the_others(worker, force, clock):
    good, other = Pass(force.minted(), "north", ZONE.digest), Pass(force.minted(), "north", ZONE.digest)
    worker.engine.free.clear()
    first = asyncio.create_task(worker.detect(picture(), good))
    await asyncio.sleep(0.05)
    both = [asyncio.create_task(worker.detect(picture(), shown)) for shown in (good, other)]
    await asyncio.sleep(0.05)
    worker.door.revoke(worker.door.check(other).id)
    worker.engine.free.set()
    assert len(await first) == len(await both[0]) == 1
    with pytest.raises(MandateRefused):
        await both[1]


async def test_pictures_for_the_list_need_no_mandate_and_are_not_counted_as_seen(worker):
    assert len(await worker.detect(picture(), None)) == 1
    assert (await worker.embed(crop(), math.inf, None)).shape == (1, 64)
    assert (worker.detected, worker.embedded) == (0, 0)
