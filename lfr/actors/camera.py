"""One camera: a Ray shell around `Lookout`, pinned to its van.

It dies alone: Ray restarts it, the supervisor gives it its mandate anew, a stream reconnects, and a file goes on after
its last frame of which all is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Literal
from uuid import UUID

import ray

from lfr import log
from lfr.actors.control import CameraStatus, Recognition
from lfr.actors.doorman import Pass
from lfr.actors.lookout import Grant, Lookout
from lfr.actors.pipeline import Limits
from lfr.actors.ports import ALERT_PATIENCE_S, RayPorts
from lfr.actors.shell import Shell, find
from lfr.config import Camera, Secret
from lfr.domain.errors import LfrError, MandateRefused
from lfr.domain.mandate import Mandate
from lfr.domain.packs import Pack
from lfr.domain.plan import CameraZone
from lfr.domain.signing import Signed, open_signed
from lfr.vision.source import open_source

_log = log.get(__name__)


class CameraActor(Shell):
    """One camera. minter: the public key that mandates are signed with here."""

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
        run: str,
        pool: list[str],
        matcher: str,
        writer: str,
        confirm_shots: int,
        minter: str,
    ) -> None:
        super().__init__(name, folder, log_level, camera=camera.id)
        self._camera = camera
        self._minter = minter
        self._ended: Literal["", "ended", "stopped", "failed"] = ""
        self._detail = ""
        patient = camera.pace == "file"
        nothing = Pass(None, camera.id, "")
        self._lookout = Lookout(
            camera,
            pack,
            lambda: open_source(camera, address.value, stride=0),
            RayPorts([find(one) for one in pool], matcher, find(writer), nothing, patient=patient),
            run if not self.restarts else f"{run}.{self.restarts}",
            limits=Limits(in_flight=2 + len(pool), patient=patient, confirm_shots=confirm_shots),
            place=self.journal.place(),
            remember=self.journal.write,
            tell=self._tell,
        )
        self._writer = find(writer)
        self._telling: set[asyncio.Task[None]] = set()

    @ray.method(max_task_retries=-1)
    async def run(self) -> None:
        """Read until the source ends or the camera is stopped. Ray calls it anew after a restart.

        Raises SourceError when the source can never be read, RuntimeFailed when a file could not be worked through.
        """
        try:
            await self._lookout.run()
            self._ended = "stopped" if self._lookout.stopped else "ended"
        except LfrError as error:
            self._ended = "failed"
            self._detail = error.message
            raise

    async def grant(self, mandate: Signed, zone: CameraZone) -> None:
        """Recognise within this zone from now on. Raises SignatureInvalid, MandateRefused: not for this camera."""
        said = open_signed(mandate, Mandate, key=self._minter)
        if zone.camera != self._camera.id or said.cameras.get(self._camera.id) != zone.digest:
            raise MandateRefused("no mandate: it is not for this camera and zone", code="zone")
        await self._lookout.take(Grant(mandate, said, zone))

    async def withdraw(self, word: Recognition) -> None:
        """Recognise no more; tiles go on. word: what the tile says."""
        await self._lookout.withdraw(word)

    async def revoke(self, mandate_id: UUID) -> None:
        """A pause, if it holds this mandate."""
        held = self._lookout.grant
        if held is None or held.mandate.id == mandate_id:
            await self._lookout.withdraw("paused")

    async def bar(self, deployment_id: UUID, until: float) -> None:
        """A stop or an end, as for the matcher: whatever it holds of this deployment is given up."""
        held = self._lookout.grant
        if held is None or (
            held.mandate.deployment_id == deployment_id and held.mandate.issued_at.timestamp() <= until
        ):
            await self._lookout.withdraw("stopped")

    async def confirm_view(self) -> None:
        """Somebody looked at the tile: what the camera shows now is what it should (C5)."""
        self._lookout.confirm_view()

    def _tell(self, kind: str, payload: dict[str, Any]) -> None:
        task = asyncio.create_task(self._record(kind, payload))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _record(self, kind: str, payload: dict[str, Any]) -> None:
        """Offered until it is written: the writer may be restarting."""
        deadline = time.monotonic() + ALERT_PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._writer.record.remote(kind, self._camera.id, payload), 5.0)
                return
            await asyncio.sleep(1.0)
        _log.error("camera.not_recorded", camera=self._camera.id, kind=kind)

    async def stop(self) -> None:
        """The run ends."""
        await self._lookout.stop()

    @ray.method(concurrency_group="control")
    async def tile(self) -> tuple[bytes, float] | None:
        """The newest tile, a JPEG that is a mosaic throughout, and its wall time."""
        return self._lookout.tile.latest

    @ray.method(concurrency_group="control")
    async def status(self) -> dict[str, Any]:
        """Who this is, its counters, the ages of its crops, when its alerts were committed."""
        books, held = self._lookout.books, self._lookout.grant
        return {
            "who": self.who(),
            "camera": self._status(),
            "mandate": held.mandate.id if held else None,
            "ages": books.ages.dump(),
            "committed": {alert: commit for alert, (commit, _) in books.committed.items()},
            "peaks": dict(books.peaks),
            "ended": self._ended,
            "seconds": max(self._lookout.drained - self._lookout.began, 0.0),
            "place": books.place,
        }

    def _status(self) -> CameraStatus:
        lookout = self._lookout
        place, stats = lookout.books.place, lookout.source.stats if lookout.source else None
        latencies = sorted((commit - frame) * 1000 for commit, frame in lookout.books.committed.values())
        last = stats.last_good_at if stats else None
        return CameraStatus(
            id=self._camera.id,
            title=self._camera.title or self._camera.id,
            health=self._ended or lookout.picture,
            recognition=lookout.recognition,
            detail=self._detail or lookout.trouble or (stats.detail if stats else ""),
            width=stats.size[0] if stats else 0,
            height=stats.size[1] if stats else 0,
            fps=stats.fps if stats else 0.0,
            read=lookout.base.read + (stats.read if stats else 0),
            processed=place.processed,
            dropped=lookout.base.dropped + (stats.dropped if stats else 0),
            stale=place.stale + (stats.stale if stats else 0),
            reconnects=stats.reconnects if stats else 0,
            detections=place.detections,
            embeddings=place.embeddings,
            transits=place.transits,
            alerts=place.alerts,
            last_frame_age_s=time.time() - last if last else None,
            latency_p95_ms=latencies[int(0.95 * (len(latencies) - 1))] if latencies else None,
        )
