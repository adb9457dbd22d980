"""Configuration: one YAML file, read once, strictly decoded into frozen structs. Unknown keys are errors.

Relative paths in the file are taken from the file's own folder. `${NAME}` in a camera's url is replaced from the
environment, or from the file named by `secrets_file` (lines NAME=value), so that no credential stands in the file.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import platformdirs

from lfr.domain.errors import ConfigError

Mode = Literal["demo", "research", "operational"]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unknown keys are errors."""


class SourceTimes(_Strict, frozen=True):
    """Seconds. A stream without a frame for `stale_after` is unhealthy; after `read_timeout` it is reopened."""

    open_timeout: Positive = 5.0
    read_timeout: Positive = 5.0
    backoff_min: Positive = 0.5
    backoff_max: Positive = 30.0
    stale_after: Positive = 2.0
    frozen_after: Positive = 10.0


class Camera(_Strict, frozen=True):
    """One camera. url: a file, a folder, `webcam:0`, `rtsp://...`, `http://...` or `scene:demo`.

    pace: `file` (every frame, back-pressure) or `live` (its own rate, newest frame wins); streams are always live.
    process_fps: how often the detector runs, at most. zone: polygon of x, y in 0..1 of the picture; empty = all of it.
    node: the van or node this camera hangs on (Ray resource `van:<node>`); empty = this one. waits: nothing is read
    before recognition begins, as is always so at pace `file`: a clip that is measured must not run out meanwhile.
    """

    id: Name
    url: str
    title: str = ""
    pace: Literal["file", "live"] = "live"
    process_fps: Positive = 12.5
    zone: tuple[tuple[Share, Share], ...] = ()
    node: str = ""
    waits: bool = False
    times: SourceTimes = SourceTimes()


class Inference(_Strict, frozen=True):
    """The pool. workers: how many actors, 0 = one on a GPU, or one per core up to four. threads: each, 0 = its share.

    batch_size, batch_age_ms: a batch leaves when it is full or that old; with age 0 as soon as a worker is idle.
    """

    provider: Literal["cpu", "cuda", "tensorrt"] = "cpu"
    workers: Annotated[int, msgspec.Meta(ge=0)] = 0
    threads: Annotated[int, msgspec.Meta(ge=0)] = 0
    batch_size: Count = 16
    batch_age_ms: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    max_pending: Count = 8
    gpu_memory_mb: Count = 4096


class Matcher(_Strict, frozen=True):
    """threshold: None = from the pack's calibration for the present watchlist size and target_fpir (per transit)."""

    threshold: float | None = None
    target_fpir: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None
    confirm_shots: Count = 2
    cooldown_s: Positive = 60.0


class Storage(_Strict, frozen=True):
    """url: `sqlite` (in data_dir) or a PostgreSQL URL. keys: folder of the key store; empty = data_dir/keys.

    node_key: file of the node key; empty = data_dir/node.key. Or `env:NAME` (a variable that holds it), or
    `exec:PROGRAM ARGUMENTS` (a program that wraps and unwraps: PKCS#11, a key service; lfr.storage.key_command).
    Neither belongs in the database's backup.
    """

    url: str = "sqlite"
    node_key: str = ""
    keys: str = ""


class Api(_Strict, frozen=True):
    """The control and review API. Anything but loopback needs TLS."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8443
    tls_cert: str = ""
    tls_key: str = ""


class RayNode(_Strict, frozen=True):
    """address: empty = a local Ray of our own; `host:port` or `auto` = join a cluster whose nodes ran `lfr node start`.

    token_file: the cluster's token, 0600; empty = LFR_RAY_TOKEN, or ray.token in the user's data folder.
    """

    address: str = ""
    token_file: str = ""
    tmpfs: str = "/dev/shm"  # noqa: S108 - shared memory is the point: nothing of Ray may lie on a disk (D4)
    store_mb: Count = 256


class Config(_Strict, frozen=True):
    """One van or region. mode: `demo` and `research` are said on every page; `operational` is refused as yet.

    force: whose system it is, as authorities name it. policy: a name of configs/policies or a file. registrar: public
    key (64 hex digits) of whoever vouches for the force's officers; empty = this node.
    """

    name: Name
    mode: Mode
    pack: str
    force: Name = "no-force"
    policy: str = "demo"
    registrar: PublicKey = ""
    cameras: tuple[Camera, ...] = ()
    data_dir: str = ""
    secrets_file: str = ""
    inference: Inference = Inference()
    matcher: Matcher = Matcher()
    storage: Storage = Storage()
    api: Api = Api()
    ray: RayNode = RayNode()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def data_path(self) -> Path:
        """Where this system keeps its database and keys."""
        return Path(self.data_dir) if self.data_dir else default_data_dir() / self.name

    @property
    def node_key_source(self) -> str:
        """Where the node key is: a file's path, `env:NAME` or `exec:PROGRAM ARGUMENTS`."""
        return self.storage.node_key or str(self.data_path / "node.key")

    @property
    def keys_path(self) -> Path:
        """The key store's folder."""
        return Path(self.storage.keys) if self.storage.keys else self.data_path / "keys"

    @property
    def database_url(self) -> str:
        """An SQLAlchemy async URL."""
        url = self.storage.url
        if url == "sqlite":
            return f"sqlite+aiosqlite:///{self.data_path / 'lfr.db'}"
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+asyncpg://", url)


