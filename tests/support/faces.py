"""Small labelled sets of painted markers, and templates made up outright, for evaluation without a real face."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lfr.evaluation.labelled_set import LabelledSet
from lfr.vision.engine.double import paint


def painted_picture(identity: int | None, place: int = 0) -> bytes:
    """An encoded portrait of a marker a little off its middle; without an identity nobody is in it."""
    image = np.full((160, 160, 3), 90, np.uint8)
    if identity is not None:
        paint(image, identity, 45 + place % 5, 45 + place // 5, 70)
    return bytes(cv2.imencode(".png", image)[1])


def painted_set(folder: Path, pictures: dict[str, list[int | None]]) -> Path:
    """A folder for each person, a picture for each identity named (None: a picture without a face)."""
    for name, identities in pictures.items():
        (folder / name).mkdir(parents=True)
        for place, identity in enumerate(identities):
            (folder / name / f"{place + 1}.png").write_bytes(painted_picture(identity, place))
    return folder


def made_up(counts: list[int], *, noise: float, dim: int = 32, seed: int = 0) -> tuple[LabelledSet, np.ndarray]:
    """A set that only exists in memory: people with so many pictures each, whose templates scatter by `noise`."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(counts)), counts)
    centres = rng.normal(size=(len(counts), dim))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    templates = centres[owner] + noise * rng.normal(size=(len(owner), dim)) / np.sqrt(dim)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    people = tuple(f"p{number:04d}" for number in range(len(counts)))
    paths = tuple(
        Path(name) / f"{place + 1}.png" for name, count in zip(people, counts, strict=True) for place in range(count)
    )
    return LabelledSet(people, paths, owner.astype(np.int64)), templates.astype(np.float32)
