"""One camera's journey from frame to alert, as a plain object: `CameraActor` is a thin shell around it.

Frames are detected several at a time but handled in order; crops go out in one call for each frame, and what comes back
is candidates only, never a template. Everything is bounded: frames, crops and alerts in flight.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from lfr import log
from lfr.actors.journal import Books, Place
from lfr.actors.tile import Tile
from lfr.actors.window import Window
from lfr.domain.alerts import AlertReceipt, Candidate, RaisedAlert
from lfr.domain.errors import LfrError, MandateRefused, ShotsLapsed
from lfr.domain.faces import Detections, Image
from lfr.domain.packs import Pack
from lfr.domain.transit import ShotRules, Transit
from lfr.matching.matcher import ShotNote, TransitKey
from lfr.vision import quality, redaction
from lfr.vision.align import cut
from lfr.vision.letterbox import Fitted, Letterbox, fit_picture
from lfr.vision.source.base import Frame
from lfr.vision.tracking import Tracker
from lfr.vision.zone import Zone

_log = log.get(__name__)

TOO_LATE_S = 0.6
"""A shot this old when its turn comes is dropped and counted: its template could not live within a second (D4)."""


class Ports(Protocol):
    """What a camera asks of the others. Each raises LfrError when it has no answer after its own retries.

    MandateRefused ends the pipeline: nothing more is asked for, and whoever owns it must bring another mandate.
    """

    async def detect(self, picture: Image) -> Detections:
        """Faces of one letterboxed picture."""
        ...

    async def identify(self, crops: Image, notes: list[ShotNote]) -> list[Candidate | None]:
        """Templates are made, fused and compared elsewhere; candidates come back. Overwrites `crops`."""
        ...

    async def raise_alert(self, alert: RaisedAlert) -> AlertReceipt:
        """Make an alert durable."""
        ...


@dataclass(slots=True)
class Limits:
    """in_flight: frames being detected. crops: identify calls under way. patient: wait rather than drop (files)."""

    in_flight: int = 4
    crops: int = 6
    patient: bool = False
    confirm_shots: int = 2
    max_faces: int = 64


@dataclass(slots=True)
class _Work:
    """One frame on its way. faces: the detector's answer to come; box: how its picture was fitted."""

    frame: Frame
    box: Letterbox
    faces: asyncio.Task[Detections]
    warmup: bool


