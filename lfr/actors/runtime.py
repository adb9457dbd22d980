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

import msgspec
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from lfr import log
from lfr.actors.audit_writer import AuditWriterActor
from lfr.actors.camera import CameraActor
from lfr.actors.cluster import RayHandle, start_ray
from lfr.actors.crew import Crew, Roster, camera_actor
from lfr.actors.doorman import Trust
from lfr.actors.inference import InferenceActor
from lfr.actors.keeper import KEEPER, KeeperActor
from lfr.actors.matcher import MatcherActor
from lfr.actors.pool_engine import PoolEngine
from lfr.actors.ports import cause
from lfr.actors.remote_control import RemoteControl
from lfr.actors.shell import Shell, spawn
from lfr.actors.store import StoreAddress
from lfr.actors.supervisor import Facts, Member, Rules, SupervisorActor
from lfr.actors.sweep import sweep_for_ever
from lfr.config import Config, Secret, camera_address, require_live
from lfr.domain.bundle import Bundle
from lfr.domain.errors import ConfigError, LfrError, RuntimeFailed
from lfr.domain.packs import Pack
from lfr.domain.policy import Policy
from lfr.matching.bundle import bundle_of
from lfr.services import audit, machine, policies
from lfr.services.terms import Terms
from lfr.storage.database import Database, migrate
from lfr.storage.node import Node, open_node
from lfr.storage.vault import Vault
from lfr.vision.packs import LocatedPack, pack_digest

_log = log.get(__name__)

START_S = 120.0
WRITER, SUPERVISOR = "audit-writer", "supervisor"


