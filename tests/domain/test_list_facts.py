"""How many entries a list may hold, and when it is stale."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.list_facts import ListFacts, n_max, stale_before, years_before
from lfr.services import policies

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.rule("B10")
def test_the_budget_is_the_target_over_the_certified_rate():
    assert n_max(1e-5, 5e-10) == 20_000
    assert n_max(1e-5, 1e-9) == 10_000
    assert n_max(1e-5, 2e-5) == 0
    for wrong in ((0, 1e-9), (1e-5, 0), (1.5, 1e-9), (1e-5, 2)):
        with pytest.raises(ValueError, match="between"):
            n_max(*wrong)


@pytest.mark.rule("B10")
@given(st.floats(1e-6, 0.5), st.floats(1e-12, 1e-3), st.floats(1.0, 100.0))
def test_the_budget_is_kept_and_used_up_and_falls_as_the_rate_rises(target, fmr, worse):
    most = n_max(target, fmr)
    assert most * fmr <= target * (1 + 1e-12)
    assert (most + 1) * fmr > target * (1 - 1e-12)
    assert n_max(target, min(1.0, fmr * worse)) <= most


@pytest.mark.rule("B10")
def test_one_entry_too_many():
    assert ListFacts(AT, entries=20_000, n_max=20_000, cap=30_000).over_budget == 0
    assert ListFacts(AT, entries=20_001, n_max=20_000, cap=30_000).over_budget == 1
    assert ListFacts(AT, entries=20_001, n_max=30_000, cap=20_000).over_budget == 1
    assert ListFacts(AT, entries=20_001, n_max=None, cap=20_000).over_budget == 1


@pytest.mark.rule("B4")
def test_a_status_is_stale_after_the_policys_hours():
    oldest = stale_before(policies.load("uk-default"), AT)
    assert oldest == AT - timedelta(hours=24)


@pytest.mark.parametrize(
    ("on", "years", "then"),
    [
        (date(2026, 11, 24), 6, date(2020, 11, 24)),
        (date(2028, 2, 29), 1, date(2027, 2, 28)),
        (date(2026, 11, 24), 0.5, date(2026, 5, 25)),
        (date(2026, 11, 24), 9999, date(1, 11, 24)),
    ],
)
def test_years_before(on, years, then):
    assert years_before(on, years) == then
