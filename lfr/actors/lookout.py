"""One camera, as a plain object: it always reads and shows tiles, and recognises only while it holds a mandate (A1).

A live source goes on without one; nothing of it is looked at but for the tile. A file waits, and when it may go on it
reads again what was under way, so that a pause loses nothing and counts nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from lfr import log
from lfr.actors.control import Recognition
from lfr.actors.doorman import Pass
from lfr.actors.journal import Books, Place
from lfr.actors.pipeline import CameraPipeline, Limits, Ports
from lfr.actors.tile import Tile
from lfr.config import Camera
from lfr.domain.errors import MandateRefused, RuntimeFailed
from lfr.domain.mandate import Mandate
from lfr.domain.packs import Pack
from lfr.domain.plan import CameraZone
from lfr.domain.signing import Signed
from lfr.vision.align import side
from lfr.vision.letterbox import Fitted, fit_picture
from lfr.vision.monitor import Monitor, Verdict
from lfr.vision.source import PictureHealth
from lfr.vision.source.base import EndOfSource, Frame, Source
from lfr.vision.source.health import SourceHealth
from lfr.vision.zone import Zone

_log = log.get(__name__)

WARMUP_S = 1.0
"""A file that resumes reads so much again to rebuild its tracks; nothing of it is counted twice."""


class LookoutPorts(Ports, Protocol):
    """The pipeline's ports, with what they show and a way to warm up."""

    shown: Pass

    async def warm_up(self, side: int) -> None:
        """Walk the whole path once. Raises RuntimeFailed, MandateRefused."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to recognise, for one camera. mandate: what `signed` says."""

    signed: Signed
    mandate: Mandate
    zone: CameraZone

    @property
    def shown(self) -> Pass:
        """What the camera's calls show."""
        return Pass(self.signed, self.zone.camera, self.zone.digest)

    def like(self, other: Grant) -> bool:
        """Whether tracks and shots taken under the other may go on under this one."""
        return (self.mandate.deployment_id, self.mandate.threshold, self.zone) == (
            other.mandate.deployment_id,
            other.mandate.threshold,
            other.zone,
        )


