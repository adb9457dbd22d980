"""What is said of a source before it is used."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from lfr.config import Camera, SourceTimes
from lfr.domain.errors import SourceError
from lfr.vision.engine import open_engine
from lfr.vision.engine.double import located_double, paint
from lfr.vision.source import open_source
from lfr.vision.source.inspection import inspect
from tests.support.clips import write_clip
from tests.support.rtsp import RtspServer, free_port

TIMES = SourceTimes(open_timeout=3.0, read_timeout=1.0, backoff_min=0.05)


def test_a_clip_is_described(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 40)
    source = open_source(Camera(id="c", url="x"), str(path))
    seen = inspect(source, str(path), TIMES, seconds=0.6)
    assert (seen.url, seen.width, seen.height, seen.fps, seen.health) == (str(path), 160, 64, 25.0, "ok")
    assert 5 <= seen.frames <= 17
    assert 0.5 <= seen.seconds < 1.5
    assert (seen.camera_clock_ms, seen.delay_ms, seen.jitter_ms, seen.faces) == (None, None, None, None)


def test_a_short_clip_ends_the_look(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 5)
    seen = inspect(open_source(Camera(id="c", url="x"), str(path)), str(path), TIMES, seconds=30)
    assert seen.seconds < 5
    assert seen.health == "ended"


def test_face_sizes_are_those_of_the_whole_frame(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (1280, 720))
    picture = np.full((720, 1280, 3), 90, np.uint8)
    paint(picture, 0, 100, 100, 80)
    paint(picture, 3, 700, 200, 160)
    for _ in range(10):
        writer.write(picture)
    writer.release()
    engine = open_engine(located_double())
    seen = inspect(open_source(Camera(id="c", url="x"), str(path)), str(path), TIMES, seconds=0.3, engine=engine)
    assert seen.faces is not None
    assert seen.faces.frames == seen.frames
    assert seen.faces.detections == 2 * seen.frames
    assert seen.faces.smallest_px == pytest.approx(80, abs=6)
    assert seen.faces.largest_px == pytest.approx(160, abs=6)


def test_without_a_picture_it_is_an_error_at_once_and_without_credentials() -> None:
    url = f"rtsp://user:hush@127.0.0.1:{free_port()}/live?token=hush"
    source = open_source(Camera(id="c", url="x", times=TIMES), url)
    try:
        with pytest.raises(SourceError, match=r"no picture from rtsp://127.*connection refused") as caught:
            inspect(source, url, TIMES)
        assert "hush" not in caught.value.message + caught.value.hint
    finally:
        source.close()


@pytest.mark.rtsp
def test_a_stream_is_described_with_its_clock() -> None:
    with RtspServer() as server:
        source = open_source(Camera(id="c", url="x", times=TIMES), server.url())
        try:
            seen = inspect(source, server.url("user:hush"), TIMES, seconds=1.0)
        finally:
            source.close()
    assert seen.url == server.url()
    assert (seen.codec, seen.width, seen.height, seen.health) == ("h264", 320, 240, "ok")
    assert seen.fps == pytest.approx(25, rel=0.4)
    assert seen.delay_ms is not None
    assert seen.jitter_ms is not None
    assert 0 <= seen.jitter_ms < 200
