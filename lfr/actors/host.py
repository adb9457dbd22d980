"""Facts about one machine and its processes, read from the kernel: what is memory, what is disk, what may be dumped.

Rule D4 (no face outlives its second, none reaches a disk) rests on these facts, so they come from the running kernel
(`statfs`, /proc), never from a configuration that says what ought to be. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import stat
from contextlib import suppress
from pathlib import Path

# linux/magic.h: tmpfs, ramfs, hugetlbfs. tmpfs can be swapped out, which is why swap is looked at as well.
_MEMORY_FILESYSTEMS = {0x01021994, 0x858458F6, 0x958458F6}
_PROC = Path("/proc")
_BLOCK = Path("/sys/block")


def in_memory(path: Path) -> bool:
    """Whether a path, /proc/PID/fd links included, lies on a file system that is kept in memory.

    Raises OSError if there is no such path.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    answer = ctypes.create_string_buffer(256)
    if libc.statfs(os.fsencode(path), answer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    kind = ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF
    return kind in _MEMORY_FILESYSTEMS


def free_bytes(path: Path) -> int:
    """Bytes still free on the file system of a path, for an ordinary user. Raises OSError."""
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize


def swaps() -> tuple[str, ...]:
    """The swap devices and files in use that lie on a disk; none when swap is off or only compresses memory (zram)."""
    lines = (_PROC / "swaps").read_text().splitlines()[1:]
    names = (line.split()[0] for line in lines if line.strip())
    return tuple(name for name in names if not _is_compressed_memory(name))


def _is_compressed_memory(swap: str) -> bool:
    # A zram device may still be told to write pages to a disk; a kernel that cannot do so lacks the file.
    name = Path(swap).name
    if not swap.startswith("/dev/zram"):
        return False
    backing = _BLOCK / name / "backing_dev"
    return not backing.exists() or backing.read_text().strip() == "none"


def closed_to_others(path: Path) -> bool:
    """Whether a folder on the way to `path` is its owner's alone, so that no other user gets at anything below it.

    Raises OSError if there is no such path.
    """
    whole = path.resolve(strict=True)
    return any(each.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) == 0 for each in (whole, *whole.parents))


def listens(address: str, *, timeout_s: float = 5.0) -> bool:
    """Whether anybody listens at `host:port`."""
    name, _, port = address.rpartition(":")
    try:
        with socket.create_connection((name.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, ValueError):
        return False


def forbid_core_dumps() -> None:
    """No process from here on, nor any it starts, may leave its memory in a core file.

    The limit alone does not hold where the kernel pipes cores to a program (core_pattern starting with `|`): it is not
    asked then. An empty coredump_filter, inherited like the limit, leaves such a core without a single page of data.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    (_PROC / "self" / "coredump_filter").write_text("0")


def core_dumps(pid: int | None = None) -> str:
    """Why a process (None: this one) could leave a core with data in it; empty when it cannot. Raises OSError."""
    base = _PROC / ("self" if pid is None else str(pid))
    limits = next(line for line in (base / "limits").read_text().splitlines() if line.startswith("Max core file size"))
    soft, hard = limits.split()[4:6]
    if (soft, hard) != ("0", "0"):
        return f"RLIMIT_CORE is {soft}/{hard}"
    piped = (_PROC / "sys" / "kernel" / "core_pattern").read_text().startswith("|")
    if piped and int((base / "coredump_filter").read_text(), 16) != 0:
        return "cores are piped to a program, and coredump_filter is not empty"
    return ""


def arguments(pid: int) -> list[str]:
    """A process's command line. Raises OSError when it is gone or somebody else's."""
    return (_PROC / str(pid) / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")


def environment(pid: int) -> dict[str, str]:
    """The environment a process was started with. Raises OSError when it is gone or somebody else's."""
    raw = (_PROC / str(pid) / "environ").read_bytes().decode(errors="replace")
    return dict(pair.split("=", 1) for pair in raw.split("\0") if "=" in pair)


def command(pid: int) -> str:
    """The short name of a process, as the kernel keeps it. Raises OSError."""
    return (_PROC / str(pid) / "comm").read_text().strip()


def parent(pid: int) -> int:
    """The parent's id. Raises OSError."""
    return int(_fields(pid)[1])


def started(pid: int) -> int:
    """When a process was started, in clock ticks since boot; with the id it names one process. Raises OSError."""
    return int(_fields(pid)[19])


def _fields(pid: int) -> list[str]:
    # The name in brackets may itself hold brackets and blanks, so the fields are counted behind the last one.
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def own_processes() -> list[int]:
    """The ids of this user's processes, those that ended but were not yet collected left out."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it may end while we look
                if entry.stat().st_uid == os.getuid() and _fields(int(entry.name))[0] != "Z":
                    found.append(int(entry.name))
    return sorted(found)


def open_paths(pid: int) -> dict[int, str]:
    """What a process holds open: file descriptor -> path, ` (deleted)` included. Raises OSError."""
    held: dict[int, str] = {}
    for link in (_PROC / str(pid) / "fd").iterdir():
        try:
            held[int(link.name)] = str(link.readlink())
        except OSError:
            continue
    return held


def disk_files_written(pid: int) -> list[str]:
    """The regular files on a disk that a process holds open for writing, deleted ones included. Raises OSError."""
    base = _PROC / str(pid)
    found = []
    for number, path in open_paths(pid).items():
        link = base / "fd" / str(number)
        try:
            flags = next(x for x in (base / "fdinfo" / str(number)).read_text().splitlines() if x.startswith("flags:"))
            writes = int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
            if writes and stat.S_ISREG(link.stat().st_mode) and not in_memory(link):
                found.append(path)
        except OSError:
            continue  # closed while we looked
    return sorted(found)
