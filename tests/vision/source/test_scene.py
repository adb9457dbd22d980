"""The simulated scene: video, not stills; the same again from the same seed; live or every frame."""

import importlib.util
import threading
import time

import cv2
import numpy as np
import pytest

from lfr.config import Camera
from lfr.domain.errors import ConfigError
from lfr.vision.drawing.backdrop import HEIGHT, WIDTH
from lfr.vision.source import cutouts
from lfr.vision.source.base import EndOfSource
from lfr.vision.source.scene import Scene, open_scene, parse_address
from lfr.vision.source.street import Street


def opened(address: str, pace: str = "file") -> Scene:
    return open_scene(Camera(id="north", url=address, pace=pace), address)


def test_options_have_defaults_and_are_read_from_the_address():
    assert parse_address("scene:demo").loop is True
    options = parse_address("scene:demo?seconds=20&seed=7&fps=12.5&loop=0")
    assert (options.seconds, options.seed, options.fps, options.loop) == (20.0, 7, 12.5, False)


@pytest.mark.parametrize(
    "address", ["scene:beach", "scene:demo?speed=2", "scene:demo?fps=0", "scene:demo?seed=x", "scene:demo?loop", "demo"]
)
def test_a_wrong_address_is_one_clear_error(address):
    with pytest.raises(ConfigError) as caught:
        parse_address(address)
    assert caught.value.hint


def test_a_frame_depends_on_seed_and_index_alone():
    one, two = (Street(seconds=10, seed=3, fps=25, loop=False) for _ in range(2))
    two.render(10)
    assert np.array_equal(one.render(120), two.render(120))
    other = Street(seconds=10, seed=4, fps=25, loop=False)
    assert not np.array_equal(one.render(120), other.render(120))


def test_frames_are_720p_video_and_never_twice_the_same():
    street = Street(seconds=10, seed=1, fps=25, loop=False)
    frames = [street.render(index) for index in (150, 151, 152)]
    for frame in frames:
        assert frame.shape == (HEIGHT, WIDTH, 3)
        assert frame.dtype == np.uint8
    assert (frames[0] != frames[1]).mean() > 0.3  # sensor noise everywhere, not only where people move
    assert (frames[1] != frames[2]).mean() > 0.3


def test_people_grow_as_they_come_and_the_volunteer_is_among_them():
    street = Street(seconds=24, seed=1, fps=25, loop=True)
    listed = [walk for walk in street.walks if walk.listed]
    assert listed
    assert listed[0].start_s < 1.0
    assert len(street.walks) > 2 * len(listed)
    sizes = [listed[0].face_px(age) for age in (0.0, 2.0, 4.0, 6.0)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 60
    assert max(listed[0].face_px(age) for age in np.arange(0, 8, 0.1)) > 180


def test_the_embedded_detector_finds_the_people_who_are_near():
    dlib = pytest.importorskip("dlib")
    street = Street(seconds=24, seed=1, fps=25, loop=True)
    walk = street.walks[0]
    found = 0
    ages = [age for age in np.arange(4.0, 7.6, 0.4) if 100 < walk.face_px(age) < 185]
    for age in ages:
        x, y = walk.place(age)
        frame = street.render(round((walk.start_s + age) * street.fps))
        faces = dlib.get_frontal_face_detector()(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), 0)
        found += any(f.left() < x < f.right() and f.top() < y < f.bottom() for f in faces)
    assert len(ages) >= 4
    assert found >= len(ages) - 1


def test_the_scene_goes_on_after_its_length_when_it_loops():
    looped = Street(seconds=10, seed=1, fps=10, loop=True)
    once = Street(seconds=10, seed=1, fps=10, loop=False)
    assert len(looped._present(45.0)) >= 2
    assert once._present(45.0) == []


def test_file_pace_gives_every_frame_then_ends():
    scene = opened("scene:demo?seconds=5&fps=2&loop=0")
    frames = [scene.read(1.0) for _ in range(10)]
    with pytest.raises(EndOfSource):
        scene.read(1.0)
    assert [frame.index for frame in frames] == list(range(10))
    assert frames[4].media_s == 2.0
    assert not scene.live
    assert (scene.stats.read, scene.stats.dropped, scene.stats.state) == (10, 0, "ended")


def test_file_pace_resumes_where_it_is_told_to():
    scene = opened("scene:demo?seconds=5&fps=2&loop=0")
    first = [scene.read(1.0) for _ in range(4)][3]
    scene.skip_to(3)
    again = scene.read(1.0)
    assert again.index == 3
    assert np.array_equal(first.image, again.image)


def test_live_pace_stamps_when_a_frame_was_due_and_drops_what_it_missed():
    scene = opened("scene:demo?fps=50", pace="live")
    first = scene.read(1.0)
    time.sleep(0.3)
    late = scene.read(1.0)
    assert first.index == 0
    assert late.index >= 10
    assert late.stamped_at == pytest.approx(first.stamped_at + late.index / 50, abs=1e-6)
    assert scene.stats.dropped == late.index - 1
    assert scene.stats.read == late.index + 1


def test_live_pace_answers_none_before_a_frame_is_due_and_ends():
    scene = opened("scene:demo?fps=1&seconds=5&loop=0", pace="live")
    assert scene.read(1.0).index == 0
    assert scene.read(0.01) is None
    scene._started -= 60.0
    assert scene.read(1.0).index == 4
    with pytest.raises(EndOfSource):
        scene.read(1.0)


def test_close_ends_a_waiting_read_at_once():
    scene = opened("scene:demo?fps=1", pace="live")
    scene.read(1.0)
    threading.Timer(0.1, scene.close).start()
    started = time.monotonic()
    with pytest.raises(EndOfSource):
        scene.read(30.0)
    assert time.monotonic() - started < 5.0
    scene.close()


def test_the_enrolment_picture_is_a_picture():
    picture = cv2.imdecode(np.frombuffer(cutouts.listed_portrait(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (300, 280, 3)


def test_a_missing_package_is_named_with_what_to_install(monkeypatch):
    cutouts.listed_head.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="skimage") as caught:
        cutouts.listed_head()
    assert "embedded" in caught.value.hint
