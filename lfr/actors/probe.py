"""The probe: what a running Ray node really does, looked up on that node from its live processes.

Flags given to `ray.init(address=...)` are accepted and ignored, and a node may have been started by hand, so nothing is
believed: the raylet's own command line, open files and limits are read, and a stranger without a token tries the door.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from lfr.actors import host
from lfr.config import Mode
from lfr.domain.errors import NodeUnsafe, RuntimeFailed

_FIX = "stop it, and start it with `lfr node start`, which gives Ray the safe folders, token and limits"


class Check(msgspec.Struct, frozen=True):
    """One thing looked at. detail says what was found; `lenient`: outside operational mode it only warns."""

    name: str
    ok: bool
    detail: str = ""
    lenient: bool = False


class NodeProbe(msgspec.Struct, frozen=True):
    """What one node's live processes showed. node is its name, node_id Ray's."""

    node: str
    node_id: str
    checks: tuple[Check, ...]

    def faults(self, mode: Mode) -> list[str]:
        """What keeps this node out in that mode."""
        return [f"{c.name}: {c.detail}" for c in self.checks if not c.ok and not (c.lenient and mode != "operational")]

    def warnings(self, mode: Mode) -> list[str]:
        """What is wrong, yet allowed in that mode."""
        return [f"{c.name}: {c.detail}" for c in self.checks if not c.ok and c.lenient and mode != "operational"]


def require_safe(probes: tuple[NodeProbe, ...], mode: Mode) -> tuple[str, ...]:
    """The warnings of all nodes; raises NodeUnsafe naming every node that could let a face reach a disk, and why."""
    faults = [f"node {p.node} is unsafe ({'; '.join(found)})" for p in probes if (found := p.faults(mode))]
    if faults:
        raise NodeUnsafe("; ".join(faults), hint=_FIX)
    return tuple(f"node {p.node}: {warning}" for p in probes for warning in p.warnings(mode))


def probe_nodes(*, timeout_s: float = 60.0) -> tuple[NodeProbe, ...]:
    """Run the probe on every live node of the Ray this process is connected to, all at once.

    Raises NodeUnsafe for a node that cannot run it (no `lfr` there, say), RuntimeFailed for one that does not answer.
    """
    import ray  # noqa: PLC0415 - Ray takes a second to import, and `lfr node check` must answer without it
    from ray.exceptions import GetTimeoutError, RayError  # noqa: PLC0415
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    # What the head decided for all: Ray shows it nowhere else, and neither call has types.
    config = ray._private.state.state.get_system_config()  # type: ignore[no-untyped-call]  # noqa: SLF001
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    task = ray.remote(num_cpus=0, max_retries=1)(inspect_here)
    asked = []
    for node in nodes:
        if node["Alive"]:
            where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ref = task.options(scheduling_strategy=where).remote(node["NodeName"], node["NodeID"], config)
            asked.append((node["NodeName"], ref))
    ray.wait([ref for _, ref in asked], num_returns=len(asked), timeout=timeout_s)
    probes = []
    for name, ref in asked:
        try:
            probes.append(ray.get(ref, timeout=0.1))
        except GetTimeoutError as error:
            raise RuntimeFailed(f"node {name} did not answer the probe within {timeout_s:.0f} s", hint=_FIX) from error
        except RayError as error:
            why = str(error).strip().splitlines()[-1][:200]
            raise NodeUnsafe(f"node {name} cannot run the probe: {why}", hint="install the same lfr there") from error
    return tuple(probes)


def inspect_here(node: str, node_id: str, system_config: Mapping[str, Any]) -> NodeProbe:
    """The probe itself, run inside a worker: looks at the worker and at the raylet that started it."""
    me = os.getpid()
    ancestor = host.parent(me)
    while ancestor > 1 and host.command(ancestor) != "raylet":
        ancestor = host.parent(ancestor)
    if ancestor <= 1:
        return NodeProbe(node, node_id, (Check("raylet", ok=False, detail="cannot be found from its worker"),))
    return inspect(ancestor, node=node, node_id=node_id, worker=me, system_config=system_config)


def inspect(
    raylet: int,
    *,
    node: str,
    node_id: str = "",
    worker: int | None = None,
    system_config: Mapping[str, Any] | None = None,
) -> NodeProbe:
    """Look at a raylet on this machine (and one of its workers). Raises OSError if it ends meanwhile."""
    flags = dict(part.removeprefix("--").split("=", 1) for part in host.arguments(raylet)[1:] if "=" in part)
    env = host.environment(raylet)
    checks = [
        _folders("session in memory", flags, "temp_dir", "session_dir", "log_dir", "resource_dir"),
        _folders("object store in memory", flags, "plasma_directory"),
        _folders("overflow in memory", flags, "fallback_directory"),
        _closed(flags),
        _written(raylet, worker),
        _cores(raylet, worker),
        _check("token required", "" if env.get("RAY_AUTH_MODE") == "token" else "its raylet runs without token auth"),
        swap_check(),
    ]
    if system_config is not None:
        checks.insert(3, _spilling(system_config))
    return NodeProbe(node, node_id, tuple(checks))


def swap_check() -> Check:
    """Swap must be off: memory that is swapped out lies on a disk."""
    used = host.swaps()
    return Check("swap off", not used, f"on: {', '.join(used)}" if used else "", lenient=True)


def stranger_is_refused(address: str, *, timeout_s: float = 30.0) -> bool:
    """Whether the cluster at `address` turns away a client without a token. Raises RuntimeFailed if nobody answers."""
    if not host.listens(address):
        raise RuntimeFailed(f"the cluster at {address} does not answer", hint="is its head running?")
    tries = (
        "import sys\n"
        "from ray._raylet import GcsClient\n"
        "from ray.exceptions import AuthenticationError\n"
        "try:\n"
        "    GcsClient(address=sys.argv[1]).internal_kv_get(b'lfr', b'probe', timeout=10)\n"
        "except AuthenticationError:\n"
        "    print('refused')\n"
        "else:\n"
        "    print('let in')\n"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    env |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", tries, address],
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeFailed(f"the cluster at {address} does not answer", hint="is its head running?") from error
    answer = done.stdout.strip()
    if answer not in {"refused", "let in"}:
        raise RuntimeFailed(f"the cluster at {address} does not answer", hint="is its head running?")
    return answer == "refused"


def _check(name: str, fault: str) -> Check:
    return Check(name, not fault, fault)


def _folders(name: str, flags: Mapping[str, str], *wanted: str) -> Check:
    on_disk = []
    for flag in wanted:
        path = flags.get(flag, "")
        try:
            if not path or not host.in_memory(Path(path)):
                on_disk.append(f"{flag} {path or 'is not set'} is not in memory")
        except OSError as error:
            on_disk.append(f"{flag} {path}: {error.strerror}")
    return _check(name, ", ".join(on_disk))


def _closed(flags: Mapping[str, str]) -> Check:
    """Ray makes its folders world-writable; whoever reaches the store's socket is handed the store."""
    name = "closed to other users"
    path = flags.get("session_dir", "")
    try:
        return _check(name, "" if host.closed_to_others(Path(path)) else f"others can enter {path}")
    except OSError as error:
        return Check(name, ok=False, detail=f"{path}: {error.strerror}")


