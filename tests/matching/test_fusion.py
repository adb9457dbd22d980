import numpy as np
import pytest

from lfr.domain.ages import Ages
from lfr.matching.fusion import LIFETIME_S, Shot, TransitFusion


def shot(media_s, stamped_at=None, weight=1.0, value=1.0):
    template = np.array([value, 1.0], np.float32)
    return Shot(media_s, media_s if stamped_at is None else stamped_at, weight, template)


def test_every_shot_is_overwritten_within_its_lifetime():  # D4
    ages = Ages()
    fusion = TransitFusion("euclidean", ages)
    shots = [shot(0.0), shot(0.5)]
    for one in shots:
        fusion.add("t", one, one.stamped_at)
    fusion.sweep(LIFETIME_S - 0.01)
    assert shots[0].template.any()
    fusion.sweep(LIFETIME_S)
    assert not shots[0].template.any()
    assert shots[1].template.any()
    fusion.sweep(2.0)
    assert not shots[1].template.any()
    assert len(fusion) == 0
    assert ages.count == 2


def test_only_shots_of_one_second_of_presentation_time_are_fused():
    fusion = TransitFusion("euclidean", Ages())
    # A clip read faster than it was filmed: the wall clock alone would keep too much.
    fusion.add("t", shot(0.0, stamped_at=0.0), 0.0)
    fusion.add("t", shot(1.5, stamped_at=0.1), 0.1)
    assert [s.media_s for s in fusion.window("t")] == [1.5]


def test_a_shot_that_comes_too_late_is_overwritten_at_once():
    fusion = TransitFusion("cosine", Ages())
    late = shot(0.0)
    fusion.add("t", late, 5.0)
    assert fusion.window("t") == []
    assert not late.template.any()


def test_the_fused_template_weighs_its_shots_and_dies_after_use():  # D4
    ages = Ages()
    fusion = TransitFusion("euclidean", ages)
    fusion.add("t", shot(0.0, weight=1.0, value=0.0), 0.0)
    fusion.add("t", shot(0.2, weight=3.0, value=4.0), 0.2)
    fused = fusion.fused("t")
    assert fused == pytest.approx([3.0, 1.0])
    fusion.forget_fused("t", fused, 0.3)
    assert not fused.any()
    assert ages.max_ms == pytest.approx(300)  # counted from the oldest frame it covered


def test_a_cosine_sum_has_length_one():
    fusion = TransitFusion("cosine", Ages())
    fusion.add("t", shot(0.0, weight=5.0), 0.0)
    assert np.linalg.norm(fusion.fused("t")) == pytest.approx(1.0)


def test_clear_overwrites_everything():
    fusion = TransitFusion("cosine", Ages())
    kept = [shot(0.0), shot(0.1)]
    for i, one in enumerate(kept):
        fusion.add(i, one, 0.1)
    fusion.clear(0.2)
    assert not any(one.template.any() for one in kept)
    assert len(fusion) == 0
