"""A labelled face set: one folder for each person, pictures inside. What is wrong with it is counted, never dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lfr.domain.errors import SourceError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True)
class LabelledSet:
    """People and their pictures, both in the order of their names, and nothing of their groups (I5).

    owner: int64 (pictures,), index into people. empty: folders without a picture. other_files: not pictures by their
    names, or outside of any person's folder.
    """

    people: tuple[str, ...]
    pictures: tuple[Path, ...]
    owner: NDArray[np.int64]
    empty: tuple[str, ...] = ()
    other_files: int = 0

    @cached_property
    def per_person(self) -> NDArray[np.int64]:
        """How many pictures each person has: int64 (people,)."""
        return np.bincount(self.owner, minlength=len(self.people)).astype(np.int64)

    @cached_property
    def rows(self) -> tuple[NDArray[np.int64], ...]:
        """Indices of each person's pictures."""
        ends = np.cumsum(self.per_person)
        return tuple(np.arange(end - count, end) for end, count in zip(ends, self.per_person, strict=True))

    @property
    def single(self) -> int:
        """People with one picture: they can only be strangers to a list."""
        return int((self.per_person == 1).sum())


def read_set(folder: Path) -> LabelledSet:
    """List the pictures of a folder of folders. No picture is opened. Raises SourceError if there is none."""
    if not folder.is_dir():
        raise SourceError(f"no folder {folder}", hint="give a folder with one folder for each person")
    people: list[str] = []
    pictures: list[Path] = []
    owner: list[int] = []
    empty: list[str] = []
    other = 0
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir():
            other += 1
            continue
        files = [path for path in sorted(entry.iterdir()) if path.is_file()]
        found = [path for path in files if path.suffix.lower() in SUFFIXES]
        other += len(files) - len(found)
        if not found:
            empty.append(entry.name)
            continue
        owner += [len(people)] * len(found)
        people.append(entry.name)
        pictures += found
    if not pictures:
        raise SourceError(f"no folders of pictures in {folder}", hint="one folder for each person, pictures inside")
    return LabelledSet(tuple(people), tuple(pictures), np.array(owner, np.int64), tuple(empty), other)


def same_files(pictures: Sequence[Path]) -> list[tuple[int, ...]]:
    """Indices of pictures whose files are equal byte by byte, one tuple for each such file."""
    sizes: dict[int, list[int]] = {}
    for index, path in enumerate(pictures):
        sizes.setdefault(path.stat().st_size, []).append(index)
    alike: dict[str, list[int]] = {}
    for indices in sizes.values():
        if len(indices) > 1:
            for index in indices:
                alike.setdefault(hashlib.sha256(pictures[index].read_bytes()).hexdigest(), []).append(index)
    return [tuple(found) for found in alike.values() if len(found) > 1]