def _spilling(config: Mapping[str, Any]) -> Check:
    """The head's word on spilling, for the whole cluster: off, or into folders that lie in memory here."""
    name = "no spilling to disk"
    if not config.get("automatic_object_spilling_enabled", True):
        return Check(name, ok=True)
    try:
        spilling = json.loads(config.get("object_spilling_config", "{}"))
        paths = spilling["params"]["directory_path"]
    except (ValueError, KeyError, TypeError):
        return Check(name, ok=False, detail="on, and where to cannot be told")
    if spilling.get("type") != "filesystem":
        return Check(name, ok=False, detail=f"on, to {spilling.get('type')}")
    paths = [paths] if isinstance(paths, str) else paths
    # A head's folder need not exist on the other nodes, which spill into their own overflow folder (looked at apart).
    return _folders(name, {p: p for p in paths}, *(p for p in paths if Path(p).exists()))


def _written(raylet: int, worker: int | None) -> Check:
    found = []
    for kind, pid in (("raylet", raylet), ("worker", worker)):
        if pid is not None:
            found += [f"{kind} writes {path}" for path in host.disk_files_written(pid)]
    return _check("nothing written to disk", ", ".join(found[:3]))


def _cores(raylet: int, worker: int | None) -> Check:
    found = []
    for kind, pid in (("raylet", raylet), ("worker", worker)):
        if pid is not None and (why := host.core_dumps(pid)):
            found.append(f"{kind}: {why}")
    return _check("core dumps off", ", ".join(found))
