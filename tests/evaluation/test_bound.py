"""The bound does the work it is said to do."""

import pytest

from lfr.evaluation import bound
from lfr.vision.engine.double import DoubleEngine, located_double
from tests.support.clips import write_clip


@pytest.fixture
def work(monkeypatch):
    """What the engine was really given: pictures and crops."""
    done = {"pictures": 0, "crops": 0, "batches": []}

    class Counting(DoubleEngine):
        def detect(self, pictures):
            done["pictures"] += len(pictures)
            return super().detect(pictures)

        def embed(self, crops):
            done["crops"] += len(crops)
            done["batches"].append(len(crops))
            return super().embed(crops)

    monkeypatch.setattr(bound, "open_engine", lambda located, **_: Counting(located.pack))
    monkeypatch.setattr(bound, "fastest", lambda candidates, _: candidates[0])
    return done


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip") / "numbered.mp4", 40)


@pytest.mark.parametrize(("processed", "embeddings"), [(40, 0), (20, 50), (13, 7), (40, 200), (0, 0)])
def test_the_same_number_of_detections_and_templates(clip, work, processed, embeddings):
    run = bound.run_bound(clip, located_double(), of=40, processed=processed, embeddings=embeddings)
    assert (run.frames, run.detected_frames, run.embeddings) == (40, processed, embeddings)
    warm_up = 16
    assert work["pictures"] == processed + 1
    assert work["crops"] == embeddings + warm_up
    assert max(work["batches"]) == 16
    assert run.fps == pytest.approx(40 / run.seconds)


def test_thread_counts_are_tried_on_a_prefix(clip):
    run = bound.run_bound(clip, located_double(), of=40, processed=40, embeddings=10)
    assert run.threads >= 1
