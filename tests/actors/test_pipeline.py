"""The camera's pipeline without Ray: real tracker, matcher and redaction; only the models are doubles."""

import asyncio
import time
from uuid import uuid4

import numpy as np
import pytest

from lfr.actors.journal import Books, Place
from lfr.actors.pipeline import CameraPipeline, Limits
from lfr.domain.alerts import AlertReceipt
from lfr.domain.errors import MandateRefused, RuntimeFailed
from lfr.domain.watchlist import GalleryItem
from lfr.matching.matcher import Matcher
from lfr.matching.threshold import Threshold
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from lfr.vision.source.base import Frame
from lfr.vision.zone import Zone

SIZE = (640, 360)


class NearbyPorts:
    """The others in this process: the shipped engine double and the real matcher."""

    def __init__(self, threshold=0.7):
        self.engine = DoubleEngine(double_pack())
        self.matcher = Matcher(64, "cosine", Threshold(threshold, "test", supported=True))
        self.alerts = []
        self.detected = 0
        self.crops_seen = []
        self.fail_identify = 0

    async def detect(self, picture):
        self.detected += 1
        await asyncio.sleep(0)
        return self.engine.detect([picture])[0]

    async def identify(self, crops, notes):
        self.crops_seen.append(crops)
        await asyncio.sleep(0)
        if self.fail_identify:
            self.fail_identify -= 1
            raise RuntimeFailed("an actor died and is being restarted")
        return self.matcher.match(self.engine.embed(crops), notes, time.time())

    async def raise_alert(self, alert):
        self.alerts.append(alert)
        return AlertReceipt(alert.id, time.time())


def enrol(ports, identity):
    crop = np.zeros((1, 112, 112, 3), np.uint8)
    paint(crop[0], identity, 0, 0, 112)
    entry = uuid4()
    ports.matcher.add([GalleryItem(entry, uuid4(), ports.engine.embed(crop)[0])])
    return entry


def frames(people, count=30, fps=12.5):
    """people: identity -> (x0, y0, dx per frame, side)."""
    for i in range(count):
        image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
        for identity, (x, y, dx, side) in people.items():
            paint(image, identity, int(x + dx * i), y, side)
        yield Frame(i, i / fps, time.time(), image)


def pipeline(ports, **options):
    zone = options.pop("zone", ())
    limits = options.pop("limits", Limits(patient=True))
    return CameraPipeline("north", double_pack(), Zone(zone), uuid4(), "r1", 0.7, ports, limits=limits, **options)


async def fed(line, frame, **options):
    await line.room()
    await line.feed(frame, **options)


async def play(line, shown):
    for frame in shown:
        await fed(line, frame)
    await line.drain()
    await line.close()


async def test_a_listed_person_raises_one_alert_and_everybody_else_none():  # D3
    ports = NearbyPorts()
    entry = enrol(ports, 3)
    line = pipeline(ports)
    await play(line, frames({3: (20, 60, 8, 50), 7: (500, 220, -8, 60)}))
    assert [(a.entry_id, a.camera, a.run) for a in ports.alerts] == [(entry, "north", "r1")]
    alert = ports.alerts[0]
    assert alert.shots >= 2
    assert alert.score > 0.9
    assert alert.probe_jpeg[:2] == alert.scene_jpeg[:2] == b"\xff\xd8"
    assert line.place.transits == 2
    assert line.place.alerts == 1
    assert line.place.processed == 30
    assert list(line.books.committed) == [alert.id]


