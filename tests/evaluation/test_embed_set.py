"""Templates of a set: every picture is accounted for, and the answer does not depend on who works."""

import numpy as np

from lfr.evaluation.embed_set import embed_set
from lfr.evaluation.labelled_set import read_set
from lfr.vision.engine.double import DoubleEngine, double_pack
from tests.support.faces import painted_set


def embedded(folder, workers=1, told=lambda *_: None):
    pack = double_pack()
    return embed_set([DoubleEngine(pack) for _ in range(workers)], pack, read_set(folder).pictures, told)


def test_what_became_of_each_picture(tmp_path):
    folder = painted_set(tmp_path, {"a": [1, 1], "b": [2, None]})
    (folder / "b" / "3.jpg").write_bytes(b"no picture")
    told = []
    found = embedded(folder, told=lambda *said: told.append(said))
    assert found.seen.tolist() == [True, True, True, False, False]
    assert (found.faceless, found.unreadable) == ((3,), (4,))
    scores = found.templates @ found.templates.T
    assert scores[0, 1] > 0.95 > 0.5 > scores[0, 2]
    assert not found.templates[3:].any()
    assert told[-1] == (5, 5)


def test_many_workers_give_what_one_gives(tmp_path):
    folder = painted_set(tmp_path, {f"p{n}": [n, n, None, n] for n in range(12)})
    one, three = embedded(folder), embedded(folder, workers=3)
    np.testing.assert_array_equal(one.templates, three.templates)
    assert one.faceless == three.faceless


def test_what_enrolment_would_refuse_is_counted(tmp_path):
    import msgspec

    folder = painted_set(tmp_path, {"a": [1, 1], "b": [2, None]})
    pack = double_pack()
    strict = msgspec.structs.replace(pack, quality=msgspec.structs.replace(pack.quality, enrol_face_px=100))
    found = embed_set([DoubleEngine(pack)], strict, read_set(folder).pictures, lambda *_: None)
    assert (found.too_small, found.too_blurred, found.several) == (3, 0, 0)
    assert found.seen.sum() == 3
