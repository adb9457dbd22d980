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

    def empty(self) -> str:
        """The URL of a database with nothing in it: one for the whole run, since making and removing them is slow."""
        if "lfr_test" not in self.sql("SELECT datname FROM pg_database"):
            self.sql("CREATE DATABASE lfr_test")
        self.disconnect()
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "lfr_test")
        return self.url("lfr_test")

    def copy(self, name: str) -> str:
        """A backup: dumped, and restored under another name. The copy's URL."""
        connection = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "lfr"]
        environment = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {name}")
        dump = [binaries() / "pg_dump", *connection, "lfr_test"]
        dumped = subprocess.run(dump, env=environment, check=True, capture_output=True)
        restore = [binaries() / "psql", *connection, "-q", "-v", "ON_ERROR_STOP=1", name]
        subprocess.run(restore, env=environment, check=True, capture_output=True, input=dumped.stdout)
        return self.url(name)

    def disconnect(self) -> None:
        """End every connection to that database, as a restart of the server would."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lfr_test'")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql answers."""
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "lfr", "-At", "-c", statement, database]
        environment = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
        command = [binaries() / "psql", *options]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
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
        options = ["-U", "lfr", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale", "C.UTF-8"]
        _run([*as_other, binaries() / "initdb", "-D", data, "--no-sync", *options])
        # Tests need no durability; the product's own settings are not touched by these.
        settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB"
        control = [*as_other, binaries() / "pg_ctl", "-D", data, "-w", "-t", "60"]
        _run([*control, "-l", folder / "log", "-o", settings, "start"])
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
