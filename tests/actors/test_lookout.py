"""A camera under a mandate, without Ray: zone, masks and conditions decide what is looked at at all (C1, C2, C5).

Real source, tracker, matcher and redaction; the models are the shipped double, the passers-by painted on a real view.
"""

import asyncio
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from lfr.actors.doorman import Pass
from lfr.actors.journal import Place
from lfr.actors.lookout import Grant, Lookout
from lfr.actors.pipeline import Limits
from lfr.config import Camera, SourceTimes
from lfr.domain.alerts import AlertReceipt
from lfr.domain.plan import CameraZone
from lfr.domain.watchlist import GalleryItem
from lfr.matching.matcher import Matcher
from lfr.matching.threshold import Threshold
from lfr.vision.engine.double import DoubleEngine, double_pack, paint
from lfr.vision.source.base import EndOfSource, Frame, SourceStats
from tests.support import walkers
from tests.support.authority import START, Force

FPS = 12.5
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
LISTED = 3


@pytest.fixture(scope="module")
def backdrop():
    grey = walkers.backdrop()
    rng = np.random.default_rng(0)
    return [grey + rng.integers(0, 4, grey.shape, dtype=np.uint8) for _ in range(5)]  # a sensor is never still


@dataclass
class Film:
    """A source of painted pictures: a listed person walks by again and again. spoil: what happens to the camera.

    halt: seconds at which it waits until it is let go on.
    """

    backdrop: list
    seconds: float
    spoil: object = lambda t, picture: picture
    walk: tuple = (0.05, 0.9)
    lap: float = 3.0
    live: bool = False
    halt: float = -1.0

    def __post_init__(self):
        self.next = 0
        self.halted, self.on = threading.Event(), threading.Event()
        self.stats = SourceStats(state="ok", fps=FPS, size=(640, 360))
        self.closed = False

    def read(self, timeout):
        if self.closed or self.next >= self.seconds * FPS:
            raise EndOfSource
        t = self.next / FPS
        if self.next == round(self.halt * FPS):
            self.halted.set()
            self.on.wait(30)
        picture = self.backdrop[self.next % len(self.backdrop)].copy()
        start, way = self.walk
        paint(picture, LISTED, int(640 * (start + (way - start) * (t % self.lap) / self.lap)), 150, 50)
        picture = self.spoil(t, picture)
        frame = Frame(self.next, t, time.time(), picture)
        self.next += 1
        self.stats.read += 1
        return frame

    def skip_to(self, index):
        self.next = index

    def close(self):
        self.closed = True


class Neighbours:
    """The others in this process: the shipped engine double and the real matcher."""

    def __init__(self):
        self.shown = Pass(None, "north", "")
        self.engine = DoubleEngine(double_pack())
        self.matcher = Matcher(64, "cosine", Threshold(0.7, "test", supported=True))
        self.alerts, self.seen, self.embedded = [], [], 0
        crop = np.zeros((1, 112, 112, 3), np.uint8)
        paint(crop[0], LISTED, 0, 0, 112)
        self.matcher.add([GalleryItem(Force().deployment, Force().deployment, self.engine.embed(crop)[0])])

    async def warm_up(self, side):
        pass

    async def detect(self, picture):
        self.seen.append(picture.copy())
        return self.engine.detect([picture])[0]

    async def identify(self, crops, notes):
        self.embedded += len(crops)
        await asyncio.sleep(0)
        return self.matcher.match(self.engine.embed(crops), notes, time.time())

    async def raise_alert(self, alert):
        self.alerts.append(alert)
        return AlertReceipt(alert.id, time.time())


@dataclass
class Watched:
    """A lookout over a film, with what came of it."""

    lookout: Lookout
    ports: Neighbours
    told: list

    @asynccontextmanager
    async def halted(self):
        """Run as far as the film's halt; on to the end after the block."""
        film, running = self.lookout._opening(), asyncio.create_task(self.run())
        assert await asyncio.to_thread(film.halted.wait, 30)
        yield
        film.on.set()
        await running

    async def run(self):
        async with asyncio.timeout(60):
            await self.lookout.run()
        return self


async def watch(film, zone=WHOLE, masks=(), **options):
    ports, told = Neighbours(), []
    lookout = Lookout(
        Camera(id="north", url="x", pace="live" if film.live else "file", process_fps=FPS, **options),
        double_pack(), lambda: film, ports, "r1", limits=Limits(patient=not film.live), place=Place(),
        remember=lambda _: None, tell=lambda kind, payload: told.append((kind, payload)),
    )  # fmt: skip
    planned = CameraZone("north", zone, masks)
    force = Force()
    mandate = force.mandate(cameras={"north": planned.digest}, ends_at=START + timedelta(hours=3))
    await lookout.take(Grant(force.minted(), mandate, planned))
    return Watched(lookout, ports, told)


def between(since, until, change):
    """A spoilt camera for some seconds."""
    return lambda t, picture: change(picture) if since <= t < until else picture


def dark(picture):
    return (picture * 0.18).astype(np.uint8)


def blurred(picture):
    return cv2.GaussianBlur(picture, (0, 0), 6)


def covered(picture):
    """A cloth over all but the lane of the passer-by, whom the detector would still find."""
    cloth = np.full_like(picture, 100)
    cloth[140:210] = picture[140:210]
    return cloth


async def test_an_ordinary_view_raises_an_alert_for_each_passage(backdrop):
    done = await (await watch(Film(backdrop, 12))).run()
    assert len(done.ports.alerts) == 4
    assert done.told == []
    assert done.lookout.recognition == "live"


