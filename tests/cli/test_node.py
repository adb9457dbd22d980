import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lfr.actors import host, node
from lfr.cli.node import app
from lfr.domain.errors import ConfigError, NotFound

runner = CliRunner()


def test_check_shows_each_thing_looked_at():
    done = runner.invoke(app, ["check", "--mode", "demo", "--store-mb", "80"])
    assert done.exit_code == 0
    assert "✓ /dev/shm in memory" in done.stdout


def test_check_in_json_names_what_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "swaps", lambda: ("/dev/sda2",))
    done = runner.invoke(app, ["check", "--json"])
    assert done.exit_code == 1
    machine = json.loads(done.stdout.splitlines()[-1])[0]
    assert machine["safe"] is False
    assert {"name": "swap off", "ok": False, "detail": "on: /dev/sda2", "lenient": True} in machine["checks"]


def test_swap_is_a_warning_in_demo(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "swaps", lambda: ("/dev/sda2",))
    done = runner.invoke(app, ["check", "--mode", "demo", "--store-mb", "80"])
    assert done.exit_code == 0
    assert "! swap off: on: /dev/sda2" in done.stdout


def test_check_refuses_a_disk_and_a_token_others_may_read(tmp_path: Path):
    folder = Path(__file__).parent
    token = tmp_path / "token"
    token.write_text("x" * 64)
    token.chmod(0o644)
    done = runner.invoke(app, ["check", "--tmpfs", str(folder), "--token", str(token)])
    assert done.exit_code == 1
    assert "is not in memory" in done.stdout
    assert "can be read by others" in done.stdout


@pytest.mark.parametrize("arguments", [["--name", "van-1"], ["--name", "van-1", "--head", "--address", "a:1"]])
def test_a_node_is_either_a_head_or_joins_one(arguments: list[str]):
    done = runner.invoke(app, ["start", *arguments])
    assert isinstance(done.exception, ConfigError)
    assert "either --head or --address" in str(done.exception)


def test_stopping_an_unknown_node_names_it():
    done = runner.invoke(app, ["stop", "--name", "van-404"])
    assert isinstance(done.exception, NotFound)


def test_stopping_where_nothing_runs_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(node, "running_nodes", lambda tmpfs: [])
    done = runner.invoke(app, ["stop"])
    assert done.exit_code == 0
    assert "no node was running here" in done.stdout
