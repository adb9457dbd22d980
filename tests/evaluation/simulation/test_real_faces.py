"""The simulator and the envelope with real faces and real models: end to end, on few people."""

import numpy as np
import pytest

from lfr.evaluation.clip_frames import frames
from lfr.evaluation.envelope.levels import Held
from lfr.evaluation.envelope.lineup import Mover
from lfr.evaluation.envelope.transits import enrol, pass_by
from lfr.evaluation.simulation.cast import choose_cast
from lfr.evaluation.simulation.clip import write_clip
from lfr.evaluation.simulation.plan import draw_plan
from lfr.evaluation.simulation.settings import Settings
from lfr.evaluation.truth import load_truth
from lfr.matching.matcher import Matcher
from lfr.matching.threshold import for_watchlist
from lfr.vision.engine import open_engine
from lfr.vision.letterbox import fit
from lfr.vision.packs import load_pack, locate

SETTINGS = Settings(people=8, listed=8, watchlist_size=30, seconds=6, fps=5, face_px=(36, 100))

pytestmark = pytest.mark.assets


@pytest.fixture(scope="module")
def engine(assets):
    opened = open_engine(locate(load_pack("research"), [assets / "models"]), threads=2)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def cast(assets, engine):
    return choose_cast(assets / "faces" / "lfw-dev", SETTINGS, engine)


def test_a_detector_finds_the_faces_where_the_truth_says(engine, cast, tmp_path):
    written = write_clip(tmp_path / "walk.mp4", draw_plan(SETTINGS), cast)
    truth = load_truth(written.truth_file)
    box = fit(SETTINGS.width, SETTINGS.height, engine.contract.long_side)
    overlaps = []
    for index, picture in frames(written.clip, wanted=lambda index: index % 3 == 0):
        if picture is not None:
            faces = box.undo(engine.detect([box.apply(picture)])[0])
            seen = [b for track in truth.tracks for b in track.boxes if b[0] == index and b[6] > 0.9]
            overlaps += [max((_overlap(b[1:5], found) for found in faces.boxes), default=0.0) for b in seen]
    assert len(overlaps) > 15
    assert np.mean(np.array(overlaps) > 0.5) > 0.9
    assert np.median(overlaps) > 0.7


@pytest.mark.rule("C5")
def test_near_and_frontal_everybody_is_found_and_far_or_blurred_nobody(assets, engine, cast):
    pack = load_pack("research")
    matcher = Matcher(pack.recogniser.dim, "cosine", for_watchlist(pack, 30, target_fpir=None, fixed=None))
    matcher.add(enrol(engine, pack, assets / "faces" / "lfw-dev", cast.entries))
    people = [(walker.identity, Mover(number, walker.heads[0])) for number, walker in enumerate(cast.walkers)]
    usual, far, blurred, turned = (
        pass_by(engine, pack, matcher, people, held, 1)
        for held in (Held(), Held(face_px=16), Held(defocus=6), Held(yaw=30))
    )
    assert usual.found >= 7
    assert far.found == 0
    assert blurred.found <= 2
    assert blurred.measured["detail"] < 0.5 * usual.measured["detail"]
    assert turned.measured["yaw"] > usual.measured["yaw"] + 0.2


def _overlap(box, found):
    x, y, w, h = box
    across = max(0.0, min(x + w, found[2]) - max(x, found[0]))
    down = max(0.0, min(y + h, found[3]) - max(y, found[1]))
    return across * down / (w * h + (found[2] - found[0]) * (found[3] - found[1]) - across * down)
