"""The baseline: the loop a user would write, run over a clip. Every frame, best entry per face, one alert per identity.

It knows what our run knows: labels and pictures to enrol, nothing of the tracks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Metric
from lfr.evaluation.clip_frames import Ticker, fastest, frames
from lfr.evaluation.files import read_picture
from lfr.evaluation.loops import Loop, open_loop
from lfr.vision.packs import LocatedPack

_PREFIX, _EVERY = 200, 8  # thread counts are tried on every eighth of the first frames: a clip may begin empty


@dataclass(frozen=True, slots=True)
class BaselineRun:
    """What the loop gave. seconds: first read to last frame done, without start-up and enrolment.

    records: for each identity, (frame, score) each time its best score so far was beaten.
    """

    name: str
    threads: int
    frames: int
    seconds: float
    faces: int
    enrolled: int
    records: dict[str, list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class _Gallery:
    labels: tuple[str, ...]
    templates: NDArray[np.float32]
    metric: Metric

    def best(self, template: NDArray[np.float32]) -> tuple[str, float] | None:
        """The nearest entry and its score; higher is more alike."""
        if not self.labels:
            return None
        if self.metric == "cosine":
            scores = self.templates @ template
        else:
            scores = 1.0 - np.linalg.norm(self.templates - template, axis=1)
        place = int(scores.argmax())
        return self.labels[place], float(scores[place])


def run_baseline(clip: Path, watchlist: Sequence[tuple[str, Sequence[Path]]], located: LocatedPack) -> BaselineRun:
    """Run the loop over the whole clip with its best thread count. Raises SourceError, ConfigError."""
    cores = os.cpu_count() or 1
    alone = located.pack.engine == "dlib" or cores < 2
    threads = fastest([1] if alone else [1, cores], lambda count: _prefix_seconds(clip, located, count))
    loop = open_loop(located, threads)
    try:
        gallery = _enrol(loop, watchlist, located.pack.recogniser.metric)
        return _run(clip, loop, gallery, threads)
    finally:
        loop.close()


def _run(clip: Path, loop: Loop, gallery: _Gallery, threads: int) -> BaselineRun:
    ticker = Ticker(f"baseline {loop.name}")
    records: dict[str, list[tuple[int, float]]] = {}
    count = faces = 0
    started = time.perf_counter()
    for index, image in frames(clip):
        count = index + 1
        for face in loop.faces(image) if image is not None else ():
            faces += 1
            best = gallery.best(face.template)
            if best is not None:
                _record(records.setdefault(best[0], []), index, best[1])
        ticker.tell(index)
    seconds = time.perf_counter() - started
    return BaselineRun(loop.name, threads, count, seconds, faces, len(set(gallery.labels)), records)


def _record(beaten: list[tuple[int, float]], frame: int, score: float) -> None:
    if not beaten or score > beaten[-1][1]:
        beaten.append((frame, score))


def _prefix_seconds(clip: Path, located: LocatedPack, threads: int) -> float:
    wanted = frames(clip, wanted=lambda index: index % _EVERY == 0, limit=_PREFIX)
    pictures = [image for _, image in wanted if image is not None]
    loop = open_loop(located, threads)
    try:
        for image in pictures[:2]:  # warm up
            loop.faces(image)
        started = time.perf_counter()
        for image in pictures:
            loop.faces(image)
        return time.perf_counter() - started
    finally:
        loop.close()


def _enrol(loop: Loop, watchlist: Sequence[tuple[str, Sequence[Path]]], metric: Metric) -> _Gallery:
    """The largest face of each picture; a picture without one is passed over, as a user's loop would."""
    labels: list[str] = []
    templates: list[NDArray[np.float32]] = []
    for label, paths in watchlist:
        for path in paths:
            faces = loop.faces(picture) if (picture := read_picture(path)) is not None else []
            if faces:
                labels.append(label)
                templates.append(max(faces, key=lambda face: face.area).template)
    return _Gallery(tuple(labels), np.array(templates, np.float32), metric)
