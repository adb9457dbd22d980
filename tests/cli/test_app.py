"""The root command: quick, helpful, and a failure is one line with a hint."""

import errno
import os
import subprocess
import sys

import pytest
import typer

from lfr import __version__
from lfr.cli import app as root
from lfr.domain.errors import ConfigError, RuntimeFailed


@pytest.fixture
def failing(monkeypatch):
    """A command that raises what it is told to."""

    def use(error: BaseException) -> int:
        command = typer.Typer()

        @command.command()
        def fail() -> None:
            secret = "a name"  # noqa: F841 - must not be shown
            raise error

        monkeypatch.setattr(root, "_load", lambda name: typer.main.get_command(command))
        with pytest.raises(SystemExit) as left:
            root.run(["demo"])
        return left.value.code

    return use


def test_version():
    done = subprocess.run([sys.executable, "-m", "lfr", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"lfr {__version__}"


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys\nfrom lfr.cli.app import run\n"
        "try: run(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('ray', 'cv2', 'onnxruntime', 'litestar', 'sqlalchemy', 'numpy') if m in sys.modules])"
    )
    wide = {**os.environ, "COLUMNS": "160"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=wide)
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    for name, place in root._COMMANDS.items():
        assert f" {name} " in done.stdout
        assert place.help.split(",")[0].split(":")[0] in done.stdout


def test_our_errors_are_one_line_and_a_hint(failing, capsys):
    assert failing(ConfigError("no such camera\nand more", hint="look at the file")) == 1
    shown = capsys.readouterr()
    assert shown.err == "error: no such camera\nhint: look at the file\n"
    assert shown.out == ""


def test_our_error_inside_a_group_or_an_actors_error_is_found(failing, capsys):
    assert failing(ExceptionGroup("several", [ValueError("x"), RuntimeFailed("matcher is gone")])) == 1
    assert capsys.readouterr().err == "error: matcher is gone\n"

    class FromActorError(RuntimeError):
        cause = ConfigError("no such pack", hint="lfr models list")

    assert failing(FromActorError("a remote traceback with locals")) == 1
    assert capsys.readouterr().err == "error: no such pack\nhint: lfr models list\n"


def test_a_bug_tells_its_type_and_place_but_not_its_words(failing, capsys):
    assert failing(ValueError("somebody's name")) == 70
    shown = capsys.readouterr().err
    assert len(shown.splitlines()) == 2
    assert "ValueError" in shown
    assert "test_app.py:" in shown
    assert __version__ in shown
    assert "name" not in shown


def test_a_full_disk_is_said_plainly(failing, capsys):
    assert failing(OSError(errno.ENOSPC, "No space left on device")) == 1
    assert "disk is full" in capsys.readouterr().err


def test_a_missing_package_is_named(failing, capsys):
    assert failing(ModuleNotFoundError("No module named 'skimage'", name="skimage")) == 1
    assert "skimage" in capsys.readouterr().err


def test_interrupted(failing):
    assert failing(KeyboardInterrupt()) == 130


def test_debug_shows_the_traceback(failing, capsys, monkeypatch):
    monkeypatch.setenv("LFR_DEBUG", "1")
    assert failing(ValueError("x")) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_mistyped_command_is_wrong_usage_with_a_suggestion(capsys):
    with pytest.raises(SystemExit) as left:
        root.run(["demmo"])
    assert left.value.code == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.parametrize("name", root._COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as left:
        root.run([name, "--help"])
    assert left.value.code == 0
    assert name in capsys.readouterr().out
