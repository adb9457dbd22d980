"""Searching for a canary: does a marker lie anywhere a disk could keep it?

Looks into files by path, into what given processes hold open (deleted files included), and into what they have mapped.
"""

import mmap
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from lfr.actors import host

_CHUNK = 1 << 22


def find_marker(
    marker: bytes,
    roots: Iterable[Path] = (),
    pids: Iterable[int] = (),
    *,
    memory: bool = False,
    since: float = 0.0,
) -> list[str]:
    """Every place the marker was found in, as words.

    memory: look at file systems in memory too; otherwise only at what lies on a disk. since: leave out files under the
    roots that were neither written nor made since that time (seconds since the epoch); open and mapped files never.
    A process that may not be read raises PermissionError: an unread one proves nothing.
    """
    if len(marker) < 16:
        raise ValueError("a short marker may be found by chance")
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    for path, shown in _candidates(roots, pids, since):
        try:
            facts = path.stat()
            if not stat.S_ISREG(facts.st_mode) or (facts.st_dev, facts.st_ino) in seen:
                continue
            if not memory and host.in_memory(path):
                continue
            seen.add((facts.st_dev, facts.st_ino))
            if _contains(path, marker):
                found.append(shown)
        except FileNotFoundError:
            continue  # gone while we looked, and the next search would not find it either
    return found


def _candidates(roots: Iterable[Path], pids: Iterable[int], since: float) -> Iterator[tuple[Path, str]]:
    for pid in pids:
        base = Path("/proc") / str(pid)
        try:
            for link in (base / "fd").iterdir():
                yield link, f"open in {host.command(pid)} ({pid}): {_target(link)}"
            for link in _shared_mappings(base):
                yield link, f"mapped by {host.command(pid)} ({pid}): {_target(link)}"
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended; its files are gone unless they lie under a root
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                try:
                    facts = path.lstat()
                except OSError:
                    continue
                if stat.S_ISREG(facts.st_mode) and max(facts.st_mtime, facts.st_ctime) >= since:
                    yield path, str(path)


def _shared_mappings(base: Path) -> Iterator[Path]:
    """Links to the files a process has mapped so that its writes reach them. Reading these links needs to be root."""
    for line in (base / "maps").read_text().splitlines():
        span, rights, _, _, inode, *_ = line.split(maxsplit=5)
        if rights.endswith("s") and inode != "0" and re.match(r"[r-]w", rights):
            link = base / "map_files" / span
            # An ordinary user is not shown these. Ray's store keeps each mapped file open, so `fd` shows it as well.
            if os.geteuid() == 0:
                yield link


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "?"


def _contains(path: Path, marker: bytes) -> bool:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                return view.find(marker) >= 0
    except PermissionError:
        return False  # somebody else's: no process of ours wrote there
    except (OSError, ValueError):
        return _contains_by_reading(path, marker)


def _contains_by_reading(path: Path, marker: bytes) -> bool:
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            if marker in tail + block:
                return True
            tail = block[-len(marker) :]
    return False
