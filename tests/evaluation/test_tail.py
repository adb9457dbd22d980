"""The curve of unlisted people: a known tail comes back, and bounds hold what is true."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.errors import SourceError
from lfr.evaluation.tail import Tail, fit_tail, fmr_upper, fpir_at
from lfr.matching.threshold import derive


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr("lfr.evaluation.tail._TIMES", 12)


def exponential(seed=0, size=(1000, 1000)):
    return np.random.default_rng(seed).exponential(1 / 20, size).astype(np.float32)


def test_the_curve_gives_back_a_known_tail():
    # Exponential scores: each decade is ln(10) / 20 higher.
    found = fit_tail(Tail(exponential()), "test", 0.02)
    for decade, score in found.fmr:
        assert score == pytest.approx(-decade * np.log(10) / 20, rel=0.08)
    assert found.measured_to == -4.5
    assert found.comparisons == 1_000_000


def test_a_few_people_under_two_names_do_not_stretch_the_tail():
    drawn = exponential()
    clean = fit_tail(Tail(drawn), "test", 0.02)
    drawn[0, :4] = 5.0
    doubled = fit_tail(Tail(drawn), "test", 0.02)
    assert doubled.fmr[-1][1] == pytest.approx(clean.fmr[-1][1], rel=0.1)


def test_a_heavy_tail_is_followed_and_a_short_one_is_not_believed():
    rng = np.random.default_rng(1)
    heavy = (rng.random((700, 1000)) ** -0.2 - 1).astype(np.float32) / 20  # shape 0.2: rate 1e-7 lies at 1.206
    short = rng.beta(3, 9, (700, 1000)).astype(np.float32)  # ends at 1
    assert fit_tail(Tail(heavy), "test", 0.02).fmr[-1][1] == pytest.approx((1e7**0.2 - 1) / 20, rel=0.3)
    found = fit_tail(Tail(short), "test", 0.02)
    (_, last_measured), (_, last) = found.fmr[7], found.fmr[-1]
    assert last > last_measured
    straight = found.fmr[7][1] - found.fmr[6][1]
    assert last - last_measured > 4 * straight  # no slower than the decade before it


@settings(max_examples=15)
@given(st.integers(0, 50))
def test_scores_rise_as_rates_fall_and_lie_in_their_bounds(seed):
    drawn = np.random.default_rng(seed).normal(0, 0.08, (120, 100)).astype(np.float32)
    found = fit_tail(Tail(drawn), "test", 0.02)
    scores = [score for _, score in found.fmr]
    assert scores == sorted(scores)
    assert all(low <= score <= high for score, (_, low, high) in zip(scores, found.bounds, strict=True))
    uppers = [rate for rate, _ in found.upper]
    assert uppers == sorted(uppers, reverse=True)
    measured = [(rate, upper) for (rate, _), (upper, _) in zip(found.fmr, found.upper, strict=True) if rate >= -2]
    assert all(upper >= rate for rate, upper in measured)
    assert derive(found, 100, 0.02).value <= derive(found, 1000, 0.02).value


def test_too_few_comparisons_are_refused():
    with pytest.raises(SourceError, match="too little"):
        fit_tail(Tail(np.zeros((10, 10), np.float32)), "test", 0.02)


@pytest.mark.rule("B10")
def test_the_bound_never_falls_below_what_counting_shows():
    scores = exponential(size=(500, 200))
    # No error among 500 transits: 3 / (transits x entries), however high the threshold.
    assert fmr_upper(scores, 10.0) == pytest.approx(-math.log(0.05) / (500 * 200), rel=0.01)
    assert fmr_upper(scores, 99.0) == fmr_upper(scores, 10.0)


@pytest.mark.rule("B10")
def test_the_bound_holds_the_true_rate_when_people_differ():
    """Independent worlds in which some walkers and entries are error-prone: the true mean rate lies below the bound."""
    held = 0
    rounds = 200
    rng = np.random.default_rng(3)
    for _ in range(rounds):
        walkers, entries = rng.gamma(1, 1, 300), rng.gamma(1, 1, 150)
        errors = rng.random((300, 150)) < 2e-4 * walkers[:, None] * entries[None]
        held += fmr_upper(errors.astype(np.float32), 0.5) >= 2e-4
    assert held / rounds >= 0.9


@settings(max_examples=20)
@given(st.integers(0, 100), st.integers(1, 8))
def test_a_list_s_rate_is_the_mean_over_all_smaller_lists(seed, entries):
    from itertools import combinations

    scores = np.random.default_rng(seed).random((6, 8)).astype(np.float32)
    every = [(scores[:, list(chosen)] >= 0.8).any(axis=1).mean() for chosen in combinations(range(8), entries)]
    assert fpir_at(scores, 0.8, entries) == pytest.approx(np.mean(every))


def test_a_list_larger_than_what_was_listed_is_refused():
    with pytest.raises(ValueError, match="cannot be drawn"):
        fpir_at(np.zeros((2, 3), np.float32), 0.5, 4)
