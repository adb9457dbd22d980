"""The command line's client: whom it trusts, and what it makes of the API's answers (real sockets)."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lfr.cli.app import run
from lfr.cli.client import Client, RunFile, connect, find_run, local_user
from lfr.config import parse
from lfr.domain import errors

TOKEN = "secret-token"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "data").mkdir()
    return parse(b"name: van\nmode: demo\npack: embedded\ndata_dir: data\n", where="test", base=tmp_path)


@pytest.fixture
def write(config):
    """Leave a run file, as a running system does."""

    def use(url="http://127.0.0.1:1", pid=None, mode=0o600, **changed):
        path = config.data_path / "run.json"
        path.unlink(missing_ok=True)
        path.write_text(json.dumps({"url": url, "token": TOKEN, "cafile": "", "pid": pid or os.getpid()} | changed))
        path.chmod(mode)
        return path

    return use


class Server(ThreadingHTTPServer):
    """Answers every request with what it was told, and keeps what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = (200, {"entries": []})
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def _reply(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.asked.append((self.command, self.path, self.headers.get("authorization"), body))
        status, answer = self.server.answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _reply  # noqa: N815 - the base class's names

    def log_message(self, *_):
        """Be quiet."""


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_a_running_system_is_found(config, write):
    write()
    found = find_run(config)
    assert found.pid == os.getpid()
    assert TOKEN not in repr(found)


def test_no_system(config):
    assert find_run(config) is None
    with pytest.raises(errors.RuntimeFailed, match="no system named van") as failed:
        connect(config)
    assert "lfr serve" in failed.value.hint


def test_a_dead_systems_file_counts_for_nothing(config, write):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    write(pid=done.pid)
    assert find_run(config) is None


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_token_that_others_may_read_is_not_used(config, write, mode):
    write(mode=mode)
    with pytest.raises(errors.RuntimeFailed, match="read by others"):
        find_run(config)


def test_a_damaged_file_and_a_link(config, write):
    path = write(pid="many")
    with pytest.raises(errors.RuntimeFailed, match="damaged"):
        find_run(config)
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))
    with pytest.raises(errors.RuntimeFailed, match="cannot read"):
        find_run(config)


def test_nobody_answers(config, write):
    write()
    with connect(config) as client, pytest.raises(errors.RuntimeFailed, match="cannot reach") as failed:
        client.entries()
    assert TOKEN not in failed.value.message + failed.value.hint


def test_an_answer_that_does_not_come(config, write):
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        write(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with connect(config, timeout_s=0.2) as client, pytest.raises(errors.RuntimeFailed, match="in time"):
            client.entries()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.WatchlistError),
        (401, errors.NotSignedIn),
        (403, errors.NotAllowed),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.WatchlistError),
        (500, errors.RuntimeFailed),
        (503, errors.RuntimeFailed),
    ],
)
def test_a_problem_becomes_the_error_it_tells_of(server, status, kind):
    server.answer = (status, {"type": "urn:lfr:x", "title": "T", "detail": "matcher-2 did not answer", "hint": "wait"})
    with Client(RunFile(server.url, TOKEN, "", 1)) as client, pytest.raises(errors.LfrError) as failed:
        client.entries()
    assert type(failed.value) is kind
    assert (failed.value.message, failed.value.hint) == ("matcher-2 did not answer", "wait")


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]"])
def test_an_error_that_is_no_problem(server, answer):
    server.answer = (502, answer)
    with Client(RunFile(server.url, TOKEN, "", 1)) as client, pytest.raises(errors.RuntimeFailed, match="502"):
        client.entries()


def test_the_token_goes_to_the_system_alone(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Client(RunFile(server.url, TOKEN, "", 1)) as client:
        assert client.entries() == []
    assert server.asked[0][:3] == ("GET", "/api/v1/watchlist", f"Bearer {TOKEN}")


def test_a_certificate_that_is_not_there(tmp_path):
    with pytest.raises(errors.ConfigError, match="certificate"):
        Client(RunFile("https://127.0.0.1:1", TOKEN, str(tmp_path / "none.pem"), 1))


def test_the_local_user_has_a_name(monkeypatch):
    assert local_user().startswith("local:")

    def nobody():
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert local_user() == f"local:{os.getuid()}"


@pytest.mark.rule("C5")
def test_a_moved_cameras_view_is_confirmed_from_the_command_line(config, write, server, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lfr.log.configure", lambda level: None)
    (tmp_path / "van.yaml").write_text("name: van\nmode: demo\npack: embedded\ndata_dir: data\n")
    command = ["camera", "confirm-view", "north", "--config", str(tmp_path / "van.yaml")]
    write(url=server.url)
    server.answer = (204, b"")
    with pytest.raises(SystemExit) as left:
        run(command)
    assert (left.value.code, capsys.readouterr().err) == (0, "north: its view is confirmed\n")
    assert [asked[:2] for asked in server.asked] == [("POST", "/api/v1/cameras/north/confirm-view")]
    server.answer = (404, {"title": "Not found", "detail": "there is no camera north", "hint": "cameras: south"})
    with pytest.raises(SystemExit) as left:
        run(command)
    assert left.value.code == 1
    assert capsys.readouterr().err == "error: there is no camera north\nhint: cameras: south\n"
