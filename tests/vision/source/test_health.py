"""No frames, frozen, black; and what must not be taken for them."""

from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from lfr.actors.control import CameraHealth
from lfr.config import Camera, SourceTimes
from lfr.domain.faces import Image
from lfr.vision.source import EndOfSource, Frame, PictureHealth, SourceStats, open_source
from lfr.vision.source.health import SourceHealth

TIMES = SourceTimes(stale_after=2.0, frozen_after=4.0)
FPS = 10.0
OK = SourceStats(state="ok")
rng = np.random.default_rng(7)
SCENE: Image = cv2.resize(rng.integers(20, 230, (9, 16, 3), np.uint8), (640, 360), interpolation=cv2.INTER_CUBIC)


def noisy(picture: Image, sigma: float) -> Image:
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def shown(pictures: list[Image | None], times: SourceTimes = TIMES) -> str:
    """The word after these pictures, FPS of them a second."""
    health = PictureHealth(times, now=0.0)
    for index, picture in enumerate(pictures):
        health.feed(Frame(index, index / FPS, 1e9 + index / FPS, picture), now=index / FPS)
    return health.word(OK, now=(len(pictures) - 1) / FPS)


def through_codec(pictures: list[Image], path: Path) -> list[Image | None]:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (640, 360))
    for picture in pictures:
        writer.write(picture)
    writer.release()
    source = open_source(Camera(id="c", url="x", pace="file"), str(path))
    out: list[Image | None] = []
    while True:
        try:
            frame = source.read(1.0)
        except EndOfSource:
            return out
        assert frame is not None
        out.append(frame.image)


def test_the_words_are_those_of_the_control_seam() -> None:
    assert get_args(SourceHealth) == get_args(CameraHealth)


@pytest.mark.parametrize("state", ["opening", "reconnecting", "ended", "failed", "stopped"])
def test_the_sources_own_state_comes_first(state: str) -> None:
    assert PictureHealth(TIMES, now=0.0).word(SourceStats(state=state), now=100.0) == state


def test_silence_is_no_frames_and_a_frame_heals_it() -> None:
    health = PictureHealth(TIMES, now=0.0)
    assert health.word(OK, now=1.9) == "ok"
    assert health.word(OK, now=2.1) == "no frames"
    health.feed(Frame(0, 0.0, 0.0, None), now=3.0)
    assert health.word(OK, now=3.1) == "ok", "a frame whose picture was not decoded is a sign of life"


def test_one_picture_repeated_is_frozen() -> None:
    still: list[Image | None] = [SCENE] * 50
    assert shown(still[:40]) == "ok", "not yet: frozen_after has not passed"
    assert shown(still) == "frozen"


def test_a_frozen_picture_that_moves_again_is_ok() -> None:
    assert shown([SCENE] * 50 + [np.roll(SCENE, 8 * i, axis=1) for i in range(3)]) == "ok"


def test_a_frozen_picture_encoded_anew_is_still_frozen(tmp_path: Path) -> None:
    assert shown(through_codec([SCENE] * 60, tmp_path / "a.mp4")) == "frozen"


@pytest.mark.parametrize("sigma", [0.6, 1.0, 3.0])
def test_a_quiet_live_scene_with_sensor_noise_is_not_frozen(sigma: float) -> None:
    assert shown([noisy(SCENE, sigma) for _ in range(60)]) == "ok"


def test_a_quiet_live_scene_is_not_frozen_behind_a_codec(tmp_path: Path) -> None:
    assert shown(through_codec([noisy(SCENE, 2.0) for _ in range(60)], tmp_path / "a.mp4")) == "ok"


def test_one_small_thing_that_moves_in_a_perfectly_clean_picture_is_life() -> None:
    def with_thing(x: int) -> Image:
        picture = SCENE.copy()
        picture[100:160, x : x + 24] = 255 - picture[100:160, x : x + 24]
        return picture

    assert shown([with_thing(20 + 4 * max(0, i - 50)) for i in range(60)]) == "ok"


def test_black_is_black_even_with_noise_and_though_it_stands_still() -> None:
    dark = np.full((360, 640, 3), 8, np.uint8)
    assert shown([dark] * 60) == "black"
    assert shown([noisy(dark, 3.0) for _ in range(60)]) == "black"
    assert shown([SCENE] * 5 + [noisy(dark, 3.0) for _ in range(10)]) == "ok", "a second of it is a passing van"


def test_a_night_scene_with_lamps_is_not_black() -> None:
    night = np.full((360, 640, 3), 10, np.uint8)
    night[40:80, 100:140] = 220
    assert shown([noisy(night, 2.0) for _ in range(60)]) == "ok"


def test_another_size_starts_the_comparison_anew() -> None:
    small: Image = cv2.resize(SCENE, (320, 180))
    assert shown([SCENE] * 45 + [small] * 5) == "ok"


def test_a_slow_camera_can_freeze_too() -> None:
    health = PictureHealth(TIMES, now=0.0)
    for second in range(7):
        health.feed(Frame(second, float(second), 0.0, SCENE), now=float(second))
    assert health.word(OK, now=6.5) == "frozen"


@pytest.mark.assets
@pytest.mark.parametrize("clip", ["empty_720p.mp4", "walk_720p.mp4"])
def test_the_shared_clips_are_alive(assets: Path, clip: str) -> None:
    source = open_source(Camera(id="c", url="x", pace="file"), str(assets / "video" / clip), stride=2)
    health = PictureHealth(SourceTimes(frozen_after=5.0), now=0.0)
    words = set()
    for _ in range(300):
        frame = source.read(1.0)
        assert frame is not None
        health.feed(frame, now=frame.media_s)
        words.add(health.word(OK, now=frame.media_s))
    assert words == {"ok"}
