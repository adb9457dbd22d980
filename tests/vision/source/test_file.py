"""Video files: every frame at pace `file`, the newest due one at pace `live`, and clear words for what is no video."""

import itertools
import threading
import time
from pathlib import Path

import cv2
import pytest

from lfr.config import Camera
from lfr.domain.errors import SourceError
from lfr.vision.source import EndOfSource, Frame, Source, open_source
from tests.support.clips import number_of, numbered, write_clip


def camera(pace: str = "file") -> Camera:
    return Camera(id="north", url="clip", pace=pace)  # type: ignore[arg-type] # the two words are checked by Camera


def all_frames(source: Source) -> list[Frame]:
    frames = []
    while True:
        try:
            frame = source.read(5.0)
        except EndOfSource:
            return frames
        if frame is not None:
            frames.append(frame)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "numbered.mp4", 60)


def test_every_frame_comes_once_and_in_order(clip: Path) -> None:
    source = open_source(camera(), str(clip))
    before = time.time()
    frames = all_frames(source)
    assert [f.index for f in frames] == list(range(60))
    assert [number_of(f.image) for f in frames if f.image is not None] == list(range(60))
    assert [f.media_s for f in frames] == pytest.approx([i / 25 for i in range(60)], abs=1e-6)
    assert before <= frames[0].stamped_at <= frames[-1].stamped_at <= time.time()
    assert not source.live
    stats = source.stats
    assert (stats.read, stats.dropped, stats.state, stats.fps, stats.size) == (60, 0, "ended", 25.0, (160, 64))
    with pytest.raises(EndOfSource):
        source.read(0)
    source.close()


def test_a_stride_leaves_the_pictures_between_undecoded_but_counts_them(clip: Path) -> None:
    source = open_source(camera(), str(clip), stride=4)
    frames = all_frames(source)
    assert [f.index for f in frames] == list(range(60))
    assert [f.index for f in frames if f.image is not None] == list(range(0, 60, 4))
    assert [number_of(f.image) for f in frames if f.image is not None] == list(range(0, 60, 4))
    assert source.stats.read == 60


def test_stride_0_follows_the_cameras_rate(clip: Path) -> None:
    frames = all_frames(open_source(Camera(id="n", url="x", pace="file", process_fps=12.5), str(clip), stride=0))
    assert [f.index for f in frames if f.image is not None] == list(range(0, 60, 2))


@pytest.mark.parametrize(("read_first", "index"), [(0, 0), (0, 7), (10, 30), (30, 10), (10, 9), (10, 10), (60, 59)])
def test_skip_to_lands_on_exactly_that_frame(clip: Path, read_first: int, index: int) -> None:
    source = open_source(camera(), str(clip))
    for _ in range(read_first):
        source.read(0)
    source.skip_to(index)
    frames = all_frames(source)
    assert [f.index for f in frames] == list(range(index, 60))
    assert frames[0].image is not None
    assert number_of(frames[0].image) == index
    assert frames[0].media_s == pytest.approx(index / 25, abs=1e-6)
    assert source.stats.read == read_first + 60 - index


def test_skip_beyond_the_end_is_the_end(clip: Path) -> None:
    source = open_source(camera(), str(clip))
    source.skip_to(1000)
    with pytest.raises(EndOfSource):
        source.read(0)


def test_a_file_without_time_stamps_is_timed_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "bare.mjpeg"
    path.write_bytes(b"".join(cv2.imencode(".jpg", numbered(i))[1].tobytes() for i in range(12)))
    frames = all_frames(open_source(camera(), str(path)))
    assert [f.index for f in frames] == list(range(12))
    steps = {round(b.media_s - a.media_s, 6) for a, b in itertools.pairwise(frames)}
    assert steps == {0.04}


def test_a_file_url_is_a_file(clip: Path) -> None:
    assert len(all_frames(open_source(camera(), clip.as_uri()))) == 60


def test_closing_ends_it_and_may_be_done_twice(clip: Path) -> None:
    source = open_source(camera(), str(clip))
    source.close()
    source.close()
    with pytest.raises(EndOfSource):
        source.read(0)
    source.skip_to(3)
    assert source.stats.state == "stopped"


def test_closing_from_another_thread_during_reading_is_safe(clip: Path) -> None:
    for _ in range(20):
        source = open_source(camera(), str(clip))
        thread = threading.Thread(target=all_frames, args=(source,))
        thread.start()
        source.close()
        thread.join(5)
        assert not thread.is_alive()


# --- pace live ------------------------------------------------------------------------------------------------------


