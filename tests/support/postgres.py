"""A private PostgreSQL server for tests: its own cluster in a temporary folder, a free port, thrown away at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

PASSWORD = "not-a-secret-of-anybody"


def binaries() -> Path:
    """The newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent


class Server:
    """One running server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        """The async URL of one of its databases."""
        return f"postgresql+asyncpg://lfr:{password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """The URL of a new, empty database."""
        name = f"lfr_{uuid.uuid4().hex}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql answers."""
        command = [
            binaries() / "psql",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "lfr",
            "-At",
            "-c",
            statement,
            database,
        ]
        done = subprocess.run(
            command,
            env={"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Start a server and stop it again. initdb refuses root, so root lends the folder to postgres or nobody."""
    folder = Path(tempfile.mkdtemp(prefix="lfr-pg-", dir="/tmp"))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    data = folder / "data"
    port = _free_port()
    as_other = _lend(folder)
    try:
        options = [
            "-D",
            str(data),
            "-U",
            "lfr",
            "-A",
            "scram-sha-256",
            "--pwfile",
            str(secret),
            "-E",
            "UTF8",
            "--no-sync",
        ]
        _run([*as_other, binaries() / "initdb", *options, "--locale", "C.UTF-8"])
        # Tests need no durability; the product's own settings are not touched by these.
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        _run(
            [
                *as_other,
                binaries() / "pg_ctl",
                "-D",
                data,
                "-w",
                "-t",
                "60",
                "-l",
                folder / "log",
                "-o",
                settings,
                "start",
            ]
        )
        try:
            yield Server(folder, port)
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        _remove(folder)


def _lend(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    name = next(name for name in ("postgres", "nobody") if _exists(name))
    person = pwd.getpwnam(name)
    for path in (folder, *folder.iterdir()):
        os.chown(path, person.pw_uid, person.pw_gid)
    return ["setpriv", f"--reuid={person.pw_uid}", f"--regid={person.pw_gid}", "--clear-groups"]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _run(command: list[object]) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=120, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _remove(folder: Path) -> None:
    # The server's last files may still be on their way out.
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.2)
