"""Stated intervals hold as often as they say, on sets whose people share their errors."""

import numpy as np
import pytest

from lfr.domain.errors import SourceError
from lfr.evaluation.clusters import Effective
from lfr.evaluation.honesty import stated_interval, try_splits
from lfr.evaluation.openset import Material
from tests.support.faces import made_up


def material(counts, noise=0.7):
    people, templates = made_up(counts, noise=noise, dim=24, seed=6)
    return Material(people, templates, np.ones(len(templates), bool), "cosine")


def test_stated_intervals_hold_and_plain_ones_do_not():
    found = try_splits(material([1, 2, 3, 1] * 200), target=0.02, splits=200, seed=1, progress=lambda *_: None)
    assert (found.splits, found.entries) == (200, 80)
    assert 0.90 <= found.share <= 0.99
    assert found.naive / found.splits < found.share
    assert found.fpir.mean() == pytest.approx(0.02, rel=0.25)


def test_the_interval_is_that_of_both_halves():
    wide, narrow = stated_interval(Effective(10, 1000, 900), 1000), stated_interval(Effective(100, 10_000, 900), 1000)
    assert wide.low <= narrow.low < 0.01 < narrow.high <= wide.high
    # Two samples of a thousand: the difference's spread is 1.41 times that of one.
    assert (wide.high - wide.low) / 2 == pytest.approx(1.96 * 1.41 * (0.01 * 0.99 / 1000) ** 0.5, rel=0.15)


def test_what_cannot_be_split_is_refused():
    with pytest.raises(SourceError, match="too few"):
        try_splits(material([2] * 12), target=0.1, splits=1, seed=1, progress=lambda *_: None)
    with pytest.raises(SourceError, match="leaves nobody"):
        try_splits(material([2] * 60), target=0.1, splits=1, seed=1, entries=30, progress=lambda *_: None)
