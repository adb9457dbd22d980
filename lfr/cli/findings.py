"""What `lfr check` looks at, one look each. A look changes nothing: no file, no database, no actor."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from lfr.actors import node
from lfr.actors.runfolder import require_memory
from lfr.actors.runtime import require_permitted
from lfr.api.server import check_address
from lfr.cli.client import find_run
from lfr.config import Camera, Config, camera_address
from lfr.domain.errors import LfrError
from lfr.domain.packs import Pack
from lfr.storage.database import Database, check_migrated
from lfr.storage.node_key import open_wrapper, prove
from lfr.vision.engine import open_engine
from lfr.vision.packs import LocatedPack, default_roots, load_pack, locate, pack_files
from lfr.vision.source import EndOfSource, open_source

State = Literal["ok", "warning", "wrong"]
_LOW_DISK = 1 << 30


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at."""

    name: str
    state: State
    detail: str = ""
    hint: str = ""


def wrong(name: str, error: LfrError) -> Finding:
    """What an error of ours says, as a finding."""
    return Finding(name, "wrong", error.message, error.hint)


def models(config: Config) -> Iterator[Finding]:
    """The pack, each of its files, whether this mode may use it, and whether its engine opens with the provider."""
    try:
        pack = load_pack(config.pack)
    except LfrError as error:
        yield wrong("pack", error)
        return
    yield Finding("pack", "ok", f"{pack.name}, {pack.licence.name}")
    try:
        require_permitted(config, pack)
    except LfrError as error:
        yield wrong("permitted use", error)
    missing = [
        wrong(f"model {item.file}", e) for item in pack_files(pack) if (e := _absent(pack, item.file, item.sha256))
    ]
    yield from missing
    if not missing:
        yield Finding("model files", "ok", f"{len(pack_files(pack))} with the right hash")
        yield _engine(config, locate(pack, default_roots()))


def _absent(pack: Pack, file: str, sha256: str) -> LfrError | None:
    # A pack of this one file only: locate() stops at the first that is missing, and here all are to be named.
    only = msgspec.structs.replace(
        pack,
        detector=msgspec.structs.replace(pack.detector, file=file, sha256=sha256),
        recogniser=msgspec.structs.replace(pack.recogniser, file=file, sha256=sha256),
        extra_files=(),
    )
    try:
        locate(only, default_roots())
    except LfrError as error:
        return error
    return None


def _engine(config: Config, located: LocatedPack) -> Finding:
    asked = config.inference
    try:
        with closing(open_engine(located, provider=asked.provider, gpu_memory_mb=asked.gpu_memory_mb)) as engine:
            got = ", ".join(engine.contract.providers) or located.pack.engine
    except LfrError as error:
        return wrong("engine", error)
    return Finding("engine", "ok", f"{asked.provider}: {got}")


def secrets_file(config: Config) -> Iterator[Finding]:
    """The file of camera credentials: there, and nobody else's to read."""
    if not config.secrets_file:
        return
    mode = Path(config.secrets_file).stat().st_mode
    if mode & 0o077:
        yield Finding("secrets file", "wrong", "may be read by others", f"chmod 600 {config.secrets_file}")
    else:
        yield Finding("secrets file", "ok")


def data_folder(config: Config) -> Iterator[Finding]:
    """The folder of database and keys: it can be written, and the disk has room."""
    folder = config.data_path
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding("data folder", "wrong", f"cannot write in {there}", "set data_dir to a folder of this user")
        return
    free = shutil.disk_usage(there).free
    low = free < _LOW_DISK
    yield Finding(
        "data folder", "warning" if low else "ok", f"{folder}, {free >> 20} MiB free", "make room" if low else ""
    )


def node_key(config: Config) -> Iterator[Finding]:
    """The node key: sound and private, or yet to be made where nothing was ever sealed."""
    source = config.node_key_source
    path = Path(source)
    if source.startswith(("env:", "exec:")):
        prove(open_wrapper(source, create=False))
        yield Finding("node key", "ok", source.partition(":")[0])
    elif path.exists():
        open_wrapper(source, create=False)
        yield Finding("node key", "ok")
    elif config.ray.address or (config.data_path / "lfr.db").exists():
        why = "every node needs the same one" if config.ray.address else "and the database holds what it sealed"
        yield Finding("node key", "wrong", f"there is no {path}, {why}", "restore it from its backup")
    else:
        yield Finding("node key", "ok", "will be made at the first start")


