"""Intervals of dependent trials: they agree with a plain loop, and they cover what is true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.intervals import clopper_pearson
from lfr.evaluation.clusters import effective, middle, person_weights, resample, share_interval
from lfr.evaluation.openset import Material, Trials, draw_lists, search, threshold_for
from tests.support.faces import made_up


def trials(seed=0, noise=0.9, counts=(3,) * 60, entries=15):
    people, templates = made_up(list(counts), noise=noise, dim=16, seed=seed)
    seen = np.ones(len(templates), bool)
    return search(Material(people, templates, seen, "cosine"), draw_lists(people, entries, seed=seed, draws=3))


@settings(max_examples=20)
@given(st.integers(0, 100))
def test_the_whole_set_gives_the_protocol_s_own_figure(seed):
    found = trials(seed)
    targets = [0.5, 0.1, 0.02, 0.0]
    samples = resample(found, targets, seed=1, times=2)
    for target, tpir in zip(targets, samples.whole, strict=True):
        assert tpir == pytest.approx(found.accepted(threshold_for(found.tops, target)).mean())


def test_a_resample_is_the_protocol_on_people_drawn_again():
    found = trials(3)
    weights = np.concatenate(list(person_weights(found.people, 50, 9)))
    samples = resample(found, [0.1], seed=9, times=50)
    for row, tpir in zip(weights.astype(int), samples.tpir[:, 0], strict=True):
        tops = np.repeat(found.tops, row[found.nonmated_of])
        hits = np.repeat(found.hits, row[found.mated_of])
        assert tpir == pytest.approx((hits >= np.float32(threshold_for(tops, 0.1))).mean())


def test_the_same_seed_draws_the_same_people():
    one = np.concatenate(list(person_weights(30, 45, 4)))
    np.testing.assert_array_equal(one, np.concatenate(list(person_weights(30, 45, 4))))
    assert (one.sum(axis=1) == 30).all()
    assert len(one) == 45


def test_independent_trials_keep_their_number():
    rng = np.random.default_rng(0)
    count = 4000
    found = effective(rng.random(count) < 0.05, np.arange(count), rng.integers(0, count, count))
    assert found.trials == pytest.approx(count, rel=0.2)


def test_trials_of_one_person_count_once():
    # A thousand people searched ten times each: all ten alert or none.
    people = np.repeat(np.arange(1000), 10)
    errors = np.repeat(np.random.default_rng(1).random(1000) < 0.05, 10)
    found = effective(errors, people, np.arange(10_000))
    assert found.trials == pytest.approx(1000, rel=0.15)
    assert found.errors / found.trials == pytest.approx(errors.mean())


def test_without_an_error_a_person_counts_once():
    found = effective(np.zeros(50, bool), np.repeat(np.arange(5), 10), np.zeros(50, np.int64))
    assert (found.errors, found.trials, found.people) == (0.0, 5.0, 5)
    assert found.interval == clopper_pearson(0, 5)


def test_intervals_cover_the_truth_when_people_and_entries_are_alike_and_not():
    """Some people resemble many, some entries attract many: the exact interval at the effective size still holds."""
    rng = np.random.default_rng(5)
    people, entries, rate = 400, 60, 0.0008
    inside = 0
    rounds = 300
    for _ in range(rounds):
        wolf, lamb = rng.gamma(2, 0.5, people), rng.gamma(2, 0.5, entries)
        chance = np.minimum(rate * wolf[:, None] * lamb[None], 1)
        alerts = rng.random((people, entries)) < chance
        errors, nearest = alerts.any(axis=1), alerts.argmax(axis=1)
        # The truth over all people and lists that could have been drawn: wolves and lambs average to one.
        truth = 1 - np.mean([np.prod(1 - rate * rng.gamma(2, 0.5, entries) * w) for w in rng.gamma(2, 0.5, 400)])
        quiet = rng.integers(0, entries, people)
        inside += effective(errors, np.arange(people), np.where(errors, nearest, quiet)).interval.holds(truth)
    assert 0.93 <= inside / rounds <= 1.0


def test_a_perfect_score_is_not_certain():
    perfect = np.ones(100)
    assert share_interval(perfect, 1.0, 50) == clopper_pearson(50, 50)
    assert middle(np.linspace(0, 1, 101), 0.5) == pytest.approx((0.025, 0.975))
    assert middle(np.full(10, 0.4), 0.7) == (pytest.approx(0.4), pytest.approx(0.7))


def test_more_errors_than_can_be_are_held():
    found = effective(np.ones(20, bool), np.arange(20), np.zeros(20, np.int64))
    assert found.interval.high == 1.0
    assert Trials(1, 1, 1, *(np.zeros(1),) * 5).rank1 == 1.0