class Runtime:
    """Everything that runs for one configuration.

    `async with Runtime(config, located) as runtime:` brings up database, Ray and actors. Cameras show tiles; nobody is
    recognised before a deployment goes live (`control.go_live`), or goes on by itself because it was live when the
    system ended. Raises LfrError with a hint when anything is not as it must be.
    """

    control: RemoteControl
    db: Database
    node: Node
    vault: Vault
    policy: Policy
    bundle: Bundle
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
        self._sweep: asyncio.Task[None] | None = None
        self._actors: dict[str, Any] = {}
        self._run_file = config.data_path / "run.json"
        self._folder = Path()

    @property
    def registrar(self) -> str:
        """The public key of whoever vouches for the force's officers, 64 hex digits."""
        return self.config.registrar or self.node.registrar_key

    async def terms(self) -> Terms:
        """What a step in a deployment's life is judged by, at this moment. Raises StorageError."""
        return Terms(self.policy, self.bundle, await machine.look(self.db, self.config, self.registrar))

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
        self.policy = policies.load(config.policy)
        self.bundle = running_bundle_of(config, self.pack, self.policy)
        config.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        await migrate(config.database_url)
        self.node = open_node(config.node_key_source, config.keys_path, create=True)
        self.vault = self.node.vault()
        self.db = Database(config.database_url)
        self._ray = start_ray(config.ray, mode=config.mode, node_name=config.name)
        self._notes += self._ray.warnings
        base = self._ray.folder.path if self._ray.folder else Path(config.ray.tmpfs) / f"lfr-{os.getuid()}-{self._run}"
        self._folder = base / "journal"
        await self._start_actors()
        self._sweep = asyncio.create_task(sweep_for_ever(self.db, self.vault, self.policy))

    async def _start_actors(self) -> None:
        roster, started = self._spawn()
        self._actors = started  # an actor lives for as long as the handle from its start
        # All processes start side by side; only then is anybody waited for.
        contracts = await self._all([started[name].contract.remote() for name in roster.pool])
        pool = [started[name] for name in roster.pool]
        self.engine = PoolEngine(pool, contracts[0], asyncio.get_running_loop())
        others = [one for name, one in started.items() if name not in roster.pool]
        await self._all([started[WRITER].start.remote(), *(one.status.remote() for one in others)])
        supervisor = started[SUPERVISOR]
        self._watch = supervisor.watch.remote()
        self.control = RemoteControl(
            self.config.name, supervisor, started[WRITER], Crew(roster), self.engine, self.pack, self.db, self.vault,
            self.policy,
        )  # fmt: skip
        for name, camera in self.control.crew.cameras.items():
            self._runs[name] = asyncio.create_task(self._follow(name, camera))

    def _spawn(self) -> tuple[Roster, dict[str, Any]]:
        """Start every actor's process. Returns their names, and their handles by name."""
        config, pack, bundle = self.config, self.pack, self.bundle
        home = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(home, soft=False)
        store = StoreAddress(config.database_url, config.node_key_source, config.keys_path, home)
        common = (str(self._folder), config.log_level)
        trust = Trust(config.force, self.node.minter_key, self.registrar, self.policy, bundle)
        workers, threads = pool_shape(config)
        gpus = 1 if config.inference.provider != "cpu" else 0
        nodes = sorted({camera.node or config.name for camera in config.cameras} or {config.name})
        roster = Roster(
            pool=tuple(f"inference-{i}" for i in range(workers)),
            matchers=tuple(f"matcher-{node}" for node in nodes),
            cameras=tuple(camera.id for camera in config.cameras),
            matcher_of={camera.id: f"matcher-{camera.node or config.name}" for camera in config.cameras},
        )
        started: dict[str, Any] = {}
        members: list[Member] = []

        def start(shell: type[Shell], name: str, *arguments: Any, **options: Any) -> None:
            started[name] = spawn(shell, name, *common, *arguments, **options)
            members.append(Member(name, shell.kind))

        if self._ray is not None and not self._ray.local:
            start(KeeperActor, KEEPER, config.node_key_source, config.keys_path, scheduling_strategy=here)
        for name in roster.pool:
            start(
                InferenceActor,
                name,
                self.located,
                config.inference,
                threads,
                trust,
                num_gpus=gpus,
                max_pending_calls=config.inference.max_pending * 8,
                scheduling_strategy="SPREAD",
            )
        keep_s = self.policy.retention.alert_hours * 3600  # G2, G5
        start(AuditWriterActor, WRITER, store, config.matcher.cooldown_s, keep_s, scheduling_strategy=here)
        for node in nodes:
            start(MatcherActor, f"matcher-{node}", pack, trust, store, resources=_on(node))
        for camera in config.cameras:
            start(
                CameraActor,
                camera_actor(camera.id),
                camera,
                Secret(camera_address(camera, config.secrets_file)),
                pack,
                self._run,
                list(roster.pool),
                roster.matcher_of[camera.id],
                WRITER,
                bundle.confirm_shots,
                self.node.minter_key,
                resources=_on(camera.node or config.name),
            )
        facts = Facts(config.name, config.mode, pack.name, self._notes)
        rules = Rules(self.policy, bundle, self.registrar)
        watched = list(members)
        told = (watched, facts, WRITER, roster, config, rules, store)
        start(SupervisorActor, SUPERVISOR, *told, scheduling_strategy=here)
        return roster, started

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
        tasks = [*self._runs.values(), *([self._sweep] if self._sweep else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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
        """What is live pauses until the next start; then cameras end. Nobody is waited for longer than seconds."""
        with contextlib.suppress(LfrError):
            await self.control.pause("shutdown", "system")
        calls = [actor.stop.remote() for actor in self.control.crew.cameras.values()]
        if calls:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 3.0)


def running_bundle_of(config: Config, pack: Pack, policy: Policy) -> Bundle:
    """What this configuration recognises with. Raises ConfigError: no calibration, or a policy for other modes."""
    if config.mode not in policy.modes:
        raise ConfigError(f"policy {policy.name} is not for {config.mode} use", hint="choose another policy or mode")
    return bundle_of(
        pack,
        pack_digest(pack),
        policy,
        confirm_shots=config.matcher.confirm_shots,
        target_fpir=config.matcher.target_fpir,
        fixed=config.matcher.threshold,
    )


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
