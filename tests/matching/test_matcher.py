from uuid import uuid4

import numpy as np
import pytest

from lfr.domain.errors import Conflict
from lfr.domain.watchlist import GalleryItem
from lfr.matching.matcher import Matcher, ShotNote, TransitKey
from lfr.matching.threshold import Threshold


def matcher(threshold=0.5):
    return Matcher(8, "cosine", Threshold(threshold, "test", supported=True))


def unit(*values):
    template = np.zeros(8, np.float32)
    template[: len(values)] = values
    return template / np.linalg.norm(template)


def note(transit, media_s, weight=1.0):
    return ShotNote(TransitKey("north", "r1", transit), media_s, media_s, weight)


def test_a_candidate_carries_the_score_the_gap_and_how_many_shots_agree():
    found = matcher()
    listed, other = uuid4(), uuid4()
    found.add([GalleryItem(listed, uuid4(), unit(1)), GalleryItem(other, uuid4(), unit(0, 1))])
    first = found.match(unit(1, 0.2)[None], [note(1, 0.0)], 0.0)[0]
    second = found.match(unit(1, -0.2)[None], [note(1, 0.2)], 0.2)[0]
    assert first is not None
    assert second is not None
    assert (first.entry_id, first.shots, second.shots) == (listed, 1, 2)
    assert second.score == pytest.approx(1.0, abs=0.01)
    assert second.gap > 0.9


def test_shots_of_two_transits_never_mix():
    found = matcher()
    listed = uuid4()
    found.add([GalleryItem(listed, uuid4(), unit(1))])
    a, b = found.match(np.stack([unit(1), unit(0, 0, 1)]), [note(1, 0.0), note(2, 0.0)], 0.0)
    assert a is not None
    assert b is None


def test_below_the_threshold_nothing_comes_back_at_all():
    found = matcher(0.9)
    found.add([GalleryItem(uuid4(), uuid4(), unit(1))])
    assert found.match(unit(1, 1)[None], [note(1, 0.0)], 0.0) == [None]


@pytest.mark.rule("B10")
def test_no_threshold_moves_when_somebody_is_added_or_taken_off():
    found = matcher(0.5)
    entries = [uuid4() for _ in range(3)]
    found.add([GalleryItem(e, uuid4(), unit(i + 1, 1)) for i, e in enumerate(entries)])
    assert found.threshold.value == 0.5
    found.revoke(entries[0])
    assert found.threshold.value == 0.5


def test_a_pause_overwrites_every_shot_and_keeps_the_list():
    found = matcher()
    listed = uuid4()
    found.add([GalleryItem(listed, uuid4(), unit(1))])
    found.match(unit(1)[None], [note(1, 0.0)], 0.0)
    found.clear_shots(0.1)
    assert (found.gallery.images, len(found._fusion)) == (1, 0)
    again = found.match(unit(1)[None], [note(1, 0.2)], 0.2)[0]
    assert again is not None
    assert again.shots == 1


def test_stop_empties_memory_and_refuses_to_match():  # A13
    found = matcher()
    found.add([GalleryItem(uuid4(), uuid4(), unit(1))])
    found.match(unit(1)[None], [note(1, 0.0)], 0.0)
    found.stop(0.1)
    assert (found.gallery.images, len(found._fusion)) == (0, 0)
    assert not found.gallery._rows.any()
    with pytest.raises(Conflict):
        found.match(unit(1)[None], [note(1, 0.2)], 0.2)


def test_a_shot_that_is_already_too_old_says_nothing():
    found = matcher()
    found.add([GalleryItem(uuid4(), uuid4(), unit(1))])
    assert found.match(unit(1)[None], [note(1, 0.0)], 30.0) == [None]
