"""A deployment's own rotation: the same scores within it, those of strangers outside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.matching.transform import Transform

DIM = 128


def people(count=40):
    drawn = np.random.default_rng(7).normal(size=(count, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@given(st.binary(min_size=32, max_size=32))
def test_within_a_deployment_every_score_stays_what_it_was(seed):
    listed = people()
    turned = Transform(seed, DIM)(listed)
    assert np.abs(turned @ turned.T - listed @ listed.T).max() < 1e-5


@pytest.mark.rule("B12")
def test_a_template_is_a_stranger_in_any_other_deployment():
    listed = people(200)
    here, there = Transform(b"1" * 32, DIM)(listed), Transform(b"2" * 32, DIM)(listed)
    same = np.abs((here * there).sum(axis=1))
    strangers = np.abs((here @ np.roll(there, 1, axis=0).T).diagonal())
    assert same.max() < 0.5
    assert same.mean() < 1.3 * strangers.mean()
    assert np.abs((here * listed).sum(axis=1)).max() < 0.5


@pytest.mark.rule("B12")
def test_after_it_was_wiped_it_turns_nothing():
    turn = Transform(b"1" * 32, DIM)
    turn.wipe()
    assert not turn(people()).any()


def test_the_same_bytes_give_the_same_rotation():
    assert (Transform(b"1" * 32, DIM)(people()) == Transform(b"1" * 32, DIM)(people())).all()