@pytest.mark.rule("D7")
async def test_a_presentation_attack_raises_no_alert_and_is_counted():
    ports = NearbyPorts()
    entry = enrol(ports, 3)
    enrol(ports, 7)
    asked = []

    def is_attack(picture, box):
        x, y, w, h = box
        asked.append(picture[y + h // 2, x + w // 2].tolist())
        return y > 150  # who walks below

    line = pipeline(ports, is_attack=is_attack)
    await play(line, frames({3: (20, 60, 8, 50), 7: (500, 220, -8, 60)}))
    assert [alert.entry_id for alert in ports.alerts] == [entry]
    assert line.suppressed == 1
    assert len(asked) == 2  # once for each alert, never for who is not about to raise one
    assert all(max(colour) > 200 for colour in asked)  # the box is the face's, in the frame it was found in


async def test_an_unlisted_crowd_raises_nothing():
    ports = NearbyPorts()
    enrol(ports, 0)
    await play(pipeline(ports), frames({4: (20, 60, 8, 50), 8: (500, 220, -8, 60)}))
    assert ports.alerts == []


async def test_outside_the_zone_nobody_is_embedded():  # C1
    ports = NearbyPorts()
    enrol(ports, 3)
    line = pipeline(ports, zone=((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)))
    await play(line, frames({3: (300, 200, 1, 50)}))
    assert ports.detected == 30
    assert line.place.embeddings == 0
    assert ports.crops_seen == []


async def test_every_crop_is_overwritten_and_its_age_counted():  # D4
    ports = NearbyPorts()
    enrol(ports, 3)
    line = pipeline(ports)
    await play(line, frames({3: (20, 60, 8, 50)}))
    assert ports.crops_seen
    assert not any(crops.any() for crops in ports.crops_seen)
    assert line.books.ages.count >= line.place.embeddings


async def test_a_live_camera_drops_and_counts_what_would_come_too_late():  # D8
    ports = NearbyPorts()
    enrol(ports, 3)
    line = pipeline(ports, limits=Limits(patient=False))
    old = [Frame(f.index, f.media_s, f.stamped_at - 5, f.image) for f in frames({3: (20, 60, 8, 50)})]
    await play(line, old)
    assert line.place.embeddings == 0
    assert line.place.stale > 0
    assert ports.alerts == []


async def test_a_dead_pool_makes_a_live_camera_drop_and_a_file_fail():
    ports = NearbyPorts()
    entry = enrol(ports, 3)
    ports.fail_identify = 1
    line = pipeline(ports, limits=Limits(patient=False))
    await play(line, frames({3: (20, 60, 8, 50)}))
    assert line.place.shots_dropped == 1
    assert [a.entry_id for a in ports.alerts] == [entry]

    ports.fail_identify = 10**6
    with pytest.raises(RuntimeFailed):
        await play(pipeline(ports), frames({3: (20, 60, 8, 50)}))


async def test_the_place_never_runs_ahead_of_what_is_durable():
    ports = NearbyPorts()
    enrol(ports, 3)
    places = []
    gate = asyncio.Event()
    slow = ports.raise_alert

    async def waiting(alert):
        await gate.wait()
        return await slow(alert)

    ports.raise_alert = waiting
    line = pipeline(ports, durable=lambda place: places.append(place.frame))
    shown = list(frames({3: (20, 60, 8, 50)}))
    for frame in shown[:20]:
        await fed(line, frame)
    await asyncio.sleep(0.05)
    held = places[-1]
    assert held < 19
    gate.set()
    for frame in shown[20:]:
        await fed(line, frame)
    await line.drain()
    assert places[-1] == 29
    assert ports.alerts[0].frame > held
    await line.close()


async def test_a_resumed_file_counts_nothing_twice():
    ports = NearbyPorts()
    enrol(ports, 3)
    line = pipeline(ports, books=Books(Place(frame=9, processed=10, transits=1)))
    for frame in frames({3: (20, 60, 8, 50)}):
        await fed(line, frame, warmup=frame.index <= 9)
    await line.drain()
    assert line.place.processed == 30
    assert line.place.transits == 1
    assert len(ports.alerts) == 1
    await line.close()


async def test_a_frame_given_up_half_way_is_counted_when_it_is_handled_again():
    ports = NearbyPorts()
    identify, asked = ports.identify, asyncio.Event()

    async def hang(crops, notes):
        asked.set()
        await asyncio.sleep(60)

    ports.identify = hang
    # One call under way, and the next frame with a face to identify waits for its place: it is in hand, and undone.
    limits = Limits(patient=True, crops=1)
    shown = list(frames({3: (20, 60, 8, 50), 5: (420, 200, -8, 50)}))
    books = Books()
    line = pipeline(ports, books=books, limits=limits)
    sent = asyncio.create_task(play(line, shown))
    await asyncio.wait_for(asked.wait(), 5)
    await asyncio.sleep(0.1)
    sent.cancel()
    await line.close()
    ports.identify = identify
    again = pipeline(ports, books=books, limits=limits)
    handled = books.place.handled
    for frame in shown:
        await fed(again, frame, warmup=frame.index <= handled)
    await again.drain()
    assert 0 <= handled < 29
    assert books.place.processed == 30
    assert books.place.detections == 60
    assert books.place.transits == 2
    await again.close()


async def test_the_tile_is_a_mosaic_of_the_newest_frame():  # C3
    ports = NearbyPorts()
    line = pipeline(ports)
    await play(line, frames({3: (20, 60, 8, 50)}, count=3))
    assert line.tile.latest is not None
    assert line.tile.latest[0][:2] == b"\xff\xd8"


@pytest.mark.rule("A1")
async def test_after_a_refusal_nothing_more_is_asked_for_and_a_file_loses_no_frame():
    ports = NearbyPorts()
    enrol(ports, 3)
    line = pipeline(ports)
    shown = list(frames({3: (20, 60, 8, 50)}))
    for frame in shown[:10]:
        await fed(line, frame)
    await line.drain()
    identified = len(ports.crops_seen)

    async def refuse(*_):
        raise MandateRefused("no mandate: it was taken back", code="revoked")

    ports.identify = refuse
    for frame in shown[10:20]:
        await fed(line, frame)
    await line.drain()
    assert line.refused is not None
    assert line.refused.code == "revoked"
    assert len(ports.crops_seen) == identified
    # What was refused, and all after it, is still to be read.
    assert 9 <= line.place.frame < 19
    assert line.place.dropped == 0
    await line.close()


async def test_closing_gives_up_what_is_under_way_and_overwrites_it():
    ports = NearbyPorts()
    enrol(ports, 3)
    started = asyncio.Event()
    crops_held = []

    async def hang(crops, notes):
        crops_held.append(crops)
        started.set()
        await asyncio.sleep(60)

    ports.identify = hang
    line = pipeline(ports)
    for frame in list(frames({3: (20, 60, 8, 50)}))[:5]:
        await fed(line, frame)
    await asyncio.wait_for(started.wait(), 5)
    await line.close()
    assert crops_held
    assert not any(crops.any() for crops in crops_held)
    await asyncio.wait_for(line.room(), 1)
    await line.feed(next(frames({})))
    assert ports.detected == 5
