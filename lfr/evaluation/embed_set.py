"""Templates of a face set's pictures, by enrolment's own path: find, look again, cut, embed. In memory only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Image, Templates
from lfr.domain.packs import Pack
from lfr.evaluation.files import read_picture
from lfr.vision import quality
from lfr.vision.align import cut
from lfr.vision.engine.base import FaceEngine
from lfr.vision.stills import central_face, find_faces

_BATCH = 32
_SEEN, _UNREADABLE, _FACELESS = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of each picture, in the order given.

    templates: float32 (pictures, dim), zero without a face. seen: bool (pictures,). unreadable, faceless: indices.
    several: pictures with more than one face (the most central was taken). too_small, too_blurred: pictures with a
    face that enrolment would refuse by the pack's floors; they are evaluated all the same. seconds: wall time.
    """

    templates: Templates
    seen: NDArray[np.bool_]
    unreadable: tuple[int, ...]
    faceless: tuple[int, ...]
    several: int
    too_small: int
    too_blurred: int
    seconds: float


def embed_set(
    engines: Sequence[FaceEngine], pack: Pack, pictures: Sequence[Path], progress: Callable[[int, int], None]
) -> Embedded:
    """Find and embed the most central face of each picture. engines: of this pack; each works in a thread of its own.

    It is given pictures, never whose they are or which group anybody belongs to (I5).
    """
    started = time.perf_counter()
    total = len(pictures)
    work = _Work(pack, pictures)
    idle: SimpleQueue[FaceEngine] = SimpleQueue()
    for engine in engines:
        idle.put(engine)

    def batch(start: int) -> int:
        engine = idle.get()
        try:
            return work.do(engine, range(start, min(start + _BATCH, total)))
        finally:
            idle.put(engine)

    done = 0
    with ThreadPoolExecutor(len(engines)) as pool:
        for finished in as_completed([pool.submit(batch, start) for start in range(0, total, _BATCH)]):
            done += finished.result()
            progress(done, total)
    return work.result(time.perf_counter() - started)


class _Work:
    """The arrays that the threads fill, each at places of its own."""

    def __init__(self, pack: Pack, pictures: Sequence[Path]) -> None:
        count = len(pictures)
        self._pack, self._pictures = pack, pictures
        self._templates: Templates = np.zeros((count, pack.recogniser.dim), np.float32)
        self._state = np.full(count, _FACELESS, np.int8)
        self._several = np.zeros(count, np.bool_)
        self._small = np.zeros(count, np.bool_)
        self._blurred = np.zeros(count, np.bool_)

    def do(self, engine: FaceEngine, places: range) -> int:
        seen: list[int] = []
        crops: list[Image] = []
        for place in places:
            crop = self._crop(engine, place)
            if crop is not None:
                seen.append(place)
                crops.append(crop)
        if seen:
            block = np.stack(crops)
            self._templates[seen] = engine.embed(block)
            block.fill(0)
        return len(places)

    def _crop(self, engine: FaceEngine, place: int) -> Image | None:
        image = read_picture(self._pictures[place])
        if image is None:
            self._state[place] = _UNREADABLE
            return None
        height, width = image.shape[:2]
        faces = find_faces(engine, image)
        if not len(faces):
            return None
        face = faces.select(np.array([central_face(faces, width, height)]))
        alignment, floors = self._pack.recogniser.alignment, self._pack.quality
        crop: Image = cut(image, face.points, alignment)[0]
        self._state[place] = _SEEN
        self._several[place] = len(faces) > 1
        self._small[place] = quality.geometry(face, alignment, width, height).face_px[0] < floors.enrol_face_px
        self._blurred[place] = quality.sharpness(crop) < floors.enrol_min_sharpness
        return crop

    def result(self, seconds: float) -> Embedded:
        return Embedded(
            templates=self._templates,
            seen=self._state == _SEEN,
            unreadable=tuple(np.flatnonzero(self._state == _UNREADABLE).tolist()),
            faceless=tuple(np.flatnonzero(self._state == _FACELESS).tolist()),
            several=int(self._several.sum()),
            too_small=int(self._small.sum()),
            too_blurred=int(self._blurred.sum()),
            seconds=seconds,
        )
