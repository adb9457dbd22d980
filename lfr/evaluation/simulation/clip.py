"""Writing a simulated clip and its truth: both or neither, and never half of one."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec

from lfr.domain.errors import SourceError, StorageError
from lfr.domain.faces import Image
from lfr.evaluation.simulation.boxes import frame_boxes
from lfr.evaluation.simulation.cast import Cast
from lfr.evaluation.simulation.plan import Plan
from lfr.evaluation.simulation.stage import Stage
from lfr.evaluation.truth import Box, Entry, Track, Truth

_AHEAD = 8  # frames drawn before they are wanted
_LEAST_FREE = 4 << 20
_EVERY = 50  # frames between two looks at the disk

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What was made. seconds: of the wall clock, drawing and encoding."""

    clip: Path
    truth_file: Path
    truth: Truth
    seconds: float


def truth_of(plan: Plan, cast: Cast, name: str) -> Truth:
    """What really happens in the clip. Whoever is never seen has no track, and does not appear."""
    settings = plan.settings
    seen: dict[int, list[Box]] = {}
    for index in range(settings.frames):
        for number, box in frame_boxes(plan, cast.walkers, index).items():
            seen.setdefault(number, []).append(box)
    tracks = tuple(_track(plan, cast, number, boxes) for number, boxes in sorted(seen.items()))
    present = {track.identity for track in tracks}
    return Truth(
        frames=settings.frames,
        fps=settings.fps,
        watchlist=tuple(Entry(entry.id, entry.images, entry.id in present) for entry in cast.entries),
        tracks=tracks,
        width=settings.width,
        height=settings.height,
        clip=name,
        seed=settings.seed,
        background="street",
        paths="relative to the faces folder",
        simulation=settings,
    )


def _track(plan: Plan, cast: Cast, number: int, boxes: list[Box]) -> Track:
    walker = cast.walkers[number]
    sizes = [box[5] for box in boxes]
    return Track(
        track=number,
        identity=walker.identity,
        on_watchlist=bool(walker.enrol),
        first_frame=boxes[0][0],
        last_frame=boxes[-1][0],
        boxes=tuple(boxes),
        enrol=walker.enrol,
        probes=walker.probes,
        mode=plan.walks[number].path.way,
        min_face_px=min(sizes),
        max_face_px=max(sizes),
    )


def require_place(out: Path) -> Path:
    """The place for the truth beside the clip. Raises StorageError when nothing can be written there."""
    if out.suffix.lower() != ".mp4":
        raise StorageError(f"{out.name}: a simulated clip is an MP4 file", hint="give --out CLIP.mp4")
    truth = out.with_suffix(".json")
    folder = out.parent
    if not folder.is_dir():
        raise StorageError(f"{out}: there is no folder {folder}", hint="make it first, or give another --out")
    if not os.access(folder, os.W_OK | os.X_OK) or out.is_dir() or truth.is_dir():
        raise StorageError(f"{out}: cannot be written", hint="check its rights, or give another --out")
    return truth


def write_clip(out: Path, plan: Plan, cast: Cast, progress: Progress = lambda *_: None) -> Written:
    """Draw and encode the clip, then put it and its truth in their places.

    Raises StorageError when the place cannot be written or the disk is full; then nothing has changed.
    """
    truth_file = require_place(out)
    started = time.perf_counter()
    truth = truth_of(plan, cast, out.name)
    try:
        with tempfile.TemporaryDirectory(prefix=".lfr-simulate-", dir=out.parent) as folder:
            made = Path(folder) / out.name
            _encode(made, plan, cast, progress)
            written = made.with_suffix(".json")
            written.write_bytes(msgspec.json.encode(truth) + b"\n")
            # The clip last: a truth without its clip says nothing wrong, a clip without its truth is of no use.
            written.replace(truth_file)
            made.replace(out)
    except OSError as error:
        raise _unwritable(out, error) from error
    return Written(out, truth_file, truth, time.perf_counter() - started)


def _encode(path: Path, plan: Plan, cast: Cast, progress: Progress) -> None:
    settings = plan.settings
    size = (settings.width, settings.height)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), settings.fps, size)
    if not writer.isOpened():
        raise SourceError(
            f"no {settings.width}x{settings.height} video can be encoded here", hint="try another --size or --fps"
        )
    try:
        for index, frame in enumerate(_drawn(Stage(plan, cast.walkers), settings.frames)):
            if index % _EVERY == 0 and shutil.disk_usage(path.parent).free < _LEAST_FREE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            writer.write(frame)
            progress(index + 1, settings.frames)
    finally:
        writer.release()
    _require_whole(path, settings.frames)


def _drawn(stage: Stage, frames: int) -> Iterator[Image]:
    """All frames in order, drawn ahead on every core."""
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="draw") as pool:
        waiting: deque[Future[Image]] = deque()
        try:
            for index in range(frames):
                waiting.append(pool.submit(stage.render, index))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _require_whole(path: Path, frames: int) -> None:
    """OpenCV does not say when a write fails: what was written is asked. Raises OSError."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        found = round(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    finally:
        capture.release()
    if found != frames:
        full = shutil.disk_usage(path.parent).free < _LEAST_FREE
        number = errno.ENOSPC if full else errno.EIO
        raise OSError(number, os.strerror(number))


def _unwritable(out: Path, error: OSError) -> StorageError:
    if error.errno == errno.ENOSPC:
        return StorageError(f"{out}: the disk is full", hint="make room; nothing half-written was kept")
    words = "not all of it could be written" if error.errno == errno.EIO else (error.strerror or "cannot be written")
    return StorageError(f"{out}: {words.lower()}", hint="check its rights and space; nothing half-written was kept")
