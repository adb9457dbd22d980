"""One camera: reads its source, runs its pipeline, keeps its tile and its health. Pinned to its van.

It dies alone: Ray restarts it, a stream reconnects, and a file goes on after its last frame of which all is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from uuid import UUID

import ray

from lfr import log
from lfr.actors.control import CameraStatus
from lfr.actors.journal import Place
from lfr.actors.pipeline import CameraPipeline, Limits
from lfr.actors.ports import RayPorts
from lfr.actors.shell import Shell, find
from lfr.config import Camera, Secret
from lfr.domain.errors import LfrError, RuntimeFailed
from lfr.domain.packs import Pack
from lfr.vision.align import side
from lfr.vision.source import PictureHealth, open_source
from lfr.vision.source.base import EndOfSource, Frame, Source

_log = log.get(__name__)

WARMUP_S = 1.0
"""A file that resumes reads so much again to rebuild its tracks; nothing of it is counted twice."""


class CameraActor(Shell):
    """One camera of a deployment."""

    kind = "camera"
    max_concurrency = 16

    def __init__(
        self,
        name: str,
        folder: str,
        log_level: str,
        camera: Camera,
        address: Secret,
        pack: Pack,
        deployment_id: UUID,
        run: str,
        pool: list[str],
        matcher: str,
        writer: str,
        confirm_shots: int,
    ) -> None:
        super().__init__(name, folder, log_level, camera=camera.id)
        self._camera = camera
        self._address = address
        self._matcher = find(matcher)
        self._threshold = 0.0
        self._threshold_task: asyncio.Task[None] | None = None
        self._source: Source | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._stopped = asyncio.Event()
        self._ended: Literal["", "ended", "stopped", "failed"] = ""
        self._began = self._drained = 0.0
        self._base = self.journal.place()
        patient = camera.pace == "file"
        self._health = PictureHealth(camera.times)
        self._detail = ""
        self._ports = RayPorts([find(one) for one in pool], matcher, find(writer), patient=patient)
        self._side = side(pack.recogniser.alignment)
        self._pipeline = CameraPipeline(
            camera,
            pack,
            deployment_id,
            run if not self.restarts else f"{run}.{self.restarts}",
            lambda: self._threshold,
            self._ports,
            limits=Limits(in_flight=2 + len(pool), patient=patient, confirm_shots=confirm_shots),
            place=self.journal.place(),
            durable=self._remember,
        )

    @ray.method(max_task_retries=-1)
    async def run(self) -> None:
        """Read until the source ends or the camera is stopped. Ray calls it anew after a restart.

        Raises SourceError when the source can never be read, RuntimeFailed when a file could not be worked through.
        """
        if self.was_stopped:
            self._ended = "stopped"
            return
        try:
            await self._matcher.load.remote()
            self._threshold_task = asyncio.create_task(self._follow_threshold())
            with contextlib.suppress(RuntimeFailed):  # somebody is restarting: the first shots will be slow then
                await self._ports.warm_up(self._side)
            await self._read_all()
            self._ended = "stopped" if self._stopped.is_set() else "ended"
        except LfrError as error:
            self._ended = "failed"
            self._detail = error.message
            raise
        except EndOfSource:
            self._ended = "ended"
        finally:
            await self._pipeline.close()
            if self._threshold_task:
                self._threshold_task.cancel()
            if self._source:
                self._source.close()

    async def _read_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._source = await loop.run_in_executor(
            self._reader, lambda: open_source(self._camera, self._address.value, stride=0)
        )
        resume, counted = (-1, -1) if self._source.live else (self._base.frame, self._base.handled)
        if resume >= 0:
            start = max(0, resume + 1 - round(WARMUP_S * (self._source.stats.fps or 25.0)))
            await loop.run_in_executor(self._reader, self._source.skip_to, start)
            self._base.read = start  # what is read again is not read twice in the books
        due = 0.0
        self._began = time.time()
        with contextlib.suppress(EndOfSource):
            while not self._stopped.is_set():
                await self._pipeline.room()
                frame = await loop.run_in_executor(self._reader, self._next)
                if frame is not None:
                    self._health.feed(frame)
                if frame is None or frame.image is None or (self._source.live and frame.media_s < due - 0.01):
                    await self._pipeline.no_frame()
                    continue
                due = max(due + 1 / self._camera.process_fps, frame.media_s)
                await self._pipeline.feed(frame, warmup=frame.index <= counted)
        if not self._stopped.is_set():
            await self._pipeline.drain()
        self._drained = time.time()

    def _next(self) -> Frame | None:
        """The next frame with a picture, or None if none came for half a second. Runs in the reader's thread."""
        assert self._source is not None
        patience = time.monotonic() + 0.5
        while True:
            frame = self._source.read(0.5)
            if frame is None or frame.image is not None or time.monotonic() > patience:
                return frame

    async def _follow_threshold(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # the matcher may be restarting; the last threshold known stays
                self._threshold = (await self._matcher.status.remote())["threshold"].value
            await asyncio.sleep(1.0)

    def _remember(self, place: Place) -> None:
        if self._source:
            stats = self._source.stats
            place.read = self._base.read + stats.read
            place.dropped = self._base.dropped + stats.dropped
        self.journal.write(place)

    async def stop(self) -> None:
        """End recognition on this camera at once: what is under way is given up (A13)."""
        self.mark_stopped()
        self._stopped.set()
        if self._source:
            self._source.close()
        await self._pipeline.close()

    @ray.method(concurrency_group="control")
    async def tile(self) -> tuple[bytes, float] | None:
        """The newest tile, a JPEG that is a mosaic throughout, and its wall time."""
        return None if self._stopped.is_set() else self._pipeline.tile

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, its counters, the ages of its crops, when its alerts were committed."""
        return {
            "who": self.who(),
            "camera": self._status(),
            "ages": self._pipeline.ages.dump(),
            "committed": {alert: commit for alert, (commit, _) in self._pipeline.committed.items()},
            "peaks": dict(self._pipeline.peaks),
            "ended": self._ended,
            "seconds": max(self._drained - self._began, 0.0),
            "place": self._pipeline.place,
        }

    def _status(self) -> CameraStatus:
        place, stats = self._pipeline.place, self._source.stats if self._source else None
        latencies = sorted((commit - frame) * 1000 for commit, frame in self._pipeline.committed.values())
        last = stats.last_good_at if stats else None
        return CameraStatus(
            id=self._camera.id,
            title=self._camera.title or self._camera.id,
            health=self._ended or (self._health.word(stats) if stats else "opening"),
            detail=self._detail or (stats.detail if stats else ""),
            width=stats.size[0] if stats else 0,
            height=stats.size[1] if stats else 0,
            fps=stats.fps if stats else 0.0,
            read=self._base.read + (stats.read if stats else 0),
            processed=place.processed,
            dropped=self._base.dropped + (stats.dropped if stats else 0),
            stale=place.stale + (stats.stale if stats else 0),
            reconnects=stats.reconnects if stats else 0,
            detections=place.detections,
            embeddings=place.embeddings,
            transits=place.transits,
            alerts=place.alerts,
            last_frame_age_s=time.time() - last if last else None,
            latency_p95_ms=latencies[int(0.95 * (len(latencies) - 1))] if latencies else None,
        )
