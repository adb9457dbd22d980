"""A simulated clip through the same actors as live: what its truth says is what the system finds."""

import pytest

from lfr.actors.clip import run_clip
from lfr.evaluation.score import score_clip
from lfr.evaluation.simulation.cast import choose_cast
from lfr.evaluation.simulation.clip import write_clip
from lfr.evaluation.simulation.plan import draw_plan
from lfr.evaluation.simulation.settings import Settings
from lfr.evaluation.truth import load_truth
from lfr.vision.engine.double import DoubleEngine, double_pack, located_double
from tests.support.painted_faces import painted_faces


@pytest.mark.ray
@pytest.mark.rule("D3")
async def test_the_listed_walkers_are_found_and_nobody_else(tmp_path):
    faces = painted_faces(tmp_path / "faces", people=8, pictures=2)
    settings = Settings(
        people=5, listed=3, watchlist_size=5, seconds=8, fps=12.5, width=640, height=360, face_px=(24, 60), seed=4,
        noise=1.0, defocus=0.3, shutter=0.0, pose=0.0,
    )  # fmt: skip
    cast = choose_cast(faces, settings, DoubleEngine(double_pack()))
    written = write_clip(tmp_path / "walk.mp4", draw_plan(settings), cast)
    truth = load_truth(written.truth_file)
    run = await run_clip(written.clip, truth.enrolment(faces), located_double(), threshold=None, pace="file")
    said = score_clip(truth, run)
    assert said["watchlist_tracks"] == 3
    assert (said["found"], said["duplicate_alerts"], said["false_alerts"], said["enrolled"]) == (3, 0, 0, 5)
    assert abs(said["transits"] - len(truth.tracks)) <= 1
