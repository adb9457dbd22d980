"""One file holds every period (G5): what documents and notices say comes from it, and nothing else states one."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from lfr.domain.errors import ConfigError
from lfr.domain.periods import periods
from lfr.domain.policy import Hold, Retention
from lfr.matching.fusion import LIFETIME_S
from lfr.resources import configs
from lfr.services import policies
from tests.support.pages import with_part

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "governance.md"

NO_RETENTION = {
    "lfr/cli/preflight.py": "the made-up deployment that a preflight is measured on",
    "lfr/cli/made_list.py": "the alerts of that deployment, made up too",
    "lfr/services/users.py": "how long a session lasts",
    "lfr/services/attempts.py": "how long an account is locked",
    "lfr/services/registrar.py": "how long a credential is valid",
    "lfr/services/plans.py": "the window in the form of a plan to be filled in",
    "lfr/services/oversight.py": "how old a word of oversight may be when it arrives",
    "lfr/services/retention.py": "how often the books are checked",
}
"""Files whose literal times keep nothing of anybody. What they say is looked at when the file is entered here."""


def table(policy):
    rows = "\n".join(f"| {one.what} | {one.how_long} | {one.rule} |" for one in periods(policy))
    return f"| what | how long | rule |\n|---|---|---|\n{rows}"


def uk():
    return policies.load("uk-default")


@pytest.mark.rule("G5")
def test_the_page_states_the_periods_of_the_policy():
    """A period changed in the policy alone fails here. What the page must say is in this failure."""
    text = PAGE.read_text()
    assert with_part(text, "periods", table(uk())) == text


CHANGES = {
    "alert_unactioned_seconds": 90.0, "alert_hours": 12.0, "watchlist_hours": 6.0, "ledger_months": 9.0,
    "log_years": 7.0,
}  # fmt: skip


@pytest.mark.rule("G5")
@pytest.mark.parametrize("field", CHANGES)
def test_every_period_that_can_be_changed_is_in_the_table(field):
    changed = msgspec.structs.replace(uk().retention, **{field: CHANGES[field]})
    assert table(msgspec.structs.replace(uk(), retention=changed)) != table(uk())


@pytest.mark.rule("G5")
def test_every_hold_is_in_the_table():
    shown = {one.what: one.how_long for one in periods(uk())}
    assert uk().holds
    for hold in uk().holds:
        assert f"{hold.max_days:g} days" in shown[f"Pictures held as evidence: {hold.title}"]


@pytest.mark.rule("G5")
@pytest.mark.parametrize("kind", [Retention, Hold])
def test_no_period_has_a_default_in_the_code(kind):
    """A policy file that leaves one out is refused, instead of getting a period that stands nowhere."""
    timed = [name for name in kind.__struct_fields__ if re.search("seconds|hours|days|months|years", name)]
    assert timed
    assert [name for name in timed if name not in kind.__struct_fields__[: required(kind)]] == []


def required(kind):
    return len(kind.__struct_fields__) - len(kind.__struct_defaults__)


@pytest.mark.rule("G5")
def test_a_policy_without_a_period_is_refused():
    text = (configs() / "policies" / "uk-default.yaml").read_text()
    for name in Retention.__struct_fields__:
        without = re.sub(rf"(?m)^ +{name}: .*\n", "", text)
        assert without != text
        with pytest.raises(ConfigError, match=name):
            policies.parse(without.encode(), where="policy")


@pytest.mark.rule("G1", "G5")
def test_the_code_keeps_what_does_not_match_for_less_than_any_policy_allows():
    assert min(policies.load(name).retention.nonmatch_seconds for name in policies.policy_names()) > LIFETIME_S
    half = policies_text().replace("nonmatch_seconds: 1", "nonmatch_seconds: 0.5")
    with pytest.raises(ConfigError, match="nonmatch_seconds"):
        policies.parse(half.encode(), where="policy")


def policies_text():
    return (configs() / "policies" / "uk-default.yaml").read_text()


PERIOD = re.compile(r"\b\d+(?:\.\d+)?[ -](?:hour|day|week|month|year)s?\b", re.IGNORECASE)


@pytest.mark.rule("G5")
def test_no_document_page_or_script_states_a_period_of_its_own():
    said = []
    for pattern in ("*.md", "docs/*.md", "docs/*.yaml", "lfr/api/**/*.html", "lfr/api/**/*.js"):
        for path in sorted(ROOT.glob(pattern)):
            text = path.read_text()
            if path == PAGE:
                text = with_part(text, "periods", "")
            said += [f"{path.relative_to(ROOT)}: {found.group()}" for found in PERIOD.finditer(text)]
    assert said == []


def literal_times(path):
    """Every timedelta of days or hours made of plain numbers, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "timedelta":
            given = [k.value for k in node.keywords if k.arg in {"days", "hours", "weeks"}] + node.args
            for value in given:
                if isinstance(value, ast.Constant) and value.value:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.rule("G5")
def test_no_code_states_a_period_of_its_own():
    found = [at for path in sorted((ROOT / "lfr").rglob("*.py")) for at in literal_times(path)]
    assert found  # it looks at something
    assert [at for at in found if at.partition(":")[0] not in NO_RETENTION] == []