class CameraPipeline:
    """Frames in, alerts out, for as long as one mandate lasts. `feed` frames in order, then `drain` or `close`.

    Not thread-safe: one event loop owns it. durable: called with the place up to which everything is durable, after
    each handled frame. refused: the mandate was not good enough for somebody; nothing is handled after that. is_attack:
    asked with the frame and the box x y w h of each alert before it is raised; none = off (D7).
    """

    def __init__(
        self,
        camera: str,
        pack: Pack,
        zone: Zone,
        deployment_id: UUID,
        run: str,
        threshold: float,
        ports: Ports,
        *,
        limits: Limits | None = None,
        books: Books | None = None,
        tile: Tile | None = None,
        durable: Callable[[Place], None] = lambda _: None,
        rules: ShotRules | None = None,
        is_attack: Callable[[Image, tuple[int, int, int, int]], bool] | None = None,
    ) -> None:
        self.camera = camera
        self.pack = pack
        self.deployment_id = deployment_id
        self.run = run
        self.books = books or Books()
        self.place = self.books.place
        self.tile = tile or Tile()
        self.refused: MandateRefused | None = None
        self.closed = False
        self._threshold = threshold
        self._ports = ports
        self._limits = limits or Limits()
        self._durable = durable
        self._rules = rules or ShotRules()
        self._is_attack, self.suppressed = is_attack, 0
        self._tracker = Tracker()
        self._zone = zone
        self._transits: dict[int, Transit] = {}
        self._counted: set[int] = set()
        self._new_transits = 0  # of the frame in hand
        self._window = Window(self._limits.in_flight)
        self._queue: asyncio.Queue[_Work] = asyncio.Queue()
        self._sights: set[asyncio.Task[Detections]] = set()
        self._crops: set[asyncio.Task[None]] = set()
        self._undecided: set[int] = set()  # frames whose shots are on their way
        self._handler: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None

    async def room(self) -> None:
        """Wait until one more frame may be read: none may grow old before it is sent. Raises what `feed` would."""
        await self._window.enter()
        if self._failed is not None:
            await self._window.leave()
        self._raise_failure()

    async def no_frame(self) -> None:
        """There was no frame to feed after all: give the room back."""
        await self._window.leave()

    async def feed(self, frame: Frame, fitted: Fitted | None = None, *, warmup: bool = False) -> None:
        """Take one frame for which there is `room`. fitted: where that was done already. warmup: rebuild tracks only.

        Raises LfrError when an earlier frame failed beyond repair (patient cameras only).
        """
        self._raise_failure()
        assert frame.image is not None
        if self._handler is None:
            self._handler = asyncio.create_task(self._handle_all())
        if fitted is None:
            fitted = await asyncio.to_thread(fit_picture, frame.image, self.pack.detector.long_side)
        box, picture = fitted.box, fitted.picture
        if self.tile.due(frame):
            self.tile.refresh(picture, box, frame)
        if self.closed:
            return
        sight = asyncio.create_task(self._ports.detect(picture))
        self._sights.add(sight)
        sight.add_done_callback(self._sights.discard)
        self._queue.put_nowait(_Work(frame, box, sight, warmup))

    async def drain(self) -> None:
        """Wait until every frame fed was handled and every alert is durable. Raises what `feed` would."""
        await self._queue.join()
        while self._crops:
            await asyncio.gather(*self._crops, return_exceptions=True)
        self._durable(self.place)
        self._raise_failure()

    async def close(self) -> None:
        """Give up what is under way, overwrite it, and forget all transits. Safe to call twice."""
        self.closed = True
        await self._window.close()
        tasks = [t for t in (self._handler, *self._crops, *self._sights) if t]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._transits.clear()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed

    async def _handle_all(self) -> None:
        while True:
            work = await self._queue.get()
            try:
                if self.refused is None:  # what comes after a refusal is done again under another mandate, or never
                    await self._handle(work)
            except MandateRefused as error:
                self._refuse(error, 1)
            except LfrError as error:
                self._lost(error)
            except Exception as error:  # a fault of ours must end the run, not hang it
                _log.error("camera.fault", camera=self.camera, kind=type(error).__name__, exc_info=True)
                self._failed = error
            finally:
                await self._window.leave(time.time() - work.frame.stamped_at)
                self._queue.task_done()

    def _refuse(self, error: MandateRefused, frames: int) -> None:
        if not self._limits.patient:
            self.place.dropped += frames
        if self.refused is None:
            _log.warning("camera.refused", camera=self.camera, code=error.code)
        self.refused = error

    def _lost(self, error: LfrError) -> None:
        self.place.dropped += 1
        _log.warning("camera.frame_lost", camera=self.camera, reason=error.message)
        if self._limits.patient:
            self._failed = error

    async def _handle(self, work: _Work) -> None:
        faces = await work.faces
        frame, image = work.frame, work.frame.image
        assert image is not None
        h, w = image.shape[:2]
        faces = work.box.undo(faces)
        faces = faces.select(self._zone.inside(faces.boxes, w, h)[: self._limits.max_faces])
        numbers = self._tracker.update(faces.boxes, faces.scores, frame.media_s)
        self._new_transits = 0
        if len(faces):
            await self._consider(work, image, faces, numbers)
        # Counted together with the place: a frame that was given up half way is read and handled again.
        if not work.warmup:
            self.place.processed += 1
            self.place.detections += len(faces)
            self.place.transits += self._new_transits
        self._forget_gone()
        self._advance(frame.index)

    async def _consider(self, work: _Work, image: Image, faces: Detections, numbers: NDArray[np.int64]) -> None:
        frame = work.frame
        h, w = image.shape[:2]
        shape = quality.geometry(faces, self.pack.recogniser.alignment, w, h)
        weights = shape.weight
        chosen: list[int] = []
        for i, number in enumerate(numbers):
            transit = self._transit(int(number), frame)
            if transit is None or not shape.inside[i]:
                continue
            floor = self.pack.quality
            if shape.face_px[i] < floor.probe_face_px or shape.yaw[i] > floor.max_yaw:
                continue
            if transit.wants(float(weights[i]), frame.media_s):
                chosen.append(i)
        if not chosen or not await self._room(frame):
            return
        crops = cut(image, faces.points[chosen], self.pack.recogniser.alignment)
        sharp = [quality.sharpness(crop) >= self.pack.quality.min_sharpness for crop in crops]
        kept = [i for i, good in zip(chosen, sharp, strict=True) if good]
        if len(kept) < len(chosen):
            blurred = crops
            crops = crops[np.array(sharp)]
            self._overwrite(blurred, frame)
        if not kept:
            return
        for i in kept:
            self._transits[int(numbers[i])].took(float(weights[i]), frame.media_s)
        notes = [
            ShotNote(
                TransitKey(self.camera, self.run, int(numbers[i])),
                frame.media_s,
                frame.stamped_at,
                float(weights[i]),
            )
            for i in kept
        ]
        self.place.embeddings += len(kept)
        self._undecided.add(frame.index)
        boxes = faces.boxes[kept]
        task = asyncio.create_task(self._identify(frame, image, crops, notes, boxes))
        self._crops.add(task)
        task.add_done_callback(self._crops.discard)

    def _transit(self, number: int, frame: Frame) -> Transit | None:
        """The transit of a track number; None while it is not yet confirmed (a number below 1)."""
        if number == 0:
            return None
        transit = self._transits.get(abs(number))
        if transit is None:
            transit = Transit(abs(number), frame.media_s, frame.stamped_at, self._rules)
            self._transits[abs(number)] = transit
        if number < 0:
            return None
        if number not in self._counted:
            self._counted.add(number)
            self._new_transits += 1
        return transit

    async def _room(self, frame: Frame) -> bool:
        """Whether these shots may go out: a file waits for a place, and nobody sends what would come too late."""
        if time.time() - frame.stamped_at > TOO_LATE_S:
            self.place.stale += 1
            return False
        while len(self._crops) >= self._limits.crops:
            if not self._limits.patient:
                self.place.shots_dropped += 1
                return False
            await asyncio.wait(self._crops, return_when=asyncio.FIRST_COMPLETED)
        return time.time() - frame.stamped_at <= TOO_LATE_S

    async def _identify(
        self, frame: Frame, image: Image, crops: Image, notes: list[ShotNote], boxes: NDArray[np.float32]
    ) -> None:
        try:
            try:
                candidates = await self._ports.identify(crops, notes)
            finally:
                self._overwrite(crops, frame)
            for candidate, note, box in zip(candidates, notes, boxes, strict=True):
                if candidate is not None:
                    await self._confirm(candidate, note, frame, image, box)
        except MandateRefused as error:
            self._refuse(error, 0)
        except LfrError as error:
            self.place.shots_dropped += len(notes)
            _log.warning("camera.shots_lost", camera=self.camera, count=len(notes), reason=error.message)
            self._ask_again(notes)
            if self._limits.patient and not isinstance(error, ShotsLapsed):
                self._failed = error
        finally:
            if self.refused is None and not self.closed:  # else it stays undecided: a file reads it again
                self._undecided.discard(frame.index)

    def _ask_again(self, notes: list[ShotNote]) -> None:
        for note in notes:
            transit = self._transits.get(note.transit.number)
            if transit is not None:
                transit.again()

    def _overwrite(self, crops: Image, frame: Frame) -> None:
        crops.fill(0)
        age = time.time() - frame.stamped_at
        for _ in range(len(crops)):
            self.books.ages.add(age)

    async def _confirm(
        self, candidate: Candidate, note: ShotNote, frame: Frame, image: Image, box: NDArray[np.float32]
    ) -> None:
        number = note.transit.number
        transit = self._transits.get(number)
        if candidate.shots >= self._limits.confirm_shots:
            peak, peaks = (candidate.score, frame.index), self.books.peaks
            peaks[number, candidate.entry_id] = max(peak, peaks.get((number, candidate.entry_id), peak))
        if transit is None or not transit.confirm(candidate, self._limits.confirm_shots):
            return
        x0, y0, x1, y1 = (round(float(v)) for v in box)
        at = (x0, y0, max(x1 - x0, 1), max(y1 - y0, 1))
        if self._is_attack is not None and await asyncio.to_thread(self._is_attack, image, at):
            self.suppressed += 1  # a photograph or a screen: this passage raises no alert for this entry (D7)
            _log.warning("alert.suppressed", transit=number)
            return
        alert = RaisedAlert(
            deployment_id=self.deployment_id,
            camera=self.camera,
            run=self.run,
            transit=number,
            entry_id=candidate.entry_id,
            score=candidate.score,
            threshold=self._threshold,
            gap=candidate.gap,
            shots=candidate.shots,
            frame=frame.index,
            media_s=frame.media_s,
            frame_at=frame.stamped_at,
            first_shot_at=transit.first_seen_at,
            box=at,
            probe_jpeg=redaction.jpeg(redaction.portrait(image, at)),
            scene_jpeg=redaction.jpeg(redaction.scene(image, at)),
        )
        try:
            receipt = await self._ports.raise_alert(alert)
        except LfrError:
            transit.retract(candidate.entry_id)
            raise
        self._committed(alert, receipt)

    def _committed(self, alert: RaisedAlert, receipt: AlertReceipt) -> None:
        _log.info(
            "alert.raised" if not receipt.muted else "alert.muted",
            camera=self.camera,
            transit=alert.transit,
            alert=str(receipt.alert_id),
        )
        if receipt.muted:
            return
        self.place.alerts += 1
        self.books.committed[alert.id] = (receipt.committed_at, alert.frame_at)

    def _forget_gone(self) -> None:
        if self._crops:  # a gone transit's last shots may still be on their way, and may raise its alert
            return
        live = self._tracker.live
        for number in [n for n in self._transits if n not in live]:
            del self._transits[number]
            self._counted.discard(number)

    def _advance(self, index: int) -> None:
        """Remember the last frame before which everything is decided and durable."""
        self.place.handled = max(self.place.handled, index)
        self.place.frame = min(self._undecided, default=index + 1) - 1
        self._durable(self.place)
