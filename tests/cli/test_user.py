"""`lfr user`: an account and its one-time password, shown once."""

import asyncio
import stat

import pytest

from lfr.cli.app import run
from lfr.domain.errors import NotSignedIn
from lfr.services import users
from lfr.storage.database import Database

CONFIG = "name: van\nmode: research\npack: embedded\ndata_dir: data\n"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "van.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def lfr(config, capsys):
    """Run the command; exit code, stdout, stderr."""

    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run([*arguments, "--config", str(config)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


def test_the_password_shown_signs_in(lfr, tmp_path):
    code, out, err = lfr("user", "add", "Ann", "--role", "engineer")
    assert code == 0
    password = out.strip()
    assert password not in err
    assert "ann" in err
    assert stat.S_IMODE((tmp_path / "data" / "lfr.db").stat().st_mode) == 0o600

    async def who():
        db = Database(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}")
        try:
            signed_in = await users.who(db, await users.sign_in(db, "ann", password))
            with pytest.raises(NotSignedIn):
                await users.sign_in(db, "ann", password.upper())
        finally:
            await db.dispose()
        return signed_in

    signed_in = asyncio.run(who())
    assert (signed_in.roles, signed_in.must_change) == (("engineer",), True)


def test_listing(lfr):
    lfr("user", "add", "ann", "--role", "engineer")
    lfr("user", "add", "bob")
    code, out, _ = lfr("user", "list")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert [line[:2] for line in lines[1:]] == [["ann", "engineer"], ["bob", "operator"]]


@pytest.mark.parametrize("arguments", [("ann", "--role", "king"), ("two words",), ("ann",)])
def test_what_is_refused_is_one_line_and_a_hint(lfr, arguments):
    lfr("user", "add", "ann")
    code, out, err = lfr("user", "add", *arguments)
    assert code == 1
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert len(lfr("user", "list")[1].splitlines()) == 2


def test_roles_and_rank_change(lfr):
    lfr("user", "add", "ann", "--role", "authorising-officer", "--rank", "lead")
    assert lfr("user", "list")[1].splitlines()[1].split()[:3] == ["ann", "authorising-officer", "lead"]
    assert lfr("user", "change", "ann", "--role", "operator", "--role", "engineer", "--rank", "")[0] == 0
    assert lfr("user", "list")[1].splitlines()[1].split()[:4] == ["ann", "operator,", "engineer", "one-time"]
    for wrong in (("ann",), ("ann", "--rank", "general"), ("bob", "--rank", "lead"), ("ann", "--role", "king")):
        code, _, err = lfr("user", "change", *wrong)
        assert code == 1
        assert err.startswith("error: ")
    assert lfr("user", "add", "bob", "--rank", "general")[0] == 1


def test_a_reset_gives_another_password(lfr):
    first = lfr("user", "add", "ann")[1].strip()
    code, out, err = lfr("user", "reset", "ann")
    assert code == 0
    assert len(out.strip()) == 24
    assert out.strip() != first
    assert "retired" in err
    assert lfr("user", "reset", "nobody")[0] == 1


def test_a_configuration_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        run(["user", "list", "--config", str(tmp_path / "nothing.yaml")])
    assert left.value.code == 1
    assert "cannot read configuration" in capsys.readouterr().err
