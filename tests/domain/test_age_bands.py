"""Ages at the boundaries (B8)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.age_bands import age_on, as_minor, band_of
from lfr.domain.policy import Ages

AGES = Ages()


@pytest.mark.rule("B8")
@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(2008, 11, 25), date(2026, 11, 24), 17),  # 17 years and 364 days
        (date(2008, 11, 24), date(2026, 11, 24), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),  # the birthday of a common year is 1 March
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2013, 11, 25), date(2026, 11, 24), 12),
        (date(2013, 11, 24), date(2026, 11, 24), 13),
        (date(2026, 11, 24), date(2026, 11, 24), 0),
        (date(2026, 11, 25), date(2026, 11, 24), -1),
    ],
)
def test_an_age(born, on, age):
    assert age_on(born, on) == age


@pytest.mark.rule("B8")
def test_bands_at_their_ends():
    on = date(2026, 11, 24)
    assert [band_of(born, on, AGES) for born in (
        date(2008, 11, 24), date(2008, 11, 25), date(2013, 11, 24), date(2013, 11, 25), None,
    )] == ["adult", "minor", "minor", "young-child", "unknown"]  # fmt: skip
    assert as_minor("unknown", AGES)
    assert not as_minor("unknown", Ages(unknown_is_minor=False))
    assert not as_minor("adult", AGES)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 40000))
def test_nobody_grows_younger(born, days):
    on = born + timedelta(days=days)
    assert 0 <= age_on(born, on) <= age_on(born, on + timedelta(days=1)) <= age_on(born, on) + 1
    assert abs(age_on(born, on) - days / 365.2425) < 1.01
