"""What really happens in a test clip: who is on the watchlist and who walks where, frame by frame.

Only the scorer reads the tracks. A run is given no more than `Truth.enrolment`: which pictures to enrol under which
label, never who appears, where or when.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

import msgspec

from lfr.domain.errors import ConfigError
from lfr.evaluation.simulation.settings import Settings

Index = Annotated[int, msgspec.Meta(ge=0)]
Box = tuple[int, float, float, float, float, float, float]
"""frame, x, y, w, h, face_px, visible (share of the box inside the picture and not hidden)."""

_BOX_FIELDS = ("frame", "x", "y", "w", "h", "face_px", "visible")
_HINT = "the form is described in docs/evaluation.md"


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown keys are errors."""


class Entry(_Strict, frozen=True):
    """One watchlist entry. images: relative to the folder of faces. appears: for scoring only."""

    id: str
    images: tuple[str, ...]
    appears: bool = False


class Track(_Strict, frozen=True):
    """One person's passage. first_frame and last_frame are both inside."""

    track: int
    identity: str
    on_watchlist: bool
    first_frame: Index
    last_frame: Index
    boxes: tuple[Box, ...] = ()
    enrol: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    mode: str = ""
    min_face_px: float = 0.0
    max_face_px: float = 0.0


class Truth(_Strict, frozen=True):
    """One truth file. simulation: how a simulated clip was made."""

    frames: Index
    fps: float
    watchlist: tuple[Entry, ...]
    tracks: tuple[Track, ...]
    width: int = 0
    height: int = 0
    clip: str = ""
    seed: int = 0
    background: str = ""
    paths: str = ""
    box_fields: tuple[str, ...] = _BOX_FIELDS
    simulation: Settings | None = None

    @property
    def listed(self) -> tuple[Track, ...]:
        """The tracks of people on the watchlist."""
        return tuple(track for track in self.tracks if track.on_watchlist)

    def people(self) -> set[str]:
        """Everybody who is listed or seen, also by the folders of their pictures."""
        folders = {PurePosixPath(image).parts[0] for entry in self.watchlist for image in entry.images}
        return folders | {entry.id for entry in self.watchlist} | {track.identity for track in self.tracks}

    def enrolment(self, faces: Path) -> list[tuple[str, list[Path]]]:
        """What a run may know: labels and picture files. A picture that is missing is left to the enrolment to refuse.

        Raises ConfigError when the folder is missing or holds none of the pictures.
        """
        if not faces.is_dir():
            raise ConfigError(f"no folder {faces}", hint="give --faces the folder the truth's pictures are relative to")
        wanted = [(entry.id, [faces / image for image in entry.images]) for entry in self.watchlist]
        if wanted and not any(path.is_file() for _, paths in wanted for path in paths):
            raise ConfigError(
                f"{faces} holds none of the watchlist's pictures",
                hint="give --faces the folder the truth's pictures are relative to",
            )
        return wanted


def load_truth(path: Path) -> Truth:
    """Read a truth file. Raises ConfigError naming the file and what is wrong with it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read truth file {path}: {error.strerror}", hint="give --truth FILE.json") from error
    return parse_truth(raw, where=str(path))


def parse_truth(raw: bytes, *, where: str) -> Truth:
    """Decode and check a truth file's bytes. Raises ConfigError."""
    try:
        truth = msgspec.json.decode(raw, type=Truth)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", hint=_HINT) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: not valid JSON", hint=_HINT) from error
    wrong = _wrong(truth)
    if wrong:
        raise ConfigError(f"{where}: {wrong}", hint=_HINT)
    return truth


def _wrong(truth: Truth) -> str:
    if truth.box_fields != _BOX_FIELDS:
        return f"box_fields are {', '.join(truth.box_fields)}, must be {', '.join(_BOX_FIELDS)}"
    ids = [entry.id for entry in truth.watchlist]
    if len(set(ids)) != len(ids):
        return "an entry's id stands in the watchlist twice"
    for entry in truth.watchlist:
        if not entry.images:
            return "an entry has no images"
        for image in entry.images:
            place = PurePosixPath(image)
            if place.is_absolute() or ".." in place.parts:
                return "an image's path leaves the folder of faces"
    for track in truth.tracks:
        if not track.first_frame <= track.last_frame < truth.frames:
            return f"track {track.track} runs from {track.first_frame} to {track.last_frame} of {truth.frames} frames"
        if track.on_watchlist != (track.identity in set(ids)):
            return f"track {track.track}: on_watchlist does not fit the watchlist"
    return ""