def address(config: Config) -> Iterator[Finding]:
    """TLS off loopback, and a free port."""
    try:
        check_address(config)
        yield Finding(
            "TLS", "ok", "certificate and key fit" if config.api.tls_cert else "none, and only this machine is served"
        )
    except LfrError as error:
        yield wrong("TLS", error)
    running = find_run(config)
    if running is not None:
        yield Finding(
            "port", "warning", f"this system is running already (pid {running.pid})", "stop it before you serve again"
        )
        return
    host, port = config.api.host, config.api.port
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
        yield Finding("port", "ok", f"{host}:{port or 'any free one'}")
    except OSError as error:
        hint = "choose another api.port, or 0 for a free one"
        yield Finding("port", "wrong", f"cannot listen on {host} port {port}: {error.strerror}", hint)


def memory(config: Config) -> Iterator[Finding]:
    """Where Ray writes is in memory and large enough; swap is off."""
    tmpfs = Path(config.ray.tmpfs)
    try:
        require_memory(tmpfs)
        if not config.ray.address:
            node.require_room(tmpfs, config.ray.store_mb)
        yield Finding("shared memory", "ok", config.ray.tmpfs)
    except LfrError as error:
        yield wrong("shared memory", error)
    warnings = node.require_no_swap(config.mode)
    yield Finding(
        "swap", "warning" if warnings else "ok", "; ".join(warnings) or "off", "swapoff -a" if warnings else ""
    )


def cluster(config: Config) -> Iterator[Finding]:
    """The Ray cluster to join: its token, and somebody who answers at its address."""
    if not config.ray.address:
        return
    try:
        node.require_token(node.cluster_token(config.ray.token_file))
        yield Finding("cluster token", "ok")
    except LfrError as error:
        yield wrong("cluster token", error)
    where = node.find_cluster(Path(config.ray.tmpfs)) if config.ray.address == "auto" else config.ray.address
    host, _, port = where.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=3.0):
            yield Finding("cluster", "ok", where)
    except (OSError, ValueError):
        yield Finding(
            "cluster", "wrong", f"nobody answers at {where}", "lfr node start --head, and ray.address HOST:PORT"
        )


LOOKS = (secrets_file, data_folder, node_key, address, memory, cluster)
"""The looks that need neither models nor cameras nor the database."""


async def database(config: Config) -> Finding:
    """It answers. A database that is not yet set up is set up at the start."""
    if config.storage.url == "sqlite" and not (config.data_path / "lfr.db").exists():
        return Finding("database", "ok", "will be made at the first start")
    try:
        db = Database(config.database_url)
        try:
            async with db.session() as session:
                await session.connection()
        finally:
            await db.dispose()
    except LfrError as error:
        return wrong("database", error)
    try:
        await check_migrated(config.database_url)
    except LfrError as error:
        return Finding("database", "warning", error.message, "the next start sets it up")
    return Finding("database", "ok", db.where)


def camera(config: Config, seen: Camera) -> Finding:
    """Open one camera and wait for a picture, which is thrown away."""
    name = f"camera {seen.id}"
    try:
        where = camera_address(seen, config.secrets_file)
        if seen.node not in {"", config.name} and config.ray.address:
            return Finding(name, "warning", f"not opened: it hangs on node {seen.node}", "lfr camera check URL there")
        times = seen.times
        with closing(open_source(seen, where)) as source:
            patience = time.monotonic() + times.open_timeout + times.read_timeout
            while time.monotonic() < patience:
                frame = source.read(1.0)
                if frame is not None and frame.image is not None:
                    height, width = frame.image.shape[:2]
                    return Finding(name, "ok", f"{width} x {height}, {source.stats.fps:g} frames/s")
            waited = times.open_timeout + times.read_timeout
            why = f": {source.stats.detail}" if source.stats.detail else ""
            return Finding(name, "wrong", f"no picture within {waited:g} s{why}", "is it on, and reachable from here?")
    except EndOfSource:
        return Finding(name, "wrong", "it ended before its first picture", "is it a whole video file?")
    except LfrError as error:
        return wrong(name, error)
