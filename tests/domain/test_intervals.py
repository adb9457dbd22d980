"""Intervals against SciPy's own and against the published figures they must give back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lfr.domain import intervals
from lfr.domain.intervals import Rate


@st.composite
def counts(draw):
    of = draw(st.integers(1, 5000))
    return draw(st.integers(0, of)), of


@given(counts(), st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_and_wilson_agree_with_scipy(drawn, confidence):
    events, of = drawn
    theirs = stats.binomtest(events, of)
    for method, ours in (("exact", intervals.clopper_pearson), ("wilson", intervals.wilson)):
        expected = theirs.proportion_ci(confidence, method)
        assert ours(events, of, confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 400), st.integers(1, 10**7), st.sampled_from([0.9, 0.95]))
def test_poisson_agrees_with_chi_square(events, of, confidence):
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(1 - tail, 2 * events + 2) / 2
    assert intervals.poisson(events, of, confidence) == pytest.approx((low / of, high / of), rel=1e-6)


@given(counts())
def test_an_interval_holds_its_own_share_and_shrinks_with_confidence(drawn):
    events, of = drawn
    for made in (intervals.clopper_pearson, intervals.wilson):
        wide, narrow = made(events, of, 0.99), made(events, of, 0.8)
        assert wide.holds(events / of)
        assert wide.low <= narrow.low <= narrow.high <= wide.high
    assert intervals.lower_bound(events, of) <= events / of <= intervals.upper_bound(events, of)


@given(st.floats(1e-7, 0.2))
def test_error_free_trials_are_just_enough(rate):
    needed = intervals.error_free_needed(rate)
    assert intervals.upper_bound(0, needed) <= rate * (1 + 1e-6)
    assert needed == 1 or intervals.upper_bound(0, needed - 1) > rate * (1 - 1e-6)


@pytest.mark.parametrize(
    ("events", "of", "low", "high"),
    [(10, 3_147_436, 656_000, 171_000), (1, 470_000, 18_600_000, 84_000), (1, 383_356, 15_000_000, 69_000)],
)
def test_published_counts_give_the_published_intervals(events, of, low, high):
    found = intervals.poisson(events, of)
    assert 1 / found.low == pytest.approx(low, rel=0.02)
    assert 1 / found.high == pytest.approx(high, rel=0.02)


@pytest.mark.parametrize(
    ("one_in", "needed"),
    [
        (1_000, 2_995),
        (6_000, 17_973),
        (60_000, 179_743),
        (100_000, 299_572),
        (300_000, 898_719),
        (1_000_000, 2_995_731),
    ],
)
def test_error_free_transits_for_a_claim(one_in, needed):
    assert intervals.error_free_needed(1 / one_in) == needed


@pytest.mark.parametrize(
    ("one", "other", "needed"),
    [
        (0.90, 0.85, 686),
        (0.89, 0.84, 733),
        (0.95, 0.90, 435),
        (0.90, 0.80, 199),
        (1 / 6000, 2 / 6000, 141_245),
        (1 / 6000, 4 / 6000, 26_152),
        (1 / 1000, 2 / 1000, 23_511),
        (1 / 1000, 4 / 1000, 4_349),
    ],
)
def test_sample_per_group(one, other, needed):
    assert intervals.sample_per_group(one, other) == pytest.approx(needed, abs=2)


def test_the_reference_test_of_the_van_system():
    assert intervals.wilson(356, 400) == pytest.approx((0.855, 0.917), abs=6e-4)


@pytest.mark.rule("J3")
def test_a_rate_carries_numerator_denominator_and_interval():
    found = Rate.counted(10, 2077)
    assert (found.events, found.of, found.value) == (10, 2077, pytest.approx(0.0048, abs=5e-5))
    assert str(found) == "10 of 2,077 (0.48 %, 95 % 0.23 to 0.88 %)"
    with pytest.raises(TypeError):
        Rate(0.0048)
    assert Rate.counted(0, 0).value is None
    assert "no evidence" in str(Rate.counted(0, 0))


@pytest.mark.parametrize("wrong", [(2, 1), (-1, 5)])
def test_counts_that_cannot_be_are_refused(wrong):
    for made in (intervals.clopper_pearson, intervals.wilson):
        with pytest.raises(ValueError, match="no interval"):
            made(*wrong)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.98643, "98.64 %"), (0.00017, "0.017 %"), (0, "0.00 %"), (1, "100.00 %"), (3.2e-6, "0.00032 %")],
)
def test_shares_in_words(share, text):
    assert intervals.percent(share) == text


def test_one_in():
    assert intervals.one_in(1 / 6000) == "1 in 6,000"
    assert intervals.one_in(0) == "none"
