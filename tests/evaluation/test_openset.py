"""The protocol, by hand-made templates whose every score is known, and by rules over random sets."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lfr.domain.errors import SourceError
from lfr.evaluation import clusters, embed_set, openset, suspects, verification
from lfr.evaluation.openset import Material, draw_lists, search, similarity, threshold_for, usual_entries
from tests.support.faces import made_up

everybody = np.ones


@given(st.integers(1, 12), st.integers(1, 2), st.integers(0, 1000))
def test_a_draw_lists_people_and_searches_everything_else(entries, images, seed):
    people, _ = made_up([3, 2, 1, 4, 3, 1, 3, 3, 5, 3, 3, 3, 3, 1, 3, 3, 2], noise=0.1)
    (draw,) = draw_lists(people, entries, seed=seed, draws=1, images=images)
    listed = people.owner[draw.listed]
    assert len(set(listed[:entries])) == entries
    assert (people.per_person[listed] > images).all()
    assert all((listed == person).sum() == images for person in set(listed))
    assert not set(draw.listed) & set(draw.mated)
    assert set(people.owner[draw.mated]) == set(listed)
    # Nothing is dropped: each picture is listed, a mated probe or a non-mated one.
    every = np.concatenate([draw.listed, draw.mated, draw.nonmated])
    assert sorted(every) == list(range(len(people.owner)))
    assert not set(people.owner[draw.nonmated]) & set(listed)


def test_draws_follow_the_seed():
    people, _ = made_up([3] * 30, noise=0.1)
    both = [draw.listed.tolist() for draw in draw_lists(people, 5, seed=7, draws=2)]
    assert both[0] != both[1]
    assert both[1] == next(draw.listed.tolist() for draw in draw_lists(people, 5, seed=8, draws=1))


def test_scores_hits_and_misses_are_those_of_a_plain_loop():
    people, templates = made_up([3, 2, 1, 4, 2, 1], noise=0.9, dim=8)
    seen = np.ones(len(templates), bool)
    seen[1] = False
    draws = list(draw_lists(people, 3, seed=1, draws=4))
    found = search(Material(people, templates, seen, "cosine"), draws)
    hits, tops = [], []
    for draw in draws:
        for rows, kept in ((draw.mated, hits), (draw.nonmated, tops)):
            for row in rows:
                scores = {
                    entry: templates[row] @ templates[entry] for entry in draw.listed if seen[entry] and seen[row]
                }
                best = max(scores, key=scores.get) if scores else None
                right = best is not None and people.owner[best] == people.owner[row]
                kept.append(-np.inf if best is None or (rows is draw.mated and not right) else scores[best])
    np.testing.assert_allclose(found.hits, hits, atol=1e-6)
    np.testing.assert_allclose(found.tops, tops, atol=1e-6)
    assert found.rank1 == np.isfinite(hits).mean()
    assert (found.entries, found.draws, found.people) == (3, 4, 6)


def test_a_mated_picture_without_a_face_is_a_miss_and_an_entry_without_one_too():
    people, templates = made_up([2] * 6, noise=0.0)
    seen = np.ones(12, bool)
    draw = next(draw_lists(people, 3, seed=0, draws=1))
    assert search(Material(people, templates, seen, "cosine"), [draw]).rank1 == 1.0
    seen[draw.mated[0]] = False
    assert search(Material(people, templates, seen, "cosine"), [draw]).rank1 == pytest.approx(2 / 3)
    seen[draw.listed[1]] = False
    found = search(Material(people, templates, seen, "cosine"), [draw])
    assert found.rank1 == pytest.approx(1 / 3)
    assert len(found.hits) == 3


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200),
    st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.3, 1.0]),
)
def test_the_threshold_is_the_smallest_that_keeps_the_target(scores, target):
    tops = np.array(scores, np.float32)
    threshold = np.float32(threshold_for(tops, target))
    assert (tops >= threshold).mean() <= target + 1e-9
    lower = np.nextafter(threshold, np.float32(-np.inf))
    assert target == 1.0 or (tops >= lower).mean() > target


def test_two_pictures_of_an_entry_count_by_the_better_one():
    people, templates = made_up([3] * 40, noise=0.6, seed=3)
    seen = np.ones(len(templates), bool)
    two = list(draw_lists(people, 10, seed=0, draws=5, images=2))
    one = [openset.Draw(draw.listed[:10], draw.mated, draw.nonmated) for draw in two]
    better, single = (search(Material(people, templates, seen, "cosine"), draws) for draws in (two, one))
    assert (better.tops >= single.tops - 1e-6).all()
    assert better.rank1 >= single.rank1


def test_distances_become_scores():
    one, two = np.float32([[0, 0], [3, 4]]), np.float32([[0, 0], [0, 1]])
    np.testing.assert_allclose(similarity(one, two, "euclidean"), [[1, 0], [-4, 1 - 18**0.5]], atol=1e-6)


def test_a_list_that_cannot_be_drawn_is_refused():
    people, _ = made_up([2, 2, 1], noise=0)
    with pytest.raises(SourceError, match="2 people have more than 1 picture"):
        draw_lists(people, 3, seed=0, draws=1)
    with pytest.raises(SourceError, match="nobody is left"):
        draw_lists(made_up([2, 2], noise=0)[0], 2, seed=0, draws=1)
    with pytest.raises(SourceError, match="0 people"):
        draw_lists(made_up([1, 1], noise=0)[0], 1, seed=0, draws=1)


@pytest.mark.parametrize(
    ("counts", "entries"), [([2] * 2000, 500), ([2] * 12, 6), ([2] * 4 + [1] * 20, 4), ([2, 1], 1)]
)
def test_the_usual_list_leaves_as_many_people_off_it(counts, entries):
    assert usual_entries(made_up(counts, noise=0)[0]) == entries


@pytest.mark.rule("I5")
def test_nothing_that_makes_a_score_or_a_threshold_can_be_given_a_group():
    words = ("group", "label", "gender", "sex", "ethnic", "race", "age")
    made = [
        embed_set.embed_set,
        *(openset.draw_lists, openset.search, openset.top, openset.threshold_for, openset.similarity),
        *(clusters.resample, clusters.effective, verification.verify, suspects.find_suspects),
    ]
    for function in made:
        for parameter in inspect.signature(function).parameters.values():
            # Whole words: `images` speaks of nobody's age.
            said = f"{parameter.name} {parameter.annotation}".lower().replace("[", " ").replace("_", " ").split()
            assert not [word for word in said if word.strip("s,]") in words], (function.__name__, parameter)
