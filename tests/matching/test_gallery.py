from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfr.domain.watchlist import GalleryItem
from lfr.matching.gallery import Gallery


def templates(n, dim=16, seed=0):
    found = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def item(entry: UUID, template) -> GalleryItem:
    return GalleryItem(entry, uuid4(), template)


def naive(items, probe, metric):
    """The best score of each entry, the slow way."""
    best: dict[UUID, float] = {}
    for one in items:
        score = float(one.template @ probe) if metric == "cosine" else 1 - float(np.linalg.norm(one.template - probe))
        best[one.entry_id] = max(score, best.get(one.entry_id, -9))
    return sorted(best.items(), key=lambda pair: -pair[1])


@given(st.integers(1, 40), st.integers(1, 8), st.sampled_from(["cosine", "euclidean"]), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_search_is_exact_with_several_images_for_each_entry(images, people, metric, seed):
    names = [uuid4() for _ in range(people)]
    rows = templates(images, seed=seed)
    items = [item(names[i % people], row) for i, row in enumerate(rows)]
    gallery = Gallery(16, metric)
    gallery.add(items)
    probe = templates(1, seed=seed + 1)
    hit = gallery.search(probe, -np.inf)[0]
    ranking = naive(items, probe[0], metric)
    assert hit is not None
    assert hit.entry_id == ranking[0][0]
    assert hit.score == pytest.approx(ranking[0][1], abs=2e-3)
    expected_gap = min(ranking[0][1] - ranking[1][1], 2.0) if len(ranking) > 1 else 2.0
    assert hit.gap == pytest.approx(expected_gap, abs=4e-3)


def test_nothing_comes_back_below_the_threshold_nor_from_an_empty_list():
    gallery = Gallery(16, "cosine")
    probes = templates(2)
    assert gallery.search(probes, -np.inf) == [None, None]
    gallery.add([item(uuid4(), probes[0])])
    found = gallery.search(probes, 0.99)
    assert found[0] is not None
    assert found[1] is None


def test_a_revoked_entry_is_gone_at_once_and_its_rows_are_overwritten():
    gallery = Gallery(16, "cosine")
    keep, gone = uuid4(), uuid4()
    rows = templates(3)
    gallery.add([item(gone, rows[0]), item(gone, rows[1]), item(keep, rows[2])])
    assert gallery.revoke(gone) == 2
    assert gallery.revoke(gone) == 0
    hit = gallery.search(rows[:1], -np.inf)[0]
    assert hit is not None
    assert hit.entry_id == keep
    assert hit.gap == 2.0
    assert (gallery.entries, gallery.images) == (1, 1)
    kept = gallery._rows[np.abs(gallery._rows).sum(axis=1) > 0]
    assert len(kept) == 1


@given(st.lists(st.tuples(st.sampled_from(["add", "revoke"]), st.integers(0, 5)), max_size=60))
@settings(deadline=None)
def test_adding_and_revoking_in_any_order_keeps_the_books(steps):
    gallery = Gallery(4, "cosine")
    names = [uuid4() for _ in range(6)]
    wanted: dict[UUID, int] = {}
    for what, who in steps:
        if what == "add":
            gallery.add([item(names[who], templates(1, 4, seed=who)[0])])
            wanted[names[who]] = wanted.get(names[who], 0) + 1
        else:
            assert gallery.revoke(names[who]) == wanted.pop(names[who], 0)
    assert gallery.listed() == set(wanted)
    assert gallery.images == sum(wanted.values())


def test_the_list_grows_past_its_first_block_and_ignores_an_image_it_has():
    gallery = Gallery(8, "cosine")
    rows = templates(200, 8)
    items = [item(uuid4(), row) for row in rows]
    gallery.add(items)
    gallery.add(items[:5])
    assert gallery.images == 200
    hits = gallery.search(rows[[0, 150]], -np.inf)
    assert [h.entry_id for h in hits if h] == [items[0].entry_id, items[150].entry_id]


@pytest.mark.parametrize("bad", [np.zeros(15, np.float32), np.full(16, np.nan, np.float32)])
def test_a_template_of_the_wrong_shape_or_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="16 finite numbers"):
        Gallery(16, "cosine").add([item(uuid4(), bad)])
