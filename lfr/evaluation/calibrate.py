"""Calibrating a pack: how high unlisted people score, transit by transit, on faces that no scored clip shows.

Some people pass by as made transits, others are listed; the best fused score of each transit against each entry is one
comparison. `lfr.evaluation.tail` makes the curve of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lfr.domain.errors import SourceError
from lfr.domain.packs import Pack
from lfr.evaluation.embed_set import embed_set
from lfr.evaluation.made_transits import pass_by
from lfr.evaluation.tail import Tail
from lfr.vision.engine.base import FaceEngine


def identities(folder: Path, without: set[str]) -> list[Path]:
    """One picture of each person (folder per person) not named in `without`. Raises SourceError if there is none."""
    people = [d for d in sorted(folder.iterdir()) if d.is_dir() and d.name not in without]
    pictures = [found[0] for d in people if (found := sorted(p for p in d.iterdir() if p.is_file()))]
    if not pictures:
        raise SourceError(f"no folders of pictures in {folder}", hint="one folder for each person")
    return pictures


def measure(
    engines: Sequence[FaceEngine],
    pack: Pack,
    walkers: Sequence[Path],
    listed: Sequence[Path],
    seed: int,
    progress: Callable[[int, int], None],
) -> Tail:
    """Let `walkers` pass by and compare each with every one of `listed`. No walker may be listed.

    Raises SourceError on a file that is no picture.
    """
    enrolled = embed_set(engines, pack, listed, lambda *_: None)
    if enrolled.unreadable:
        name = listed[enrolled.unreadable[0]].name
        raise SourceError(f"{name} is no picture", hint="take it out of the folder")
    passages = pass_by(engines, pack, walkers, enrolled.templates[enrolled.seen], seed, progress)
    return Tail(passages.fused, passages.missed)