@pytest.mark.rule("C5")
@pytest.mark.parametrize(
    ("change", "reason", "within"), [(dark, "too dark", 0.6), (blurred, "blurred", 0.6), (covered, "covered", 5.0)]
)
async def test_outside_its_envelope_a_camera_alerts_nobody_says_why_and_resumes(backdrop, change, reason, within):
    done = await (await watch(Film(backdrop, 26, between(5.0, 14.0, change)))).run()
    moments = [alert.media_s for alert in done.ports.alerts]
    assert [t for t in moments if t < 5]
    assert [t for t in moments if 5 + within <= t < 16] == []
    assert [t for t in moments if t > 18]
    assert [kind for kind, _ in done.told] == ["camera.outside", "camera.gap"]
    assert done.told[0][1] == {"reason": reason}
    gap = done.told[1][1]
    assert gap["reason"] == f"outside envelope: {reason}"
    assert 6 < gap["seconds"] < 14
    assert done.lookout.recognition == "live"


@pytest.mark.rule("C5")
async def test_outside_its_envelope_nothing_reaches_the_detector(backdrop):
    film = Film(backdrop, 14, between(6.0, 99.0, dark))
    done = await (await watch(film)).run()
    assert done.lookout.recognition == "outside envelope"
    assert done.lookout.trouble == "outside envelope: too dark"
    assert 6 * FPS <= len(done.ports.seen) <= 6.9 * FPS
    assert done.lookout.books.place.frame == 14 * FPS - 1  # a file has no frame left to read again


@pytest.mark.rule("C5")
async def test_a_moved_camera_waits_for_somebody_who_looks(backdrop):
    moved = between(6.0, 99.0, lambda picture: np.roll(picture, (40, 70), axis=(0, 1)))
    done = await watch(Film(backdrop, 26, moved, halt=14.0))
    async with done.halted():
        assert done.lookout.trouble == "outside envelope: moved"
        before = len(done.ports.alerts)
        done.lookout.confirm_view()
    assert len(done.ports.alerts) > before
    assert done.lookout.recognition == "live"


@pytest.mark.rule("C5")
async def test_a_pause_does_not_make_a_covered_view_the_usual_one(backdrop):
    done = await watch(Film(backdrop, 22, between(6.0, 99.0, covered), halt=12.0))
    grant = done.lookout.grant
    async with done.halted():
        await done.lookout.withdraw("paused")
        alerts = len(done.ports.alerts)
        await done.lookout.take(grant)
    assert done.lookout.recognition == "outside envelope"
    assert len(done.ports.alerts) == alerts


@pytest.mark.rule("C1")
async def test_whoever_passes_outside_the_zone_is_never_embedded(backdrop):
    film = Film(backdrop, 8, walk=(0.05, 0.35))
    done = await (await watch(film, RIGHT)).run()
    assert len(done.ports.seen) == 8 * FPS
    assert done.lookout.books.place.embeddings == done.ports.embedded == 0
    assert done.ports.alerts == []
    inside = await (await watch(replace(film, walk=(0.55, 0.85)), RIGHT)).run()
    assert inside.ports.embedded > 0


@pytest.mark.rule("C2")
async def test_whoever_passes_behind_a_mask_reaches_neither_detector_nor_tile_nor_scene(backdrop):
    front = ((0.0, 0.3), (0.45, 0.3), (0.45, 0.7), (0.0, 0.7))
    done = await (await watch(Film(backdrop, 8, walk=(0.02, 0.33)), WHOLE, (front,))).run()
    assert done.ports.embedded == 0
    assert not any(picture[115:245, 10:280].any() for picture in done.ports.seen)
    tile = cv2.imdecode(np.frombuffer(done.lookout.tile.latest[0], np.uint8), cv2.IMREAD_COLOR)
    assert tile[130:230, 20:260].max() < 24
    # The same walk beyond the mask alerts, and the scene of its alert has the mask in it.
    seen = await (await watch(Film(backdrop, 8, walk=(0.5, 0.85)), WHOLE, (front,))).run()
    scene = cv2.imdecode(np.frombuffer(seen.ports.alerts[0].scene_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert scene[200:340, 40:380].max() < 24


@pytest.mark.rule("A1", "C5")
async def test_without_a_mandate_nothing_is_looked_at_but_for_the_tile(backdrop):
    done = await watch(Film(backdrop, 6, live=True, halt=5.0))
    await done.lookout.withdraw("no mandate")
    async with done.halted():
        await done.lookout.stop()
    assert done.ports.seen == []
    assert done.told == []
    assert done.lookout.tile.latest is not None


@pytest.mark.parametrize("live", [False, True], ids=["file", "waits"])
async def test_a_clip_waits_for_its_mandate_is_not_blind_meanwhile_and_then_is_read_from_its_start(backdrop, live):
    done = await watch(Film(backdrop, 3, live=live), waits=live, times=SourceTimes(stale_after=0.2, frozen_after=0.2))
    grant = done.lookout.grant
    await done.lookout.withdraw("no mandate")
    running = asyncio.create_task(done.run())
    await asyncio.sleep(0.6)  # longer than a camera may be silent
    assert (done.lookout.picture, done.lookout.source.stats.read) == ("opening", 0)
    given = time.time()
    await done.lookout.take(grant)
    await running
    assert done.lookout.began >= given
    assert done.lookout.source.stats.read == round(3 * FPS)
    assert len(done.ports.alerts) == 1
