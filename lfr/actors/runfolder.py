"""The run folder: the one place in memory where a Ray of ours keeps its session, sockets, logs, overflow and token.

One folder per Ray, straight under tmpfs (a Unix socket's whole path must fit into 107 bytes), 0700, with `owner.json`
saying whose it is. Ray opens its own folders, sockets included, to every user of the machine, so they lie one deeper.
It goes when that Ray stops; what a killed run left behind goes at the next start.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lfr import log
from lfr.actors import host
from lfr.domain.errors import NodeUnsafe

PREFIX = "lfr-ray-"
MARK = "LFR_RAY_FOLDER"
# /session_2026-11-23_18-52-00_123456_1234567/sockets/plasma_store is 64 bytes, and the kernel allows 107.
_LONGEST = 43
_log = log.get(__name__)


class Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process a run folder lives and dies with. address and node are empty for a Ray inside the driver."""

    pid: int
    started: int
    pid_namespace: str
    node: str = ""
    address: str = ""


@dataclass(frozen=True)
class RunFolder:
    """One Ray's folder in memory."""

    path: Path

    @property
    def session(self) -> Path:
        """What Ray calls its temporary directory: sessions with sockets and logs."""
        return self.path / "r"

    @property
    def spill(self) -> Path:
        """Where objects go that the store has no room for: unlinked mappings, in memory too."""
        return self.path / "over"

    @property
    def plasma(self) -> Path:
        """Where the object store's one mapping is made (and unlinked at once)."""
        return self.path / "store"

    @property
    def temporary(self) -> Path:
        """TMPDIR of every worker, so that no library's temporary file meets a disk."""
        return self.path / "tmp"

    @property
    def token(self) -> Path:
        """The token of a Ray of our own (a cluster's token has its own file)."""
        return self.path / "token"

    def own(self, pid: int, *, node: str = "", address: str = "") -> None:
        """Say whose folder this is, by an atomic rename. Raises OSError if there is no such process."""
        owner = Owner(pid, host.started(pid), _pid_namespace(), node, address)
        draft = self.path / "owner.new"
        draft.write_bytes(msgspec.json.encode(owner))
        draft.replace(self.path / "owner.json")

    def owner(self) -> Owner | None:
        """Whose folder this is; None if it does not say."""
        try:
            return msgspec.json.decode((self.path / "owner.json").read_bytes(), type=Owner)
        except (OSError, msgspec.DecodeError):
            return None

    def processes(self) -> list[int]:
        """The processes of this Ray: those started with the folder's mark in their environment, and their children.

        A driver that merely joined this Ray is not among them.
        """
        mine: set[int] = set()
        others = [pid for pid in host.own_processes() if pid != os.getpid()]
        for pid in others:
            with suppress(OSError):
                # Parents have lower ids than their children but for a wrap-around, and then the mark tells.
                if host.parent(pid) in mine or host.environment(pid).get(MARK) == str(self.path):
                    mine.add(pid)
        return sorted(mine)

    def end(self, *, grace_s: float = 10.0) -> None:
        """End what still runs of this Ray, politely at first, and remove the folder.

        The raylet goes first and the control store last: the other way round each waits for the other.
        """
        deadline = time.monotonic() + grace_s
        for wanted in (_is_raylet, _is_no_store, _is_anything):
            self._end(wanted, deadline)
        shutil.rmtree(self.path, ignore_errors=True)

    def _end(self, wanted: Callable[[int], bool], deadline: float) -> None:
        asked: set[int] = set()
        while left := {pid for pid in self.processes() if wanted(pid)}:
            overdue = time.monotonic() > deadline
            if time.monotonic() > deadline + 5.0:
                break  # not even SIGKILL: the kernel holds it
            _signal(left if overdue else left - asked, signal.SIGKILL if overdue else signal.SIGTERM)
            asked |= left
            time.sleep(0.05)


def require_memory(tmpfs: Path) -> None:
    """Raises NodeUnsafe if `tmpfs` is not in memory, or its path is too long for Ray's sockets."""
    try:
        memory = host.in_memory(tmpfs)
    except OSError as error:
        raise NodeUnsafe(f"cannot use {tmpfs}: {error.strerror}", hint="set ray.tmpfs to a mounted tmpfs") from error
    if not memory:
        raise NodeUnsafe(
            f"{tmpfs} is not in memory: Ray could write a face to a disk there",
            hint="set ray.tmpfs to a tmpfs, usually /dev/shm",
        )
    if len(os.fsencode(tmpfs.resolve())) + 1 + len(PREFIX) + 8 + 2 > _LONGEST:
        raise NodeUnsafe(f"{tmpfs} is too long a path for Ray's sockets", hint="mount the tmpfs at a shorter path")


def create(tmpfs: Path) -> RunFolder:
    """Make a new run folder, owned by this process for now.

    Raises NodeUnsafe as `require_memory` does, or if nothing can be written there.
    """
    require_memory(tmpfs)
    try:
        folder = RunFolder(Path(tempfile.mkdtemp(prefix=PREFIX, dir=tmpfs.resolve())))
        folder.own(os.getpid())
        for part in (folder.session, folder.spill, folder.plasma, folder.temporary):
            part.mkdir(mode=0o700)
    except OSError as error:
        raise NodeUnsafe(
            f"cannot write in {tmpfs}: {error.strerror}", hint="see its permissions and free space"
        ) from error
    return folder


def existing(tmpfs: Path) -> list[RunFolder]:
    """The run folders of this user, whoever owns them now."""
    found = []
    for path in sorted(tmpfs.glob(f"{PREFIX}*")):
        with suppress(OSError):
            facts = path.lstat()
            if path.is_dir() and not path.is_symlink() and facts.st_uid == os.getuid():
                found.append(RunFolder(path))
    return found


def clean_stale(tmpfs: Path) -> list[Path]:
    """Remove the folders of this user's runs whose owner is dead; returns them.

    A folder from another pid namespace (a container sharing /dev/shm) is left alone: from here its owner only looks
    dead. One that names no owner is left alone for a minute: it may just be being made.
    """
    removed = []
    for folder in existing(tmpfs):
        owner = folder.owner()
        if owner is None:
            with suppress(OSError):
                if time.time() - folder.path.lstat().st_mtime < 60:
                    continue
        elif owner.pid_namespace != _pid_namespace() or alive(owner):
            continue
        folder.end(grace_s=2.0)
        removed.append(folder.path)
        _log.info("ray.stale_folder_removed", folder=folder.path.name)
    return removed


def alive(owner: Owner) -> bool:
    """Whether that very process (not a later one of the same id) still runs."""
    try:
        return host.started(owner.pid) == owner.started and owner.pid in host.own_processes()
    except OSError:
        return False


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_raylet(pid: int) -> bool:
    return _command(pid) == "raylet"


def _is_no_store(pid: int) -> bool:
    return _command(pid) != "gcs_server"


def _is_anything(pid: int) -> bool:
    return bool(_command(pid))


def _command(pid: int) -> str:
    try:
        return host.command(pid)
    except OSError:
        return ""


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())
