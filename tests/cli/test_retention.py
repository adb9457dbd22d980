"""`lfr retention`, `lfr hold`, `lfr ledger`: what they show, what they refuse, and that nothing private leaks."""

import asyncio
import io
import json
from uuid import uuid4

import pytest

from lfr.cli.app import run
from lfr.cli.made_list import alert, fill
from lfr.domain.ledger import Membership
from lfr.services import ledger, policies, users
from lfr.storage.columns import now
from lfr.storage.database import Database, migrate
from lfr.storage.models import EvidenceHold, LedgerKey, LedgerReply, StoredObject, WatchlistEntry
from lfr.storage.node import open_node
from tests.support.kept import rows
from tests.support.quick import quicken
from tests.support.stores import new_deployment

CONFIG = "name: van\nmode: research\npack: embedded\npolicy: uk-default\ndata_dir: data\n"
WORDS = "three plain words and more"
ACCOUNT = "quite another pass phrase"


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A configured system with a list of two and one alert; (deployment id, alert id)."""
    quicken(monkeypatch)
    (tmp_path / "van.yaml").write_text(CONFIG)

    async def make():
        url = f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}"
        await migrate(url)
        db = Database(url)
        vault = open_node(tmp_path / "data" / "node.key", tmp_path / "data" / "keys", create=True).vault()
        try:
            row = await new_deployment(db, system="van")
            made = await fill(db, vault, row.id, 2, picture_bytes=100)
            raised = await alert(db, vault, row.id, made[0].entry_id, 0)
            await users.add_user(db, "dana", "data-protection-officer", ACCOUNT)
            await users.add_user(db, "olga", "operator", ACCOUNT)
            return row.id, raised
        finally:
            await db.dispose()

    return asyncio.run(make())


@pytest.fixture
def lfr(tmp_path, capsys, monkeypatch):
    """Run the command; exit code, stdout, stderr."""

    def use(*arguments, stdin=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as left:
            run([*map(str, arguments), "--config", str(tmp_path / "van.yaml")])
        shown = capsys.readouterr()
        return left.value.code or 0, shown.out, shown.err

    return use


def test_the_books_are_shown_and_balance(house, lfr):
    code, out, _ = lfr("retention", "status", "--json")
    said = json.loads(out.splitlines()[-1])
    assert (code, said["off"]) == (0, 0)
    assert {name: said["deployments"][0][name] for name in ("created", "living", "held", "deleted")} == {
        "created": 8, "living": 8, "held": 0, "deleted": 0,
    }  # fmt: skip
    code, out, _ = lfr("retention", "status")
    assert code == 0
    assert str(house[0])[:8] in out


def test_a_sweep_and_the_log(house, lfr):
    assert "each with its receipt: 0" in lfr("retention", "run")[2]
    assert lfr("retention", "reconcile")[0] == 0


@pytest.fixture
def found(tmp_path):
    """What the rows of a table show now."""

    def use(table, *columns):
        async def look():
            db = Database(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}")
            try:
                return [tuple(getattr(row, name) for name in columns) for row in await rows(db, table)]
            finally:
                await db.dispose()

        return asyncio.run(look())

    return use


def refused(answer, *words):
    """Whether a command left with 1, nothing on stdout, one line and a hint on stderr."""
    code, out, err = answer
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 2, err
    assert err.splitlines()[1].startswith("hint: ")
    for one in words:
        assert one in err


@pytest.mark.rule("A9")
@pytest.mark.parametrize("command", ["confirm", "alike", "recheck", "import", "revoke"])
def test_a_list_is_changed_from_the_shell_by_those_whom_it_is_for(house, lfr, found, tmp_path, command):
    (tmp_path / "feed.csv").write_text("nominal_ref,status\nn/1,withdrawn\n")
    (tmp_path / "people" / "Ada").mkdir(parents=True)
    given = {
        "confirm": ["--all"], "alike": [], "recheck": [tmp_path / "feed.csv"], "import": [tmp_path / "people"],
        "revoke": [found(WatchlistEntry, "id")[0][0]],
    }[command]  # fmt: skip
    before = found(WatchlistEntry, "id", "revoked_at", "checked_at", "alike")
    answer = lfr("watchlist", command, *given, "--as", "dana", "--password-file", "-", stdin=f"{ACCOUNT}\n")
    refused(answer, "needs the role")
    assert found(WatchlistEntry, "id", "revoked_at", "checked_at", "alike") == before


HELD = ("--reason", "criminal-evidence", "--owner", "DC Doe", "--days", "30")


@pytest.mark.rule("G2")
def test_a_hold_is_placed_listed_and_released(house, lfr, found):
    _, raised = house
    code, out, err = lfr("hold", "place", raised, *HELD, "--reference", "URN 1/26")
    assert code == 0
    hold = out.strip()
    assert "held until" in err
    code, out, _ = lfr("hold", "list")
    assert all(one in out for one in (hold, str(raised), "URN 1/26", "DC Doe", "local:"))
    refused(lfr("hold", "place", raised, *HELD, "--reference", "URN 1/26"), "held already")
    code, out, _ = lfr("retention", "status", "--json")
    assert (code, json.loads(out)["deployments"][0]["held"]) == (0, 2)
    code, _, err = lfr("hold", "release", hold)
    assert code == 0
    assert "go in their time" in err
    assert hold not in lfr("hold", "list")[1]
    assert hold in lfr("hold", "list", "--all")[1]
    refused(lfr("hold", "release", hold), "released already")
    assert found(StoredObject, "hold_id") == [(None,)] * 8


@pytest.mark.rule("G2")
def test_what_is_no_hold_is_refused_and_changes_nothing(house, lfr, found, tmp_path):
    _, raised = house
    (tmp_path / "account").write_text(ACCOUNT)
    case = ("--reference", "URN 1/26")
    refused(lfr("hold", "place", raised, *HELD), "needs a reference")
    refused(lfr("hold", "place", raised, *HELD[:-1], "4000", *case), "at most")
    refused(lfr("hold", "place", raised, *HELD[:-1], "nan", *case), "at most")
    refused(lfr("hold", "place", raised, "--reason", "just-because", *HELD[2:], *case), "criminal-evidence")
    refused(lfr("hold", "place", uuid4(), *HELD, *case), "there is no alert")
    refused(lfr("hold", "release", uuid4()), "there is no hold")
    assert lfr("hold", "place", "no-id", *HELD, *case)[0] == 2
    account = ("--as", "olga", "--password-file", tmp_path / "account")
    refused(lfr("hold", "place", raised, *HELD, *case, *account), "data-protection-officer")
    (tmp_path / "account").write_text("not this one")
    refused(lfr("hold", "place", raised, *HELD, *case, *account), "password is wrong")
    assert found(EvidenceHold, "id") == []
    assert found(StoredObject, "hold_id") == [(None,)] * 8


@pytest.mark.rule("G2")
def test_whoever_has_the_role_is_named_in_the_hold(house, lfr, found, tmp_path):
    (tmp_path / "account").write_text(ACCOUNT)
    account = ("--as", "dana", "--password-file", tmp_path / "account")
    code, _, err = lfr("hold", "place", house[1], *HELD, "--reference", "URN 1/26", *account)
    assert code == 0, err
    assert found(EvidenceHold, "placed_by", "owner") == [("dana", "DC Doe")]


@pytest.mark.rule("G6")
def test_books_that_are_off_end_with_an_error(house, lfr, tmp_path):
    for ring in (tmp_path / "data" / "keys").rglob("*"):
        if ring.is_file() and "alerts" in ring.name:
            ring.unlink()
    for command in ("status", "reconcile"):
        code, out, err = lfr("retention", command, "--json")
        assert code == 1
        assert json.loads(out)["off"] == 2
        assert json.loads(out)["deployments"][0]["why"] == {"keyless": 2}
        assert "2 stored objects do not balance" in err
    code, out, _ = lfr("retention", "status")
    assert code == 1
    assert "2: 2 keyless" in out


@pytest.fixture
def officer(house, lfr, tmp_path):
    """A ledger with a key, and one person remembered in it."""
    (tmp_path / "words").write_text(WORDS + "\n")
    (tmp_path / "account").write_text(ACCOUNT + "\n")
    files = ("--account-password-file", tmp_path / "account", "--password-file", tmp_path / "words")
    code, out, err = lfr("ledger", "init", "--officer", "dana", *files)
    assert code == 0, err
    assert len(out.strip()) == 64

    async def remember():
        db = Database(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lfr.db'}")
        try:
            async with db.transaction() as session:
                person = Membership(uuid4(), "WA/1", "wanted-by-court", "warrant", "Bail Act 1976 s.7", now())
                await ledger.record(session, house[0], [person], policy=policies.load("uk-default"))
        finally:
            await db.dispose()

    asyncio.run(remember())
    return ("ledger", "ask", "--officer", "dana", "--password-file", tmp_path / "words")


@pytest.mark.rule("B13")
def test_the_ledger_answers_its_officer(officer, lfr, found):
    code, out, err = lfr(*officer, stdin="wa/1\n")
    assert code == 0
    assert "wanted-by-court" in out
    assert "listed once" in err
    assert "listed never" in lfr(*officer, stdin="wa/2\n")[2]
    code, out, _ = lfr(*officer, "--reply", "confirm", stdin="wa/1\n")
    assert code == 0
    assert "You are on a watchlist" in out
    assert len(found(LedgerReply, "id")) == 1


@pytest.mark.rule("B13")
def test_the_ledger_refuses_what_is_wrong_and_keeps_nothing(officer, lfr, found, tmp_path):
    refused(lfr(*officer, "--reply", "not-listed", stdin="wa/1\n"), "was listed")
    refused(lfr(*officer, "--reply", "maybe", stdin="wa/1\n"), "neither-confirm-nor-deny")
    refused(lfr(*officer, stdin=""), "no nominal reference")
    assert found(LedgerReply, "id") == []
    (tmp_path / "words").write_text("not these plain words\n")
    refused(lfr(*officer, stdin="wa/1\n"), "the ledger's password is wrong")
    refused(lfr("ledger", "ask", "--officer", "olga", *officer[4:], stdin="wa/1\n"), "alone")
    refused(lfr(*officer[:4], "--password-file", tmp_path / "none", stdin="wa/1\n"), "cannot read the password file")


@pytest.mark.rule("B13")
def test_nobody_makes_a_ledger_key_in_the_officers_name(house, lfr, found, tmp_path):
    (tmp_path / "words").write_text(WORDS + "\n")
    (tmp_path / "account").write_text("a guess at what it is\n")
    files = ("--account-password-file", tmp_path / "account", "--password-file", tmp_path / "words")
    refused(lfr("ledger", "init", "--officer", "dana", *files), "password is wrong")
    refused(lfr("ledger", "init", "--officer", "dana", *files[2:]), "password of dana is needed")
    (tmp_path / "account").write_text(ACCOUNT + "\n")
    refused(lfr("ledger", "init", "--officer", "olga", *files), "data-protection-officer")
    (tmp_path / "words").write_text("short\n")
    refused(lfr("ledger", "init", "--officer", "dana", *files), "password")
    assert found(LedgerKey, "public") == []


def test_help_speaks_of_each(lfr, capsys):
    for group in ("retention", "hold", "ledger"):
        with pytest.raises(SystemExit) as left:
            run([group, "--help"])
        assert left.value.code == 0
        assert "Usage" in capsys.readouterr().out
