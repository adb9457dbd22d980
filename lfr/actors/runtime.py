"""One context owns start and stop of everything: database, vault, Ray, actors.

Ray starts here, before any web server (stack.md: ray.init inside an ASGI lifespan breaks its graceful stop).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import msgspec

from lfr import log
from lfr.actors.audit_writer import AuditWriterActor
from lfr.actors.camera import CameraActor
from lfr.actors.cluster import RayHandle, start_ray
from lfr.actors.inference import InferenceActor
from lfr.actors.matcher import MatcherActor
from lfr.actors.pool_engine import PoolEngine
from lfr.actors.ports import cause
from lfr.actors.remote_control import RemoteControl
from lfr.actors.shell import spawn
from lfr.actors.store import StoreAddress
from lfr.actors.supervisor import Facts, Member, SupervisorActor
from lfr.config import Config, Secret, camera_address, require_live
from lfr.domain.errors import ConfigError, LfrError, RuntimeFailed
from lfr.domain.packs import Pack
from lfr.services import audit, policies
from lfr.services.standing import standing_deployment
from lfr.storage.database import Database, migrate
from lfr.storage.node import open_node
from lfr.storage.vault import Vault
from lfr.vision.packs import LocatedPack

_log = log.get(__name__)

START_S = 120.0
_WRITER = "audit-writer"


class Runtime:
    """Everything that runs for one configuration.

    `async with Runtime(config, located) as runtime:` brings up database, Ray and actors, with an empty or stored
    watchlist; `start_cameras()` begins recognition. Raises LfrError with a hint when anything is not as it must be.
    """

    control: RemoteControl
    db: Database
    vault: Vault
    deployment_id: UUID
    engine: PoolEngine

    def __init__(self, config: Config, located: LocatedPack, *, notes: tuple[str, ...] = ()) -> None:
        self.config = config
        self.located = located
        self.pack: Pack = located.pack
        self.local_token = secrets.token_urlsafe(32)
        self._notes = notes
        self._run = secrets.token_hex(4)
        self._ray: RayHandle | None = None
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._watch: Any = None
        self._run_file = config.data_path / "run.json"
        self._folder = Path()

    async def __aenter__(self) -> Runtime:
        require_permitted(self.config, self.pack)
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        config = self.config
        config.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        await migrate(config.database_url)
        self.vault = open_node(config.node_key_source, config.keys_path, create=True).vault()
        self.db = Database(config.database_url)
        deployment = await standing_deployment(self.db, config, self.pack)
        self.deployment_id = deployment.id
        self._ray = start_ray(config.ray, mode=config.mode, node_name=config.name)
        self._notes += self._ray.warnings
        base = self._ray.folder.path if self._ray.folder else Path(config.ray.tmpfs) / f"lfr-{os.getuid()}-{self._run}"
        self._folder = base / "journal"
        await self._start_actors()

    async def _start_actors(self) -> None:
        config, pack = self.config, self.pack
        store = StoreAddress(config.database_url, config.node_key_source, config.keys_path, self.deployment_id)
        common = (str(self._folder), config.log_level)
        workers, threads = pool_shape(config)
        gpus = 1 if config.inference.provider != "cpu" else 0
        pool_names = [f"inference-{i}" for i in range(workers)]
        pool = [
            spawn(
                InferenceActor,
                name,
                *common,
                self.located,
                config.inference,
                threads,
                num_gpus=gpus,
                max_pending_calls=config.inference.max_pending * 8,
                scheduling_strategy="SPREAD",
            )
            for name in pool_names
        ]
        keep_s = policies.load(config.policy).retention.alert_hours * 3600  # G2, G5
        writer = spawn(AuditWriterActor, _WRITER, *common, store, config.matcher.cooldown_s, keep_s)
        nodes = sorted({camera.node or config.name for camera in config.cameras} or {config.name})
        matchers = {
            node: spawn(
                MatcherActor,
                f"matcher-{node}",
                *common,
                pack,
                config.matcher,
                store,
                pack.recogniser.dim,
                resources=_on(node),
            )
            for node in nodes
        }
        cameras = {
            camera.id: spawn(
                CameraActor,
                f"camera-{camera.id}",
                *common,
                camera,
                Secret(camera_address(camera, config.secrets_file)),
                pack,
                self.deployment_id,
                self._run,
                pool_names,
                f"matcher-{camera.node or config.name}",
                _WRITER,
                config.matcher.confirm_shots,
                resources=_on(camera.node or config.name),
            )
            for camera in config.cameras
        }
        members = [Member(name, "inference") for name in pool_names]
        members += [Member(_WRITER, "audit-writer")]
        members += [Member(f"matcher-{node}", "matcher") for node in matchers]
        members += [Member(f"camera-{name}", "camera") for name in cameras]
        facts = Facts(config.name, config.mode, pack.name, str(self.deployment_id), self._notes)
        supervisor = spawn(SupervisorActor, "supervisor", *common, members, facts, _WRITER)
        # All processes start side by side; only then is anybody waited for.
        contracts = await self._all([actor.contract.remote() for actor in pool])
        self.engine = PoolEngine(pool, contracts[0], asyncio.get_running_loop())
        await self._all([matcher.load.remote() for matcher in matchers.values()])
        await self._all([writer.start.remote(), *(actor.status.remote() for actor in cameras.values())])
        await self._all([supervisor.status.remote()])
        self._watch = supervisor.watch.remote()
        self.control = RemoteControl(
            supervisor, writer, cameras, matchers, self.engine, pack, self.db, self.vault, self.deployment_id
        )

    async def _all(self, calls: list[Any]) -> list[Any]:
        try:
            return list(await asyncio.wait_for(asyncio.gather(*calls), START_S))
        except TimeoutError as error:
            raise RuntimeFailed(
                f"the actors did not start within {START_S:g} s",
                hint="is every node up that a camera names? see `lfr node check` and ray.address",
            ) from error
        except Exception as error:
            inner = cause(error)
            if isinstance(inner, LfrError):
                raise inner from error
            raise RuntimeFailed(
                f"an actor did not start: {_first_line(inner)}", hint="LFR_DEBUG=1 shows more"
            ) from error

    async def start_cameras(self) -> None:
        """Begin recognition on every camera."""
        await self.control.refresh()
        status = [actor.status.remote() for actor in self.control.matchers.values()]
        first = (await self._all(status))[0]
        async with self.db.transaction() as session:
            payload = {
                "cameras": len(self.control.cameras),
                "entries": first["entries"],
                "threshold": first["threshold"].value,
            }
            audit.record(
                session, kind="recognition.started", actor="system", subject=str(self.deployment_id), payload=payload
            )
        for name, camera in self.control.cameras.items():
            self._runs[name] = asyncio.create_task(self._follow(name, camera))

    async def _follow(self, name: str, camera: Any) -> None:
        try:
            await camera.run.remote()
        except Exception as error:
            inner = cause(error)
            _log.error("camera.failed", camera=name, reason=_first_line(inner))
            if isinstance(inner, LfrError):
                raise inner from error
            raise RuntimeFailed(f"camera {name} failed: {_first_line(inner)}", hint="see `lfr status`") from error

    async def cameras_done(self) -> None:
        """Wait until every camera's source has ended (files). Raises what a camera could not get over."""
        await asyncio.gather(*self._runs.values())

    def announce(self, url: str, cafile: str = "") -> None:
        """Write run.json (0600): how this user's command line reaches the running system."""
        data = {"url": url, "token": self.local_token, "cafile": cafile, "pid": os.getpid()}
        temporary = self._run_file.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(data))
        temporary.replace(self._run_file)

    async def _stop(self) -> None:
        if hasattr(self, "control"):
            with contextlib.suppress(LfrError):
                await self._halt()
        for task in self._runs.values():
            task.cancel()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)
        if self._ray:
            self._ray.stop()
        if self._folder.name:
            shutil.rmtree(self._folder, ignore_errors=True)
        if hasattr(self, "db"):
            with contextlib.suppress(LfrError):
                await audit.sequence(self.db)
            await self.db.dispose()
        self._run_file.unlink(missing_ok=True)

    async def _halt(self) -> None:
        """Cameras first, then the matchers' memory; nobody is waited for longer than a few seconds."""
        for group in (self.control.cameras, self.control.matchers):
            calls = [actor.stop.remote() for actor in group.values()]
            if calls:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 3.0)


def require_permitted(config: Config, pack: Pack) -> None:
    """Raises ConfigError where mode and pack do not go together, or the mode is not yet to be had (fails closed)."""
    if config.mode == "operational" and pack.use == "research":
        raise ConfigError(
            f"pack {pack.name} may be used for research only: {pack.licence.name}",
            hint="choose a pack whose licence allows operational use, or mode: research",
        )
    require_live(config)
    if config.mode == "operational":
        raise ConfigError(
            "mode operational is refused: authorities, deployment keys and retention do not stand yet",
            hint="use mode: demo or mode: research",
        )


def _on(node: str) -> dict[str, float]:
    """Where something must run: on that van, in a cluster and in a local Ray alike."""
    return {f"van:{node}": 0.001}


def pool_shape(config: Config) -> tuple[int, int]:
    """How many inference workers, and threads for each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if config.inference.provider != "cpu":
        workers = config.inference.workers or 1
    else:
        # One thread a worker: two sessions of one thread do more than one session of two on the same cores.
        workers = config.inference.workers or min(cores, 4)
    return workers, config.inference.threads or max(1, cores // workers)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
