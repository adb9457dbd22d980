"""Putting model files into the user's cache: found by hash in a file, folder or zip, copied, verified, then renamed.

Nothing half-written is ever seen: files are completed in a folder of their own on the same disk and moved when all of
them have the right hash. A pack whose licence is for research only goes in only with its licence accepted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from lfr import log
from lfr.domain.errors import LicenceRefused, ModelCorrupt, ModelError, ModelMissing
from lfr.domain.packs import Pack
from lfr.vision.packs import cache_root, pack_files

MAX_FILE = 1 << 30
"""Bytes of the largest model file taken from anywhere: a zip's own figures are not believed."""

Progress = Callable[[str, int, int], None]
"""Told (what, bytes done, bytes in total or 0)."""

_SUFFIXES = {".onnx", ".dat"}
_BLOCK = 1 << 20
_logger = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file's bytes are: a path, or a member of the zip at that path."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """The bare file name."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    @contextlib.contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The bytes. Raises OSError, or ModelCorrupt for a broken or encrypted zip."""
        if not self.member:
            with self.path.open("rb") as stream:
                yield stream
            return
        with _zip(self.path) as archive, archive.open(self.member) as stream:
            yield stream


@dataclass(frozen=True, slots=True)
class Match:
    """Files found for one pack, by the name they have in it. missing: those it still lacks."""

    pack: Pack
    files: Mapping[str, Origin]
    missing: tuple[str, ...]


def find_models(path: Path, packs: Iterable[Pack]) -> list[Match]:
    """What a file, folder or zip holds for these packs, by hash whatever the files are called.

    Raises ModelMissing when the path is not there or holds nothing for them, ModelCorrupt for an unsafe zip, or when a
    file has a pack's name but another hash and nothing else fits.
    """
    packs = list(packs)
    origins = list(_origins(path))
    hashes: dict[str, Origin] = {}
    for origin in origins:
        hashes.setdefault(_digest(origin), origin)
    matches = []
    for pack in packs:
        wanted = pack_files(pack)
        found = {item.file: hashes[item.sha256] for item in wanted if item.sha256 in hashes}
        if found:
            matches.append(Match(pack, found, tuple(item.file for item in wanted if item.file not in found)))
    if not matches:
        raise _nothing(path, packs, {origin.name: digest for digest, origin in hashes.items()})
    return matches


def install(pack: Pack, files: Mapping[str, Origin], *, accepted: bool, progress: Progress | None = None) -> Path:
    """Copy a pack's files into the cache; the folder they are in.

    Raises LicenceRefused when the pack is for research and its licence was not accepted, ModelCorrupt when a copy's
    hash is wrong, ModelError when the disk does not take it. Then nothing has changed.
    """
    require_licence(pack, accepted=accepted)
    hashes = {item.file: item.sha256 for item in pack_files(pack)}
    with staging() as folder:
        for file, origin in files.items():
            _copy(origin, folder / file, hashes[file], progress)
        target = cache_root() / pack.name
        try:
            target.mkdir(parents=True, exist_ok=True)
            for file in files:
                (folder / file).replace(target / file)
            _note_licence(pack, folder, target)
        except OSError as error:
            raise ModelError(
                f"cannot write to {target}: {error.strerror}", hint="check space and permissions"
            ) from error
    _logger.info("models.installed", pack=pack.name, files=sorted(files))
    return target


def require_licence(pack: Pack, *, accepted: bool) -> None:
    """Raise LicenceRefused for a research-only pack whose licence was not accepted."""
    if pack.use == "research" and not accepted:
        raise LicenceRefused(
            f"the licence of pack {pack.name} was not accepted: {pack.licence.name}",
            hint="read it and say yes, or give --accept-licence",
        )


@contextlib.contextmanager
def staging() -> Iterator[Path]:
    """A fresh folder on the cache's disk but outside every root, removed at the end. Raises ModelError."""
    parent = cache_root().parent / "incoming"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent))
    except OSError as error:
        raise ModelError(f"cannot write to {parent}: {error.strerror}", hint="check space and permissions") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _origins(path: Path) -> Iterator[Origin]:
    if path.is_dir():
        for found in sorted(path.rglob("*")):
            if found.suffix in _SUFFIXES and found.is_file():
                yield Origin(found)
        for found in sorted(path.glob("*.zip")):
            yield from _members(found)
    elif path.suffix == ".zip" and path.is_file():
        yield from _members(path)
    elif path.is_file():
        yield Origin(path)
    else:
        raise ModelMissing(f"no file or folder {path}", hint="give a model file, a folder of them, or a zip")


def _members(path: Path) -> list[Origin]:
    """The model files in a zip. Raises ModelCorrupt when a name leads out of it, a link is in it, or it is broken."""
    origins = []
    with _zip(path) as archive:
        for entry in archive.infolist():
            place = PurePosixPath(entry.filename.replace("\\", "/"))
            unsafe = place.is_absolute() or ".." in place.parts or stat.S_ISLNK(entry.external_attr >> 16)
            if unsafe:
                raise ModelCorrupt(
                    f"{path}: unsafe entry in the zip", hint="do not use this file: ask where it is from"
                )
            if place.suffix in _SUFFIXES and not entry.is_dir():
                origins.append(Origin(path, entry.filename))
    return origins


@contextlib.contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelCorrupt(f"{path} is no readable zip: {error}", hint="fetch it again") from error


def _blocks(stream: IO[bytes], origin: Origin) -> Iterator[bytes]:
    done = 0
    while block := stream.read(_BLOCK):
        done += len(block)
        if done > MAX_FILE:
            raise ModelCorrupt(f"{origin} is larger than {MAX_FILE >> 20} MB: no model of ours", hint="check the file")
        yield block


def _digest(origin: Origin) -> str:
    digest = hashlib.sha256()
    try:
        with origin.open() as stream:
            for block in _blocks(stream, origin):
                digest.update(block)
    except OSError as error:
        raise ModelError(f"cannot read {origin}: {error.strerror}", hint="check permissions") from error
    return digest.hexdigest()


def _copy(origin: Origin, target: Path, sha256: str, progress: Progress | None) -> None:
    digest, done = hashlib.sha256(), 0
    try:
        with origin.open() as stream, target.open("wb") as out:
            for block in _blocks(stream, origin):
                digest.update(block)
                out.write(block)
                done += len(block)
                if progress:
                    progress(target.name, done, 0)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise ModelError(f"cannot copy {origin}: {error.strerror}", hint="check space and permissions") from error
    if digest.hexdigest() != sha256:
        raise ModelCorrupt(f"{origin} has sha256 {digest.hexdigest()}, expected {sha256}", hint="fetch it again")


def _note_licence(pack: Pack, folder: Path, target: Path) -> None:
    """Beside the files: what was agreed to, and when."""
    note = {"pack": pack.name, "use": pack.use, "licence": pack.licence, "accepted_at": datetime.now(UTC)}
    draft = folder / "licence.json"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(note)))
    draft.replace(target / "licence.json")


def _nothing(path: Path, packs: Sequence[Pack], digests: Mapping[str, str]) -> ModelError:
    named = {item.file: item.sha256 for pack in packs for item in pack_files(pack)}
    for name, digest in digests.items():
        if name in named:
            return ModelCorrupt(
                f"{path}: {name} has sha256 {digest}, expected {named[name]}",
                hint="it is another version or damaged: fetch it again",
            )
    names = ", ".join(pack.name for pack in packs)
    return ModelMissing(
        f"{path} holds no model file of {names}", hint="files are known by their hash: `lfr models list`"
    )