_NO_FILE = re.compile(r"env:|exec:")


def default_data_dir() -> Path:
    """The user's data folder (LFR_HOME if set)."""
    return Path(os.environ.get("LFR_HOME") or platformdirs.user_data_dir("lfr"))


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises ConfigError with the file's name and the offending key.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read configuration {path}: {error.strerror}", hint="give --config FILE, see configs/van.yaml"
        ) from error
    return parse(raw, where=str(path), base=path.resolve().parent)


def parse(raw: bytes, *, where: str, base: Path) -> Config:
    """Decode YAML bytes; relative paths are taken from `base`. Raises ConfigError."""
    try:
        config = msgspec.yaml.decode(raw, type=Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}", hint="`lfr check --config FILE` lists the known keys") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: not valid YAML: {error}".splitlines()[0], hint="check indentation") from error
    doubled = sorted({c.id for c in config.cameras if [x.id for x in config.cameras].count(c.id) > 1})
    if doubled:
        raise ConfigError(f"{where}: camera id used twice: {', '.join(doubled)}", hint="each camera needs its own id")
    return _resolved(config, base)


def require_live(config: Config) -> None:
    """Past footage is not searched (D5): in operations every camera is a live one. Raises ConfigError."""
    for camera in config.cameras:
        live = re.match(r"(?i)(rtsps?://|https?://|webcam:)", camera.url) and camera.pace == "live"
        if config.mode == "operational" and not live:
            raise ConfigError(
                f"camera {camera.id} is a recording or a scene: no past footage is searched",
                hint="rtsp://, rtsps://, http://, https:// or webcam:0 at pace live; recordings in research mode only",
            )


def _resolved(config: Config, base: Path) -> Config:
    def absolute(value: str) -> str:
        return str((base / Path(value).expanduser()).resolve()) if value else ""

    return msgspec.structs.replace(
        config,
        data_dir=absolute(config.data_dir),
        secrets_file=absolute(config.secrets_file),
        pack=absolute(config.pack) if config.pack.endswith((".yaml", ".yml")) else config.pack,
        policy=absolute(config.policy) if config.policy.endswith((".yaml", ".yml")) else config.policy,
        cameras=tuple(msgspec.structs.replace(c, url=_camera_url(c.url, base)) for c in config.cameras),
        storage=msgspec.structs.replace(
            config.storage,
            node_key=config.storage.node_key
            if _NO_FILE.match(config.storage.node_key)
            else absolute(config.storage.node_key),
            keys=absolute(config.storage.keys),
        ),
        ray=msgspec.structs.replace(config.ray, token_file=absolute(config.ray.token_file)),
        api=msgspec.structs.replace(
            config.api, tls_cert=absolute(config.api.tls_cert), tls_key=absolute(config.api.tls_key)
        ),
    )


def _camera_url(url: str, base: Path) -> str:
    if "://" in url or "${" in url or re.match(r"^(webcam|scene):", url):
        return url
    return str((base / Path(url).expanduser()).resolve())


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that shows itself nowhere: not in a log, a traceback or an assertion."""

    value: str = field(repr=False)


def camera_address(camera: Camera, secrets_file: str) -> str:
    """The address to open, credentials filled in. Never log, store or show what this returns.

    Raises ConfigError naming the missing variable, never its value.
    """
    secrets = _secrets(secrets_file)

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        value = secrets.get(name, os.environ.get(name))
        if value is None:
            raise ConfigError(
                f"camera {camera.id}: its url needs {name}, which is not set",
                hint="set it in the environment or in the file named by secrets_file",
            )
        return value

    return re.sub(r"\$\{(\w+)\}", fill, camera.url)


def _secrets(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise ConfigError(
            f"cannot read secrets_file {path}: {error.strerror}", hint="chmod 600, one NAME=value a line"
        ) from error
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def public_url(url: str) -> str:
    """The url without user, password and query: the only form that may be shown or logged.

    It fails closed: everything up to the last @ goes, since a password may itself hold @ / ? or #, and so does a path
    segment that names a user or a secret (`user=admin&password=...`, as some cameras want it).
    """
    found = re.match(r"[\w.+-]+://?", url)
    scheme = found.group() if found else ""
    rest = url[len(scheme) :]
    if scheme or re.match(r"[^/]*:[^/]*@", rest):
        rest = rest.rpartition("@")[2]
    if scheme:
        rest = re.split(r"[?#]", rest, maxsplit=1)[0]
        rest = re.sub(r"(?i)[^/]*(?:user|login|pass|pwd|secret|token|auth|key)[^/]*=[^/]*", "***", rest)
    return scheme + rest
