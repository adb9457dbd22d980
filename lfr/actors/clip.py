"""A clip through the same actors as live, for measurement. The truth file never comes here: only clip and watchlist."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from lfr.actors.runtime import Runtime
from lfr.actors.standing_run import StandingRun
from lfr.config import Camera, Config, Matcher, RayNode
from lfr.domain.ages import Ages
from lfr.domain.alerts import AlertRecord
from lfr.evaluation.clip_run import ClipAlert, ClipPeak, ClipRun, Pace
from lfr.services import alerts, watchlist
from lfr.vision.packs import LocatedPack

_CAMERA = "clip"

Progress = Callable[[str, int, int], None]
"""What is being done (`enrol`, `run`), how much of it, of how much (0 = unknown)."""


async def run_clip(
    clip: Path,
    people: Sequence[tuple[str, Sequence[Path]]],
    located: LocatedPack,
    *,
    threshold: float | None,
    pace: Pace,
    progress: Progress = lambda *_: None,
) -> ClipRun:
    """Enrol `people` (label, pictures), run the clip to its end, and give back what came of it.

    Everything lies in a temporary folder that is removed afterwards. Raises LfrError: a clip that cannot be read, an
    actor that does not come back.
    """
    with tempfile.TemporaryDirectory(prefix="lfr-clip-") as folder:
        config = Config(
            name="clip",
            mode="research",
            pack=located.pack.name,
            cameras=(Camera(id=_CAMERA, url=str(clip), pace=pace, waits=True),),
            data_dir=folder,
            matcher=Matcher(threshold=threshold),
            ray=RayNode(store_mb=256),
            log_level="WARNING",
        )
        async with Runtime(config, located) as runtime:
            run = await StandingRun.open(runtime)
            labels = await _enrol(runtime, run.deployment_id, people, progress)
            await run.go_live()
            await runtime.cameras_done()
            return await _collect(runtime, run.deployment_id, labels, len(people), pace)


async def _enrol(
    runtime: Runtime, deployment_id: UUID, people: Sequence[tuple[str, Sequence[Path]]], progress: Progress
) -> dict[UUID, str]:
    labels: dict[UUID, str] = {}
    for done, (label, pictures) in enumerate(people, start=1):
        rows = await watchlist.enrol(
            runtime.db,
            runtime.vault,
            runtime.engine,
            deployment_id,
            runtime.pack,
            label,
            [(path.name, path.read_bytes() if path.is_file() else b"") for path in pictures],
            by="evaluation",
            policy=runtime.policy,
        )
        labels |= {row.entry_id: label for row in rows if row.enrolled and row.entry_id}
        progress("enrol", done, len(people))
    return labels


async def _collect(runtime: Runtime, deployment_id: UUID, labels: dict[UUID, str], entries: int, pace: Pace) -> ClipRun:
    crew = runtime.control.crew
    camera = await crew.cameras[_CAMERA].status.remote()
    others = [await actor.status.remote() for actor in crew.matchers.values()]
    pool = [await actor.status.remote() for actor in crew.pool.values()]
    ages = Ages.merged(answer["ages"] for answer in (camera, *others, *pool))
    raised = await alerts.list_alerts(runtime.db, deployment_id, limit=100_000)
    status, chosen = camera["camera"], others[0]["threshold"]
    return ClipRun(
        pace=pace,
        threshold=chosen.value,
        seconds=camera["seconds"],
        frames=status.read,
        frames_processed=status.processed,
        frames_dropped=status.dropped,
        detections=status.detections,
        embeddings=status.embeddings,
        transits=status.transits,
        enrolled=len(labels),
        enrol_failed=entries - len(labels),
        alerts=tuple(_alert(record, labels, camera["committed"]) for record in raised),
        peaks=tuple(_peaks(camera["peaks"], labels)),
        nonmatch_age_p95_ms=ages.percentile_ms(0.95),
        nonmatch_age_max_ms=ages.max_ms,
        threshold_basis=chosen.basis,
    )


def _alert(record: AlertRecord, labels: dict[UUID, str], commits: dict[UUID, float]) -> ClipAlert:
    # A camera that died meanwhile forgot when its alert was committed; the row's own time is a few ms before that.
    committed = commits.get(record.id, record.raised_at.timestamp())
    return ClipAlert(
        identity=labels[record.entry_id],
        frame=record.frame,
        score=record.score,
        threshold=record.threshold,
        gap=record.gap,
        latency_ms=(committed - record.frame_at.timestamp()) * 1000,
        first_shot_ms=(committed - record.first_shot_at.timestamp()) * 1000,
    )


def _peaks(found: dict[tuple[int, UUID], tuple[float, int]], labels: dict[UUID, str]) -> list[ClipPeak]:
    return [ClipPeak(labels[entry], frame, score) for (_, entry), (score, frame) in found.items() if entry in labels]
