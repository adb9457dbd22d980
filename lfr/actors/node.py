"""A safe Ray node: its environment, its flags, and `ray start` with both, so that nothing of it can reach a disk (D4).

Spilling is off, not merely moved: what the store has no room for becomes an unlinked mapping in the run folder, which
can be overwritten in place like the store itself (lfr.actors.wipe) and is gone with the process, however that ends.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from lfr import log
from lfr.actors import host, runfolder
from lfr.actors.runfolder import MARK, RunFolder
from lfr.config import Mode, default_data_dir
from lfr.domain.errors import NodeUnsafe, NotFound, RuntimeFailed

# What a worker may see of the environment. Everything else stays out: a camera's password stands in the environment,
# and Ray hands the whole of it to every process. Variables RAY_* stay out too, since they can undo each flag below.
_KEPT = {"HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
_KEPT |= {"LFR_PACKS", "LFR_ASSETS", "LFR_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"}
_KEPT_PREFIXES = ("LC_", "PYTHON", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "OPENBLAS_", "OPENCV_")
# Room beside the store for overflow, logs and sockets.
_MARGIN = 64 << 20
_log = log.get(__name__)

SYSTEM_CONFIG = {
    "automatic_object_spilling_enabled": False,
    # The store's memory is taken at the start: a tmpfs that fills up later cannot end a worker by SIGBUS.
    "preallocate_plasma_memory": True,
}


class NodeStarted(msgspec.Struct, frozen=True):
    """A node that `lfr node start` brought up: where others join (head) and its run folder."""

    name: str
    address: str
    folder: str
    pid: int
    head: bool


class SlowStart(RuntimeFailed):
    """The raylet was not there in the 30 s that Ray allows: a machine busy with other things can miss them once."""


def start_failure(message: str, *, hint: str) -> RuntimeFailed:
    """The error for what Ray said when it did not start."""
    return (SlowStart if "timed out during startup" in message else RuntimeFailed)(message, hint=hint)


def safe_environment(folder: RunFolder, token: Path) -> dict[str, str]:
    """The whole environment of Ray's processes: no telemetry, token required, every temporary file in memory."""
    kept = {k: v for k, v in os.environ.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
    return kept | {
        MARK: str(folder.path),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_TMPDIR": str(folder.session),
        "TMPDIR": str(folder.temporary),
        # `uv run` would otherwise make Ray pack and copy the working folder into its session.
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        # Logs lie in memory, so they must stay small.
        "RAY_ROTATION_MAX_BYTES": str(4 << 20),
        "RAY_ROTATION_BACKUP_COUNT": "1",
    }


@contextmanager
def only_environment(wanted: dict[str, str]) -> Iterator[None]:
    """The environment of this process is `wanted` and nothing else, for as long as the context lasts."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def require_room(tmpfs: Path, store_mb: int) -> None:
    """Raises NodeUnsafe unless the tmpfs has room for the store: Ray would put the store on a disk instead."""
    free = host.free_bytes(tmpfs)
    if free < (store_mb << 20) + _MARGIN:
        raise NodeUnsafe(
            f"{tmpfs} has {free >> 20} MiB free, the object store needs {store_mb} and {_MARGIN >> 20} MiB beside it",
            hint="lower ray.store_mb, or make it larger (a container: --shm-size)",
        )


def require_no_swap(mode: Mode) -> tuple[str, ...]:
    """The warnings to show when swap is on; raises NodeUnsafe for it in operational mode (D4: never swapped)."""
    used = host.swaps()
    if not used:
        return ()
    if mode == "operational":
        raise NodeUnsafe(f"swap is on ({', '.join(used)}): a face could be written to it", hint="swapoff -a, and fstab")
    return (f"swap is on ({', '.join(used)}): a face could be written to a disk; refused in operational mode",)


def cluster_token(path: str = "") -> Path:
    """The file of the cluster's token: `path`, LFR_RAY_TOKEN, or ray.token in the data folder."""
    return Path(path or os.environ.get("LFR_RAY_TOKEN") or default_data_dir() / "ray.token").absolute()


def require_token(path: Path) -> None:
    """Raises NodeUnsafe unless the file is there, holds a token, and nobody else may read it."""
    try:
        facts = path.stat()
        empty = len(path.read_text().strip()) < 32
    except OSError as error:
        raise NodeUnsafe(
            f"cannot read the cluster's token {path}: {error.strerror}",
            hint="copy the file that `lfr node start --head` made on the head node, mode 0600",
        ) from error
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NodeUnsafe(f"the cluster's token {path} can be read by others", hint=f"chmod 600 {path}")
    if empty:
        raise NodeUnsafe(f"the cluster's token {path} is too short", hint="copy it anew from the head node")


def make_token(path: Path) -> None:
    """Write a new random token, 0600. Raises NodeUnsafe if that cannot be done; an existing file stays as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        return
    except OSError as error:
        raise NodeUnsafe(
            f"cannot write the token {path}: {error.strerror}", hint="see the folder's permissions"
        ) from error


def start_node(
    name: str,
    *,
    address: str = "",
    port: int = 6379,
    ip: str = "",
    token: Path | None = None,
    tmpfs: Path = Path("/dev/shm"),  # noqa: S108 - shared memory is the point (D4)
    store_mb: int = 256,
    cpus: int | None = None,
    mode: Mode = "operational",
    timeout_s: float = 120.0,
) -> NodeStarted:
    """Run `ray start` with the safe flags; address empty: a head, listening on `port`; otherwise the head to join.

    ip: this node's address as the others see it; empty: Ray finds it. Raises NodeUnsafe, or RuntimeFailed with the last
    line Ray wrote.
    """
    warnings = require_no_swap(mode)
    token = token or cluster_token()
    if not address:
        make_token(token)
    require_token(token)
    if address and not host.listens(address):
        raise RuntimeFailed(f"node {name}: nobody answers at {address}", hint=_HINT)
    if not address and port and host.listens(f"{ip or '127.0.0.1'}:{port}"):
        raise RuntimeFailed(f"node {name}: port {port} is in use", hint="give another --port, or `lfr node stop`")
    runfolder.clean_stale(tmpfs)

    def once() -> NodeStarted:
        folder = runfolder.create(tmpfs)
        try:
            require_room(tmpfs, store_mb)
            _ray_start(folder, token, name, address, port, ip, store_mb, cpus, timeout_s)
            raylet = find_raylet(folder)
            reached = address or _gcs_address(raylet)
            folder.own(raylet, node=name, address=reached)
        except BaseException:
            folder.end()
            raise
        return NodeStarted(name, reached, str(folder.path), raylet, head=not address)

    try:
        started = once()
    except SlowStart:
        _log.warning("node.slow_start", node=name)
        started = once()
    for warning in warnings:
        _log.warning("node.warning", node=name, warning=warning)
    return started


def _ray_start(
    folder: RunFolder,
    token: Path,
    name: str,
    address: str,
    port: int,
    ip: str,
    store_mb: int,
    cpus: int | None,
    timeout_s: float,
) -> None:
    role = [f"--address={address}"] if address else ["--head", f"--port={port}", "--include-dashboard=false"]
    if not address:
        # The other nodes take the head's system configuration over; giving it twice is an error.
        role.append(f"--system-config={json.dumps(SYSTEM_CONFIG)}")
    flags = [
        f"--node-name={name}",
        f"--resources={json.dumps({f'van:{name}': 1})}",
        f"--temp-dir={folder.session}",
        f"--plasma-directory={folder.plasma}",
        f"--object-spilling-directory={folder.spill}",
        f"--object-store-memory={store_mb << 20}",
        "--disable-usage-stats",
        # Nobody reads the logs through Ray, and a cluster of vans does not grow by itself.
        "--include-log-monitor=false",
        "--no-monitor",
        *([f"--node-ip-address={ip}"] if ip else []),
        *([f"--num-cpus={cpus}"] if cpus is not None else []),
    ]
    host.forbid_core_dumps()
    output = folder.path / "start.log"
    with output.open("wb") as sink:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "ray.scripts.scripts", "start", *role, *flags],
                env=safe_environment(folder, token),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeFailed(f"node {name}: `ray start` did not end within {timeout_s:.0f} s", hint=_HINT) from error
    if done.returncode != 0:
        raise start_failure(f"node {name}: `ray start` failed: {_why(output.read_text(errors='replace'))}", hint=_HINT)


def _why(output: str) -> str:
    """The line that names the error; Ray's log lines may come after it."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"^[\w.]*(Error|Exception)\b", line)]
    return (named or lines or ["no output"])[-1][:300]


_HINT = "is the head reachable, the port free and the token the head's? `lfr node check` looks at this machine"


def find_raylet(folder: RunFolder) -> int:
    """The id of the raylet that works in this run folder. Raises RuntimeFailed if there is none."""
    for pid in folder.processes():
        try:
            if host.command(pid) == "raylet":
                return pid
        except OSError:
            continue
    raise RuntimeFailed(f"no raylet runs in {folder.path}", hint="see start.log and logs in that folder")


def _gcs_address(raylet: int) -> str:
    return next(x.partition("=")[2] for x in host.arguments(raylet) if x.startswith("--gcs-address="))


def running_nodes(tmpfs: Path) -> list[tuple[RunFolder, str, str]]:
    """The live nodes that `lfr node start` brought up on this machine: (folder, name, address of their head)."""
    found = []
    for folder in runfolder.existing(tmpfs):
        owner = folder.owner()
        if owner is not None and owner.node and runfolder.alive(owner):
            found.append((folder, owner.node, owner.address))
    return found


def stop_node(name: str = "", *, tmpfs: Path = Path("/dev/shm"), grace_s: float = 15.0) -> list[str]:  # noqa: S108
    """End the nodes that `lfr node start` brought up here (one by its name, or all), and nothing else; their names.

    Nodes that are not heads go first, so that they leave their cluster in good order. Raises NotFound.
    """
    nodes = [entry for entry in running_nodes(tmpfs) if name in {"", entry[1]}]
    if name and not nodes:
        raise NotFound(f"no node {name} was started here", hint="`lfr node check` lists the nodes of this machine")
    for folder, _, _ in sorted(nodes, key=lambda entry: "gcs_server" in _commands(entry[0])):
        folder.end(grace_s=grace_s)
    runfolder.clean_stale(tmpfs)
    return [each for _, each, _ in nodes]


def _commands(folder: RunFolder) -> set[str]:
    names = set()
    for pid in folder.processes():
        try:
            names.add(host.command(pid))
        except OSError:
            continue
    return names


def find_cluster(tmpfs: Path) -> str:
    """The address `auto` stands for: that of the one cluster this machine's nodes belong to. Raises NodeUnsafe."""
    addresses = sorted({address for _, _, address in running_nodes(tmpfs)})
    if len(addresses) != 1:
        seen = ", ".join(addresses) or "none"
        raise NodeUnsafe(f"ray.address is `auto`, and the clusters found here are: {seen}", hint="give host:port")
    return addresses[0]
