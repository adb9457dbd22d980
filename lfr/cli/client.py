"""The command line's way to a running system: its run file says where it is, its HTTP API does the work."""

from __future__ import annotations

import getpass
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import httpx
import msgspec

from lfr.config import Config
from lfr.domain.errors import (
    ConfigError,
    Conflict,
    LfrError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    RuntimeFailed,
    WatchlistError,
)

RUN_FILE = "run.json"
START_HINT = "start it with `lfr serve --config FILE`, or name the configuration that it runs with"
_ERRORS: dict[int, type[LfrError]] = {
    400: WatchlistError,
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: WatchlistError,
    422: WatchlistError,
}


class RunFile(msgspec.Struct, frozen=True):
    """What a running system leaves for its user's command line. token: a bearer token, as good as a password."""

    url: str
    token: str
    cafile: str
    pid: int

    def __repr__(self) -> str:
        return f"RunFile(url={self.url!r}, pid={self.pid})"


class _Problem(msgspec.Struct):
    """An error as the API tells it (RFC 9457)."""

    title: str = ""
    detail: str = ""
    hint: str = ""


def local_user() -> str:
    """How the audit log names whoever runs a command on this machine."""
    try:
        return f"local:{getpass.getuser()}"[:120]
    except (OSError, KeyError):
        return f"local:{os.getuid()}"


def find_run(config: Config) -> RunFile | None:
    """The run file of the system that runs with this configuration, None when none runs.

    Raises RuntimeFailed when the file is there but cannot be trusted or read.
    """
    path = config.data_path / RUN_FILE
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RuntimeFailed(
            f"cannot read {path}: {error.strerror}", hint="run this as the user that the system runs as"
        ) from None
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_mode & 0o077:
            raise RuntimeFailed(f"{path} may be read by others", hint="stop the system, delete the file, start again")
        raw = file.read(1 << 16)
    try:
        found = msgspec.json.decode(raw, type=RunFile)
    except msgspec.MsgspecError:
        raise RuntimeFailed(f"{path} is damaged", hint="restart the system") from None
    return found if _alive(found.pid) else None


def connect(config: Config, *, timeout_s: float = 60.0) -> Client:
    """A client of the system that runs with this configuration. Raises RuntimeFailed when none runs."""
    found = find_run(config)
    if found is None:
        raise RuntimeFailed(f"no system named {config.name} is running", hint=START_HINT)
    return Client(found, timeout_s=timeout_s)


class Client:
    """Speaks to one running system. Every call raises LfrError with what the system answered."""

    def __init__(self, run: RunFile, *, timeout_s: float = 60.0, transport: httpx.BaseTransport | None = None) -> None:
        self._url = run.url
        self._http = httpx.Client(
            base_url=run.url,
            headers={"authorization": f"Bearer {run.token}"},
            timeout=httpx.Timeout(timeout_s, connect=5.0),
            verify=_trust(run.cafile),
            trust_env=False,  # a proxy named in the environment must not see the token
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return self._ask("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST a JSON document."""
        return self._ask("POST", path, json=body or {})

    def signed_in(self, name: str, password: str) -> None:
        """From now on speak as this account rather than as the local user. Raises NotSignedIn."""
        session = self.post("/api/v1/sessions", {"name": name, "password": password})
        self._http.headers["authorization"] = f"Bearer {session['token']}"

    def entries(self) -> list[dict[str, Any]]:
        """The watchlist: id, label, images, added_at, revoked_at of each entry."""
        return list(self.get("/api/v1/watchlist")["entries"])

    def add_entry(self, label: str, pictures: Sequence[tuple[str, bytes]]) -> list[dict[str, Any]]:
        """Enrol one person; returns when every live matcher knows, one row per picture."""
        files = [("pictures", (name, data, "application/octet-stream")) for name, data in pictures]
        return list(self._ask("POST", "/api/v1/watchlist", data={"label": label}, files=files)["rows"])

    def revoke_entry(self, entry_id: UUID) -> None:
        """Take one entry off the list; returns when no live matcher knows it any more."""
        self._ask("DELETE", f"/api/v1/watchlist/{entry_id}")

    def _ask(self, method: str, path: str, **given: Any) -> Any:
        try:
            answer = self._http.request(method, path, **given)
        except httpx.TimeoutException:
            raise RuntimeFailed(f"the system at {self._url} does not answer in time", hint="see `lfr status`") from None
        except httpx.HTTPError as error:
            raise RuntimeFailed(
                f"cannot reach the system at {self._url} ({type(error).__name__})", hint="see `lfr status` and its log"
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _told(answer)


def _told(answer: httpx.Response) -> LfrError:
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.MsgspecError:
        problem = _Problem()
    words = problem.detail or problem.title or f"the system answered with status {answer.status_code}"
    return _ERRORS.get(answer.status_code, RuntimeFailed)(words, hint=problem.hint)


def _trust(cafile: str) -> ssl.SSLContext | bool:
    if not cafile:
        return True
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot read the certificate {Path(cafile)}: {error}", hint="check api.tls_cert") from None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
