"""`lfr policy`: show, check, compare, announce."""

import json

import pytest

from lfr.cli.app import run
from lfr.domain.notice import notice
from lfr.domain.periods import periods
from lfr.resources import configs
from lfr.services import policies

RAW = (configs() / "policies" / "uk-default.yaml").read_text()


@pytest.fixture
def lfr(capsys):
    def use(*arguments):
        with pytest.raises(SystemExit) as left:
            run(["policy", *map(str, arguments)])
        shown = capsys.readouterr()
        return left.value.code, shown.out, shown.err

    return use


def test_a_policy_is_shown(lfr):
    code, out, _ = lfr("show", "uk-default")
    assert code == 0
    held = policies.load("uk-default")
    for word in (held.digest, "superintendent or above", "wanted-by-court", "20,000"):
        assert word in out
    assert "victim-or-witness" not in out
    code, out, _ = lfr("show", "uk-default", "--json")
    said = json.loads(out)
    assert said.pop("digest") == held.digest
    assert said["watchlist"]["cap"] == 20_000


def test_all_faults_are_named_at_once(lfr, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(RAW.replace("cap: 20000", "cap: 40000").replace("min_rank: superintendent", "min_rank: general"))
    code, out, _ = lfr("check", path, "demo")
    assert code == 1
    assert "✗ watchlist.cap" in out
    assert "✗ authority.min_rank" in out
    assert "demo: no fault" in out
    code, _, err = lfr("show", path)
    assert code == 1
    assert "more" in err
    (tmp_path / "worse.yaml").write_text("name: [")
    code, out, _ = lfr("check", tmp_path / "worse.yaml", "uk-default")
    assert code == 1
    assert "not valid YAML" in out
    assert "! sensitive.places" in out
    assert lfr("check", "uk-default", "demo")[0] == 0


def test_two_versions_are_compared(lfr, tmp_path):
    path = tmp_path / "next.yaml"
    path.write_text(RAW.replace("cap: 20000", "cap: 16000"))
    code, out, _ = lfr("diff", "uk-default", path)
    assert (code, out) == (1, "watchlist.cap\n  - 20000\n  + 16000\n")
    assert lfr("diff", "demo", "demo")[:2] == (0, "")
    code, _, err = lfr("diff", "demo", tmp_path / "nothing.yaml")
    assert code == 1
    assert err.startswith("error: no policy")


@pytest.mark.rule("G5")
def test_the_notice_states_the_periods_of_the_policy_and_no_other(lfr):
    code, out, _ = lfr("notice", "uk-default")
    assert code == 0
    held = policies.load("uk-default")
    assert out == notice(held)
    for one in periods(held):
        assert f"- {one.what}: {one.how_long}" in out
    for one in (*held.use_cases, *held.sources):
        assert one.title in out
    assert "Victim" not in out
    code, _, err = lfr("notice", "uk-default", "--deployment", "current")
    assert code == 1
    assert "--config" in err
