"""Every pair of a list compared, against a plain double loop."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.matching import likeness
from lfr.matching.likeness import most_alike


def plain(templates, owners, metric, level):
    found = {}
    for i, one in enumerate(owners):
        for j, other in enumerate(owners):
            if one == other:
                continue
            difference = templates[i] - templates[j]
            score = templates[i] @ templates[j] if metric == "cosine" else 1 - np.sqrt(difference @ difference)
            if score >= level and score > found.get(one, (None, -9))[1]:
                found[one] = (other, float(score))
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(1, 5), st.sampled_from(["cosine", "euclidean"]), st.integers(0, 10**6))
def test_it_finds_what_a_double_loop_finds(count, people, metric, seed):
    random = np.random.default_rng(seed)
    templates = random.normal(size=(count, 8)).astype(np.float32)
    templates /= np.maximum(np.linalg.norm(templates, axis=1, keepdims=True), 1e-9)
    owners = [UUID(int=int(one) + 1) for one in random.integers(0, people * 3, count)]
    block = likeness._BLOCK
    likeness._BLOCK = 7
    try:
        found = most_alike(templates, owners, metric, 0.3)
    finally:
        likeness._BLOCK = block
    wanted = plain(templates, owners, metric, 0.3)
    assert found.keys() == wanted.keys()
    for one, (_, score) in found.items():
        assert score == pytest.approx(wanted[one][1], abs=1e-4)


@pytest.mark.rule("B7")
def test_siblings_are_flagged_on_both_sides_and_strangers_are_not():
    random = np.random.default_rng(3)
    templates = random.normal(size=(300, 128)).astype(np.float32)
    templates[200] = templates[40] + 0.3 * random.normal(size=128).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    owners = [UUID(int=number + 1) for number in range(300)]
    found = most_alike(templates, owners, "cosine", 0.8)
    assert {one: other for one, (other, _) in found.items()} == {owners[40]: owners[200], owners[200]: owners[40]}
    assert most_alike(templates[:0], [], "cosine", 0.5) == {}