class Lookout:
    """books: counters, kept over the death of the process by `remember`. run: names this process's transits.

    tell: takes the kind and the content of a log entry about this camera.
    """

    def __init__(
        self,
        camera: Camera,
        pack: Pack,
        opening: Callable[[], Source],
        ports: LookoutPorts,
        run: str,
        *,
        limits: Limits,
        place: Place,
        remember: Callable[[Place], None],
        tell: Callable[[str, dict[str, Any]], None] = lambda *_: None,
    ) -> None:
        self.books = Books(place)
        self.tile = Tile()
        self.source: Source | None = None
        self.recognition: Recognition = "no mandate"
        self.began = self.drained = 0.0
        self.base = replace(place)
        self._camera = camera
        self._pack = pack
        self._opening = opening
        self._ports = ports
        self._run = run
        self._limits = limits
        self._remember = remember
        self._health = PictureHealth(camera.times)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._grant: Grant | None = None
        self._line: CameraPipeline | None = None
        self._zone: Zone | None = None
        self._watched: tuple[UUID, CameraZone] | None = None
        self._lines = 0
        self._counted = -1
        self._tell = tell
        self._monitor: Monitor | None = None
        self._outside = False
        self._reason = self._began_outside = ""
        self._rewind = True
        self._waiting = False
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()

    @property
    def grant(self) -> Grant | None:
        """The one it holds."""
        return self._grant

    @property
    def stopped(self) -> bool:
        """Whether it was told to end."""
        return self._stopped.is_set()

    @property
    def picture(self) -> SourceHealth:
        """The picture's health in one word. What waits to be read is not blind."""
        if self._waiting:
            return "opening"
        return self._health.word(self.source.stats) if self.source else "opening"

    @property
    def trouble(self) -> str:
        """Why nobody is recognised although there is a mandate; empty when somebody is."""
        return self._reason if self.recognition == "outside envelope" else ""

    def confirm_view(self) -> None:
        """Somebody looked: what the camera shows now is what it should."""
        if self._monitor is not None:
            self._monitor.learn()

    async def take(self, grant: Grant) -> None:
        """Recognise from now on. What is under way goes on, where the new mandate is for the same thing."""
        before, self._grant = self._grant, grant
        self._zone = Zone.of(grant.zone)
        watched = (grant.mandate.deployment_id, grant.zone)
        if self._monitor is None or self._watched != watched:
            self._monitor, self._watched, self._outside = Monitor(None, self._zone), watched, False
        self._ports.shown = grant.shown
        if before is not None and not grant.like(before):
            await self._close_line()
        self._say()
        self._changed.set()

    async def withdraw(self, word: Recognition) -> None:
        """Recognise no more: what is under way is given up and overwritten. Tiles go on."""
        self._grant = None
        self._ports.shown = Pass(None, self._camera.id, "")
        self.recognition = word
        if word == "stopped":  # it may be set up anew before the restart; after a pause it must be as it was
            self._monitor = None
        await self._close_line()

    async def _judge(self, verdict: Verdict) -> None:
        """The picture left, or came back into, what recognition was tested for (C5): no alerts outside of it."""
        if verdict.outside:
            self._reason = f"outside envelope: {verdict.reason}"
        if verdict.outside == self._outside:
            return
        self._outside = verdict.outside
        if verdict.outside:
            _log.warning("camera.outside", camera=self._camera.id, reason=verdict.reason)
            self._began_outside = self._reason
            self._tell("camera.outside", {"reason": verdict.reason})
            if self._line is not None and self._limits.patient:  # a file never reads again what it passed over
                await self._line.drain()
            await self._close_line()
            self._rewind = False
        else:
            self._tell("camera.gap", {"seconds": round(verdict.ended_s or 0.0, 1), "reason": self._began_outside})
        self._say()
        self._changed.set()

    def _say(self) -> None:
        if self._grant is not None:
            self.recognition = "outside envelope" if self._outside else "live"

    async def stop(self) -> None:
        """End: the source is let go."""
        self._stopped.set()
        self._changed.set()
        if self.source:
            self.source.close()
        await self._close_line()

    async def _close_line(self) -> None:
        self._rewind = True
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    async def run(self) -> None:
        """Read until the source ends or `stop`. Raises SourceError, RuntimeFailed for a file that cannot go on."""
        try:
            await self._read_all()
        finally:
            await self._close_line()
            if self.source:
                self.source.close()

    async def _read_all(self) -> None:
        self.source = await asyncio.get_running_loop().run_in_executor(self._reader, self._opening)
        self.began = time.time()
        while not self.stopped:
            with contextlib.suppress(EndOfSource):
                await self._read_on(self.source)
            if await self._finished(self.source):
                break
        self.drained = time.time()

    async def _finished(self, source: Source) -> bool:
        """At the end of the source: a file is only done once all of it was worked through under a mandate."""
        line = self._line
        if line is None and self._outside and self._grant is not None:
            return True
        if line is not None:
            await line.drain()
            if line.refused is None and not line.closed:
                return True
            await self._give_up(line)
        return source.live

    async def _read_on(self, source: Source) -> None:
        due = 0.0
        while not self.stopped:
            self._changed.clear()
            line = await self._current(source)
            self._waiting = line is None and self._patient(source) and not (self._outside and self._grant)
            if self._waiting:
                await self._changed.wait()
                if source.stats.read == 0:
                    self.began = time.time()
                continue
            if line is not None:
                await line.room()
            frame = await asyncio.get_running_loop().run_in_executor(self._reader, self._next, source)
            if frame is not None:
                self._health.feed(frame)
            if frame is None or frame.image is None or (source.live and frame.media_s < due - 0.01):
                if line is not None:
                    await line.no_frame()
                continue
            due = max(due + 1 / self._camera.process_fps, frame.media_s)
            fitted, verdict = await asyncio.to_thread(self._look, frame, source)
            if verdict is not None:
                await self._judge(verdict)
            if line is not None and not self._outside:
                await line.feed(frame, fitted, warmup=frame.index <= self._counted)
                continue
            if line is not None:
                await line.no_frame()
            if self.tile.due(frame):
                await asyncio.to_thread(self.tile.refresh, fitted.picture, fitted.box, frame)
            if not source.live:
                self._pass_over(frame)

    def _patient(self, source: Source) -> bool:
        """Whether what is not read now can be read later."""
        return not source.live or (self._camera.waits and source.stats.read == 0)

    def _look(self, frame: Frame, source: Source) -> tuple[Fitted, Verdict | None]:
        """Mask and fit a frame, and judge it where it would be recognised in. Runs in a thread."""
        assert frame.image is not None
        monitor = self._monitor if self._grant is not None else None
        if self._zone is not None:
            self._zone.cover(frame.image)  # C2: what is masked, nobody sees, whatever comes after
        fitted = fit_picture(frame.image, self._pack.detector.long_side)
        if monitor is None:
            return fitted, None
        stats = source.stats
        late = stats.extra.get("offset_ms", 0.0) / 1000 if source.live else 0.0
        return fitted, monitor.feed(fitted.inner, frame.media_s, health=self._health.word(stats), lag_s=late)

    def _pass_over(self, frame: Frame) -> None:
        """A file's frame outside the envelope is done with: it is never read again."""
        place = self.books.place
        place.handled = max(place.handled, frame.index)
        place.frame = max(place.frame, frame.index)
        self._durable(place)

    async def _current(self, source: Source) -> CameraPipeline | None:
        """The pipeline to feed, if there may be one now."""
        if self._line is not None and self._line.refused is not None:
            await self._give_up(self._line)
        if self._line is None and self._grant is not None and not self._outside:
            self._line = await self._open_line(self._grant, source)
        return self._line

    async def _give_up(self, line: CameraPipeline) -> None:
        """Somebody found the mandate wanting. The supervisor sees that there is none, and what is to be done."""
        if line.refused is not None and self._grant is not None:
            _log.warning("camera.mandate_lost", camera=self._camera.id, code=line.refused.code)
            await self.withdraw("no mandate")
        else:
            await self._close_line()

    async def _open_line(self, grant: Grant, source: Source) -> CameraPipeline | None:
        try:
            with contextlib.suppress(RuntimeFailed):  # somebody is restarting: the first shots will be slow then
                await self._ports.warm_up(side(self._pack.recogniser.alignment))
        except MandateRefused as error:
            _log.warning("camera.mandate_lost", camera=self._camera.id, code=error.code)
            if self._grant is grant:
                await self.withdraw("no mandate")
            return None
        if not source.live and self._rewind:
            await self._resume(source)
        if self._grant is not grant:  # it changed while we warmed up
            return None
        self._lines += 1
        return CameraPipeline(
            self._camera.id,
            self._pack,
            self._zone or Zone.of(grant.zone),
            grant.mandate.deployment_id,
            self._run if self._lines == 1 else f"{self._run}-{self._lines}",
            grant.mandate.threshold,
            self._ports,
            limits=self._limits,
            books=self.books,
            tile=self.tile,
            durable=self._durable,
        )

    async def _resume(self, source: Source) -> None:
        """Have a file go on after the last frame of which all is durable, tracks rebuilt."""
        place = self.books.place
        self._counted = place.handled
        start = max(0, place.frame + 1 - round(WARMUP_S * (source.stats.fps or 25.0)))
        if place.frame >= 0 or source.stats.read:
            await asyncio.get_running_loop().run_in_executor(self._reader, source.skip_to, start)
        self.base.read = start - source.stats.read  # what is read again is not read twice in the books

    def _next(self, source: Source) -> Frame | None:
        """The next frame with a picture, or None if none came for half a second. Runs in the reader's thread."""
        patience = time.monotonic() + 0.5
        while True:
            frame = source.read(0.5)
            if frame is None or frame.image is not None or time.monotonic() > patience:
                return frame

    def _durable(self, place: Place) -> None:
        if self.source:
            stats = self.source.stats
            place.read = self.base.read + stats.read
            place.dropped = self.base.dropped + stats.dropped
        self._remember(place)
