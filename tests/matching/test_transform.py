"""A deployment's rotation keeps every score within one deployment, and none between two (B12)."""

import secrets

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.matching.transform import Transform

DIMS = st.sampled_from([16, 64, 128])
SEEDS = st.binary(min_size=32, max_size=32)


def faces(count, dim, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def alike(templates, noise, seed=1):
    """Other shots of the same people."""
    moved = templates + noise * faces(len(templates), templates.shape[1], seed)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.rule("B12")
@settings(max_examples=25)
@given(seed=SEEDS, dim=DIMS, noise=st.floats(0, 3))
def test_scores_stay_what_they_were(seed, dim, noise):
    check_scores(seed, dim, noise)


@pytest.mark.rule("B12")
def test_scores_stay_what_they_were_at_full_length():
    check_scores(secrets.token_bytes(32), 512, 1.0)


def check_scores(seed, dim, noise):
    listed = faces(40, dim)
    probes = alike(listed, noise)
    turn = Transform(seed, dim)
    before, after = probes @ listed.T, turn(probes) @ turn(listed).T
    assert np.abs(before - after).max() < 1e-5
    apart = np.linalg.norm(probes - listed, axis=1) - np.linalg.norm(turn(probes) - turn(listed), axis=1)
    assert np.abs(apart).max() < 1e-5
    assert turn(probes).dtype == np.float32
    assert turn(probes).shape == probes.shape


@pytest.mark.rule("B12")
@pytest.mark.parametrize("dim", [128, 512])
def test_a_template_is_a_stranger_in_any_other_deployment(dim):
    """The same templates in two deployments score as strangers do: same mean, same spread, none stands out."""
    listed = faces(1000, dim)
    one, two = Transform(secrets.token_bytes(32), dim), Transform(secrets.token_bytes(32), dim)
    crossed = one(listed) @ two(listed).T
    same_person = np.diag(crossed)
    strangers = (listed @ listed.T)[~np.eye(1000, dtype=bool)]
    # All share the rotation R between the two: their mean is trace(R)/dim, of spread 1/dim, besides their own.
    assert abs(same_person.mean()) < 6 * np.sqrt(1 / dim**2 + 1 / (1000 * dim))
    assert same_person.std() == pytest.approx(strangers.std(), rel=0.15)
    # A genuine pair would be its row's best; by chance one in a thousand is.
    assert (crossed.argmax(axis=1) == np.arange(1000)).sum() < 10
    assert np.abs(same_person).max() < 7 / np.sqrt(dim)


@pytest.mark.rule("B12")
def test_a_template_that_was_not_turned_matches_nothing_that_was():
    listed = faces(500, 512)
    scores = np.einsum("ij,ij->i", Transform(secrets.token_bytes(32), 512)(listed), listed)
    assert np.abs(scores).max() < 0.35


@settings(max_examples=10)
@given(seed=SEEDS)
def test_the_same_seed_gives_the_same_rotation_and_a_bit_changes_all(seed):
    probe = faces(8, 64)
    turned = Transform(seed, 64)(probe)
    assert np.array_equal(turned, Transform(seed, 64)(probe))
    other = Transform(bytes([seed[0] ^ 1]) + seed[1:], 64)(probe)
    assert np.abs(np.einsum("ij,ij->i", turned, other)).max() < 0.8


def test_the_rotation_of_a_seed_is_fixed():
    """Enrolled templates outlive an update of NumPy: these figures must never change."""
    found = Transform(bytes(range(32)), 128)(np.eye(128, dtype=np.float32)[:1])
    assert found[0, :4].tolist() == pytest.approx([0.025700236, 0.109776869, 0.006677848, -0.034591574], abs=1e-5)


@pytest.mark.rule("B12")
@settings(max_examples=10)
@given(seed=SEEDS, dim=DIMS)
def test_the_matrix_is_orthogonal(seed, dim):
    turn = Transform(seed, dim)
    whole = turn(np.eye(dim, dtype=np.float32))
    assert np.abs(whole @ whole.T - np.eye(dim)).max() < 1e-5


@pytest.mark.rule("B12")
def test_after_it_was_wiped_it_turns_nothing():
    turn = Transform(secrets.token_bytes(32), 64)
    turn.wipe()
    assert not turn(faces(8, 64)).any()
