"""The library's own path over a face set: the loop a user would write on every picture, and its most central face."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lfr.domain.faces import Templates
from lfr.evaluation.files import read_picture
from lfr.evaluation.loops import open_loop
from lfr.vision.packs import LocatedPack


@dataclass(frozen=True, slots=True)
class BaselineSet:
    """As Embedded, by the loop. name: of the loop. seconds: wall time of the pictures alone."""

    name: str
    templates: Templates
    seen: NDArray[np.bool_]
    seconds: float


def embed_baseline(located: LocatedPack, pictures: Sequence[Path], progress: Callable[[int, int], None]) -> BaselineSet:
    """One template for each picture; a picture without a face has none. Raises what open_loop raises."""
    loop = open_loop(located, os.cpu_count() or 1)
    templates: Templates = np.zeros((len(pictures), located.pack.recogniser.dim), np.float32)
    seen = np.zeros(len(pictures), np.bool_)
    started = time.perf_counter()
    try:
        for place, path in enumerate(pictures):
            image = read_picture(path)
            faces = loop.faces(image) if image is not None else []
            if image is not None and faces:
                height, width = image.shape[:2]
                middle = [np.hypot(f.centre[0] / width - 0.5, f.centre[1] / height - 0.5) for f in faces]
                templates[place] = faces[int(np.argmin(middle))].template
                seen[place] = True
            progress(place + 1, len(pictures))
        return BaselineSet(loop.name, templates, seen, time.perf_counter() - started)
    finally:
        loop.close()
