"""Start or join Ray so that no pixel and no template can reach a disk, and prove it on every node first (D4).

Rule for whoever sends faces through Ray: pixels and templates go through `ray.put`, their reference inside a list.
Then they lie in the object store and nowhere else: a bare argument or return value under 100 KiB is copied into task
records.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lfr import log
from lfr.actors import host, node, probe, runfolder
from lfr.actors.probe import NodeProbe
from lfr.actors.runfolder import RunFolder
from lfr.config import Mode, RayNode
from lfr.domain.errors import NodeUnsafe

# Not 127.0.0.1: Ray replaces that by an outside address, and a van's Ray must live on when its network goes.
_LOOPBACK = "127.0.0.2"
_log = log.get(__name__)


@dataclass
class RayHandle:
    """A Ray this process started or joined. warnings: what is wrong yet allowed in this mode, to be shown to people."""

    address: str
    node_name: str
    mode: Mode
    local: bool
    probes: tuple[NodeProbe, ...] = ()
    warnings: tuple[str, ...] = ()
    folder: RunFolder | None = None
    _stopped: bool = field(default=False, repr=False)

    def check(self) -> tuple[str, ...]:
        """Probe every node anew (one may have joined since) and return the warnings.

        Raises NodeUnsafe naming each unsafe node, RuntimeFailed if one does not answer.
        """
        self.probes = probe.probe_nodes()
        found = probe.require_safe(self.probes, self.mode)
        self.warnings = tuple(dict.fromkeys((*self.warnings, *found)))
        return found

    def stop(self) -> None:
        """Leave Ray; one of our own ends, and its folder goes with it. May be called again."""
        if self._stopped:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        import ray  # noqa: PLC0415

        ray.shutdown()
        if self.folder is not None:
            self.folder.end()
        _log.info("ray.stopped", node=self.node_name, local=self.local)


def start_ray(settings: RayNode, *, mode: Mode, node_name: str) -> RayHandle:
    """A local Ray of our own, or the cluster at `settings.address`, probed; call before a web server takes the signals.

    Raises NodeUnsafe when a node could let a face reach a disk, RuntimeFailed when Ray does not start or answer.
    """
    tmpfs = Path(settings.tmpfs)
    host.forbid_core_dumps()
    handle = (_join if settings.address else _start)(settings, tmpfs, mode, node_name)
    atexit.register(handle.stop)
    try:
        handle.check()
    except BaseException:
        handle.stop()
        raise
    for warning in handle.warnings:
        _log.warning("ray.warning", warning=warning)
    _log.info("ray.started", node=node_name, local=handle.local, nodes=len(handle.probes))
    return handle


def stop(handle: RayHandle) -> None:
    """The same as `handle.stop()`."""
    handle.stop()


def _start(settings: RayNode, tmpfs: Path, mode: Mode, node_name: str) -> RayHandle:
    warnings = node.require_no_swap(mode)
    runfolder.clean_stale(tmpfs)
    try:
        address, folder = _start_once(settings, tmpfs, node_name)
    except node.SlowStart:
        _log.warning("ray.slow_start", node=node_name)
        address, folder = _start_once(settings, tmpfs, node_name)
    return RayHandle(address, node_name, mode, local=True, warnings=warnings, folder=folder)


def _start_once(settings: RayNode, tmpfs: Path, node_name: str) -> tuple[str, RunFolder]:
    folder = runfolder.create(tmpfs)
    try:
        node.require_room(tmpfs, settings.store_mb)
        node.make_token(folder.token)
        address = _init(
            node.safe_environment(folder, folder.token),
            "start",
            address="local",
            include_dashboard=False,
            object_store_memory=settings.store_mb << 20,
            resources={f"van:{node_name}": 1.0},
            object_spilling_directory=str(folder.spill),
            _plasma_directory=str(folder.plasma),
            _temp_dir=str(folder.session),
            _node_ip_address=_LOOPBACK,
            _node_name=node_name,
            _system_config=dict(node.SYSTEM_CONFIG),
        )
    except BaseException:
        folder.end()
        raise
    return address, folder


def _join(settings: RayNode, tmpfs: Path, mode: Mode, node_name: str) -> RayHandle:
    token = node.cluster_token(settings.token_file)
    node.require_token(token)
    address = node.find_cluster(tmpfs) if settings.address == "auto" else settings.address
    if not probe.stranger_is_refused(address):
        raise NodeUnsafe(f"the cluster at {address} lets anyone in", hint="start its nodes with `lfr node start`")
    wanted = dict(os.environ) | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    address = _init(wanted, f"join {address} as", address=address)
    return RayHandle(address, node_name, mode, local=False)


def _init(env: dict[str, str], doing: str, **options: Any) -> str:
    """ray.init under an environment of ours; returns the address of its control store."""
    import ray  # noqa: PLC0415 - a second to import, and its settings are read from the environment just then

    with node.only_environment(env), _signals_kept():
        _read_settings_again()
        try:
            context = ray.init(log_to_driver=False, logging_level=logging.WARNING, **options)
        except Exception as error:  # Ray raises bare Exception, too
            ray.shutdown()
            why = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise node.start_failure(
                f"Ray did not {doing} a node: {why}",
                hint="is the address right? see `lfr node check`",
            ) from error
    address: str = context.address_info["gcs_address"]  # type: ignore[attr-defined]  # only Ray Client's context lacks it
    return address


def _read_settings_again() -> None:
    """Ray reads mode and token once per process; a second start, or an import before ours, must see ours too."""
    import ray._raylet as core  # noqa: PLC0415

    core.Config.initialize("")  # type: ignore[attr-defined]  # compiled, without stubs; ray.init does the same
    core.AuthenticationTokenLoader.instance().reset_cache()  # type: ignore[attr-defined]  # as above


@contextmanager
def _signals_kept() -> Iterator[None]:
    """ray.init takes SIGTERM over; a handler somebody set before us stays theirs."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and signal.getsignal(signal.SIGTERM) is not before:
            with suppress(ValueError):  # not the main thread: Ray did not touch it either
                signal.signal(signal.SIGTERM, before)