def test_live_pace_plays_at_the_clips_own_rate(tmp_path: Path) -> None:
    source = open_source(camera("live"), str(write_clip(tmp_path / "c.mp4", 25)))
    began = time.monotonic()
    frames = all_frames(source)
    assert 0.9 <= time.monotonic() - began < 2.0
    assert source.live
    starts = {round(f.stamped_at - f.media_s, 6) for f in frames}
    assert len(starts) == 1, "each frame is stamped with start + presentation time"
    stats = source.stats
    assert stats.read == 25
    assert stats.read == len(frames) + stats.dropped
    assert all(number_of(f.image) == f.index for f in frames if f.image is not None)


def test_the_clock_starts_at_the_first_read(clip: Path) -> None:
    source = open_source(camera("live"), str(clip))
    time.sleep(0.3)
    first = source.read(1.0)
    assert first is not None
    assert first.index == 0
    assert time.time() - first.stamped_at < 0.25


def test_a_slow_reader_gets_the_newest_frame_and_the_overtaken_are_counted(clip: Path) -> None:
    source = open_source(camera("live"), str(clip))
    assert source.read(1.0) is not None
    time.sleep(0.6)
    frame = source.read(1.0)
    assert frame is not None
    assert frame.index >= 13
    assert frame.image is not None
    assert number_of(frame.image) == frame.index
    assert source.stats.dropped == frame.index - 1
    assert source.stats.read == frame.index + 1


def test_nothing_due_yet_is_none_and_the_frame_is_not_lost(tmp_path: Path) -> None:
    source = open_source(camera("live"), str(write_clip(tmp_path / "slow.mp4", 4, fps=2.0)))
    first = source.read(1.0)
    assert first is not None
    assert source.read(0.05) is None
    second = source.read(2.0)
    assert second is not None
    assert second.index == 1
    assert source.read(0.05) is None
    time.sleep(1.1)
    third = source.read(2.0)
    assert third is not None
    assert third.index == 3, "the frame that was kept has been overtaken meanwhile"
    assert source.stats.dropped == 1


def test_live_pace_with_a_stride_offers_every_nth_frame(clip: Path) -> None:
    source = open_source(camera("live"), str(clip), stride=5)
    frames = [source.read(2.0) for _ in range(5)]
    assert all(f is not None and f.index % 5 == 0 for f in frames)
    assert source.stats.dropped <= 2


def test_skipping_is_not_for_live_sources(clip: Path) -> None:
    source = open_source(camera("live"), str(clip))
    source.skip_to(40)
    frame = source.read(1.0)
    assert frame is not None
    assert frame.index == 0


def test_closing_wakes_a_waiting_live_reader(tmp_path: Path) -> None:
    source = open_source(camera("live"), str(write_clip(tmp_path / "slow.mp4", 3, fps=0.5)))
    assert source.read(1.0) is not None
    timer = threading.Timer(0.1, source.close)
    timer.start()
    began = time.monotonic()
    with pytest.raises(EndOfSource):
        source.read(30.0)
    assert time.monotonic() - began < 5
    timer.join()


# --- what is no video -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", ["file", "live"])
@pytest.mark.parametrize("content", [b"", b"hello\n" * 200, bytes(range(256)) * 40])
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, pace: str, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        open_source(camera(pace), str(path))
    assert "clip.mp4" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_source(camera(), str(tmp_path / "none.mp4"))


def test_a_header_without_frames_is_refused(tmp_path: Path, clip: Path) -> None:
    path = tmp_path / "headless.avi"
    whole = write_clip(tmp_path / "whole.avi", 30, codec="MJPG").read_bytes()
    path.write_bytes(whole[: whole.index(b"movi") + 4])
    with pytest.raises(SourceError):
        open_source(camera(), str(path))


@pytest.mark.parametrize("pace", ["file", "live"])
def test_a_clip_that_breaks_off_is_no_short_clip(tmp_path: Path, pace: str) -> None:
    whole = write_clip(tmp_path / "whole.avi", 30, codec="MJPG").read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 2])
    source = open_source(camera(pace), str(cut))
    with pytest.raises(SourceError, match="breaks off after"):
        all_frames(source)
    assert source.stats.state == "failed"
    assert 5 < source.stats.read < 25


@pytest.mark.assets
def test_the_shared_clip_has_all_its_frames(assets: Path) -> None:
    source = open_source(camera(), str(assets / "video" / "empty_720p.mp4"), stride=50)
    frames = all_frames(source)
    assert len(frames) == 375
    assert frames[-1].media_s == pytest.approx(374 / 25, abs=1e-6)
    assert (source.stats.codec, source.stats.size) == ("h264", (1280, 720))
