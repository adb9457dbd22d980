"""Overwrite a face where it lies in Ray's object store, for every process at once (D4: overwritten, not forgotten).

An array from `ray.get` is a read-only view, yet the memory below it is one mapping that all of a node's processes share
and may write. Releasing the reference only frees the space: the bytes would stay until something else is put there.

What this cannot reach: the copy another node fetched (wipe it there), transfer buffers between nodes, copies made with
`np.copy` or by an engine, and small values that were passed without `ray.put`, which live in task records.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

# Mappings already found to be shared, as (low, high). Ray keeps its main mapping for the life of the process.
_shared: list[tuple[int, int]] = []
_lock = threading.Lock()
_zero: list[int] = []


def wipe_shared(array: np.ndarray[Any, Any]) -> bool:
    """Fill an array with zeros in place; True if that reached every view of it on this node.

    array: from `ray.get` (any process on the node may do it, also the one that put it), or a writable array of one's
    own.
    False, with nothing changed, for a read-only array that is not Ray's or is not contiguous; False also for a small
    value that Ray had copied instead of shared: this copy is overwritten then, others are not. Never faults: the kernel
    does the writing, and answers with an error where memory may not be written.
    """
    if array.flags.writeable:
        array.fill(0)
        return True
    if not array.nbytes:
        return True
    if not array.flags.c_contiguous or not _is_rays(array):
        return False
    address = int(array.ctypes.data)
    return _overwrite(address, array.nbytes) and _is_shared(address, address + array.nbytes)


def _is_rays(array: np.ndarray[Any, Any]) -> bool:
    """Whether the memory is a Ray buffer. Read-only arrays over bytes, maps of files and so on must not be touched."""
    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.base if isinstance(base, np.ndarray) else base.obj
    return type(base).__module__ == "ray._raylet"


def _overwrite(address: int, size: int) -> bool:
    """Let the kernel write zeros, by reading from /dev/zero: EFAULT instead of a fault where it is not writable."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.read.restype = ctypes.c_ssize_t
    libc.read.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    done = 0
    while done < size:
        got = libc.read(_zero_file(), address + done, size - done)
        if got <= 0:
            return False
        done += got
    return True


def _zero_file() -> int:
    with _lock:
        if not _zero:
            _zero.append(os.open("/dev/zero", os.O_RDONLY | os.O_CLOEXEC))
        return _zero[0]


def _is_shared(low: int, high: int) -> bool:
    with _lock:
        if any(a <= low and high <= b for a, b in _shared):
            return True
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, rights = line.split(maxsplit=2)[:2]
            first, last = (int(part, 16) for part in span.split("-"))
            if first <= low and high <= last:
                if rights.startswith("rw") and rights.endswith("s"):
                    # A mapping as small as its object is an overflow and soon gone; its addresses may be used again.
                    if last - first > 2 * (high - low) + (1 << 20):
                        _shared.append((first, last))
                    return True
                return False
    return False
