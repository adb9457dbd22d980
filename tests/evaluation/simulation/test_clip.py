"""A simulated clip: the same from the same seed, read back with its truth, and never half-written."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lfr.domain.errors import StorageError
from lfr.evaluation.clip_frames import frames
from lfr.evaluation.simulation.cast import choose_cast
from lfr.evaluation.simulation.clip import require_place, truth_of, write_clip
from lfr.evaluation.simulation.plan import draw_plan
from lfr.evaluation.simulation.settings import Settings
from lfr.evaluation.simulation.stage import Stage
from lfr.evaluation.truth import load_truth
from lfr.vision.letterbox import fit

SETTINGS = Settings(
    people=4, listed=2, watchlist_size=3, seconds=3, fps=10, width=640, height=360, face_px=(20, 56), speed=(2.0, 3.0)
)


def made(folder, engine, **changed):
    settings = msgspec.structs.replace(SETTINGS, **changed)
    return draw_plan(settings), choose_cast(folder, settings, engine)


def test_a_frame_depends_on_the_seed_and_its_index_alone(painted, engine):
    plan, cast = made(painted, engine)
    one, two = Stage(plan, cast.walkers), Stage(plan, cast.walkers)
    one.render(3)
    assert np.array_equal(one.render(17), two.render(17))
    other = Stage(*[part if n == 0 else part.walkers for n, part in enumerate(made(painted, engine, seed=2))])
    assert not np.array_equal(one.render(17), other.render(17))


def test_what_is_said_about_the_picture_is_seen_in_it(painted, engine):
    def mean(**changed):
        plan, cast = made(painted, engine, **changed)
        return Stage(plan, cast.walkers).render(10).mean()

    def grain(**changed):
        plan, cast = made(painted, engine, light=(1, 1), **changed)
        return np.abs(np.diff(Stage(plan, cast.walkers).render(10)[300:, :100].astype(int), axis=1)).mean()

    assert mean(light=(0.3, 0.3)) < 0.4 * mean(light=(1.0, 1.0))
    assert grain(noise=20.0, quality=0) > 2 * grain(noise=2.0, quality=0)
    assert grain(noise=8.0, quality=5) < 0.7 * grain(noise=8.0, quality=0)


def test_a_clip_and_its_truth_are_written_together_and_read_back(painted, engine, tmp_path):
    plan, cast = made(painted, engine)
    told = []
    written = write_clip(tmp_path / "walk.mp4", plan, cast, lambda done, total: told.append((done, total)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk.json", "walk.mp4"]
    truth = load_truth(tmp_path / "walk.json")
    assert truth == written.truth == truth_of(plan, cast, "walk.mp4")
    assert (truth.frames, truth.width, truth.height, truth.fps) == (30, 640, 360, 10)
    assert (len(truth.tracks), len(truth.listed), len(truth.watchlist)) == (4, 2, 3)
    assert told[-1] == (30, 30)
    assert all(path.is_file() for _, pictures in truth.enrolment(painted) for path in pictures)
    pictures = [image for _, image in frames(written.clip)]
    assert len(pictures) == 30
    stage = Stage(plan, cast.walkers)
    assert np.abs(pictures[12].astype(int) - stage.render(12)).mean() < 6


def test_what_an_engine_finds_lies_in_the_boxes(painted, engine):
    plan, cast = made(painted, engine, noise=1.0, defocus=0.3, shutter=0.0)
    truth = truth_of(plan, cast, "x.mp4")
    stage = Stage(plan, cast.walkers)
    found = 0
    for index in range(5, truth.frames, 2):
        faces = engine.detect([fit(640, 360, 640).apply(stage.render(index))])[0]
        boxes = [box for track in truth.tracks for box in track.boxes if box[0] == index]
        for x0, y0, x1, y1 in faces.boxes:
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            assert any(bx <= x <= bx + w and by <= y <= by + h for _, bx, by, w, h, _, _ in boxes)
            found += 1
    assert found > 10


def test_the_same_seed_gives_the_same_bytes(painted, engine, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_clip(tmp_path / folder / "walk.mp4", *made(painted, engine, seconds=1))
    for name in ("walk.mp4", "walk.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("place", ["missing/walk.mp4", "walk.avi", "taken.mp4"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path, place):
    (tmp_path / "taken.mp4").mkdir()
    with pytest.raises(StorageError) as caught:
        require_place(tmp_path / place)
    assert caught.value.hint


def _write_with_little_room(folder: str, out: str) -> None:
    """In a process of its own: no file may grow beyond 60 kB, as on a disk that is full."""
    from lfr.vision.engine.double import DoubleEngine, double_pack

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    try:
        write_clip(Path(out), *made(Path(folder), DoubleEngine(double_pack())))
    except StorageError as error:
        print(f"refused: {error.message} | {error.hint}")


def test_a_disk_that_fills_up_leaves_what_was_there(painted, tmp_path):
    out = tmp_path / "walk.mp4"
    out.write_bytes(b"an older clip")
    call = (
        "import sys; from tests.evaluation.simulation.test_clip import _write_with_little_room as w; w(*sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", call, str(painted), str(out)], capture_output=True, text=True, check=True
    )
    assert "refused: " in done.stdout
    assert "nothing half-written was kept" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["walk.mp4"]
    assert out.read_bytes() == b"an older clip"
