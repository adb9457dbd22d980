"""Who is in a folder of pictures: a folder for each person, or a picture for each, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lfr.domain.errors import SourceError
from lfr.vision.source.folder import SUFFIXES


@dataclass(frozen=True, slots=True)
class Person:
    """One identity. pictures: relative to the folder of faces, sorted, with / between their parts."""

    name: str
    pictures: tuple[str, ...]


def people_in(folder: Path) -> list[Person]:
    """Everybody in the folder, by name: a sub-folder is one person, and so is a picture that lies loose.

    Raises SourceError: no such folder, one that cannot be read, or none with a picture in it.
    """
    found: dict[str, list[str]] = {}
    try:
        for entry in sorted(folder.iterdir()):
            if entry.is_dir():
                pictures = [f"{entry.name}/{name}" for name in _pictures(entry.iterdir())]
                if pictures:
                    found.setdefault(entry.name, []).extend(pictures)
        for name in _pictures(folder.iterdir()):
            found.setdefault(Path(name).stem, []).append(name)
    except OSError as error:
        raise SourceError(
            f"{folder}: {(error.strerror or 'cannot be read').lower()}", hint="give a folder of face pictures"
        ) from error
    if not found:
        raise SourceError(
            f"{folder}: there is no picture in this folder", hint="one folder for each person, or one picture for each"
        )
    return [Person(name, tuple(sorted(pictures))) for name, pictures in sorted(found.items())]


def _pictures(entries: Iterable[Path]) -> list[str]:
    return sorted(entry.name for entry in entries if entry.suffix.lower() in SUFFIXES and entry.is_file())
