"""Streams against a real RTSP server that is stopped, stalled and started again."""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from lfr.config import Camera, SourceTimes
from lfr.domain.errors import SourceError
from lfr.vision.source import EndOfSource, Frame, Source, open_source
from tests.support.rtsp import RtspServer, SilentListener, free_port

TIMES = SourceTimes(open_timeout=3.0, read_timeout=0.4, backoff_min=0.05, backoff_max=0.2, stale_after=1.0)


def camera(times: SourceTimes = TIMES) -> Camera:
    return Camera(id="north", url="rtsp://example", times=times)


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    with RtspServer() as running:
        yield running


def next_frame(source: Source, within: float = 15.0) -> Frame:
    frame = source.read(within)
    assert frame is not None, source.stats
    return frame


def until(source: Source, state: str, within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while source.stats.state != state:
        assert time.monotonic() < deadline, source.stats
        time.sleep(0.01)


@pytest.mark.rtsp
def test_frames_carry_presentation_times_and_arrival_times(server: RtspServer) -> None:
    source = open_source(camera(), server.url())
    try:
        frames = [next_frame(source) for _ in range(25)]
        assert source.live
        assert [f.index for f in frames] == sorted({f.index for f in frames})
        assert all(f.image is not None and f.image.shape == (240, 320, 3) for f in frames)
        media = frames[-1].media_s - frames[0].media_s
        assert media == pytest.approx(0.04 * (frames[-1].index - frames[0].index), abs=0.002)
        assert abs(media - (frames[-1].stamped_at - frames[0].stamped_at)) < 0.5
        assert 0 <= time.time() - frames[-1].stamped_at < 1.0
        stats = source.stats
        assert (stats.state, stats.codec, stats.size) == ("ok", "h264", (320, 240))
        assert stats.fps == pytest.approx(25, rel=0.4)
        assert stats.extra["jitter_ms"] < 200
        assert stats.last_good_at is not None
    finally:
        source.close()
    assert source.stats.state == "stopped"


@pytest.mark.rtsp
def test_newest_frame_wins_and_the_others_are_counted(server: RtspServer) -> None:
    source = open_source(camera(), server.url())
    try:
        first = next_frame(source)
        time.sleep(0.8)
        second = next_frame(source)
        assert second.index - first.index >= 10
        assert time.time() - second.stamped_at < 0.5
        stats = source.stats
        # Every frame that was read was delivered, dropped, stale on opening, or lies in the slot.
        assert stats.read - stats.dropped - stats.stale - 2 in (0, 1)
        assert stats.dropped >= 10
    finally:
        source.close()


@pytest.mark.rtsp
def test_the_backlog_of_opening_is_stale_not_new(server: RtspServer) -> None:
    source = open_source(camera(), server.url())
    try:
        first = next_frame(source)
        assert source.stats.stale > 0
        assert first.index >= source.stats.stale
    finally:
        source.close()


@pytest.mark.rtsp
def test_a_stride_offers_every_nth_frame(server: RtspServer) -> None:
    source = open_source(camera(), server.url(), stride=3)
    try:
        assert {next_frame(source).index % 3 for _ in range(5)} == {0}
    finally:
        source.close()


@pytest.mark.rtsp
def test_a_server_that_wants_a_sign_in_gets_it_and_no_counter_repeats_it() -> None:
    with RtspServer(user="user", password="hush7") as server:
        source = open_source(camera(), server.url("user:hush7"))
        refused = open_source(camera(), server.url("user:wrong7"))
        try:
            next_frame(source)
            until(refused, "reconnecting")
            assert "password" in refused.stats.detail
            assert "7" not in repr(source.stats.detail) + refused.stats.detail
        finally:
            source.close()
            refused.close()


def test_a_dead_stream_is_no_error_and_says_why() -> None:
    source = open_source(camera(), f"rtsp://127.0.0.1:{free_port()}/live")
    try:
        until(source, "reconnecting")
        assert source.read(0.3) is None
        stats = source.stats
        assert stats.detail == "no connection (connection refused)"
        assert stats.extra["failed_opens"] >= 2
        assert stats.reconnects == 0
    finally:
        source.close()


@pytest.mark.parametrize("url", ["rtsp:///live", "rtsp://user:se/cret@host/live", "rtsp://host:99999/live"])
def test_an_address_without_a_host_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(camera(), url)
    assert "cret" not in caught.value.message
    assert caught.value.hint


def test_close_returns_at_once_while_opening_and_wakes_a_reader() -> None:
    with SilentListener() as listener:
        times = SourceTimes(open_timeout=3.0, read_timeout=3.0)
        source = open_source(camera(times), f"rtsp://127.0.0.1:{listener.port}/live")
        assert listener.met.wait(5)
        ended = threading.Event()

        def reader() -> None:
            with pytest.raises(EndOfSource):
                source.read(30.0)
            ended.set()

        thread = threading.Thread(target=reader)
        thread.start()
        began = time.monotonic()
        source.close()
        source.close()
        assert time.monotonic() - began < 1.5
        assert ended.wait(1)
        thread.join()
        with pytest.raises(EndOfSource):
            source.read(0)
        deadline = time.monotonic() + 10
        while any(t.name == "source-north" for t in threading.enumerate()):
            assert time.monotonic() < deadline, "the blocked reader thread never ended"
            time.sleep(0.05)


@pytest.mark.rtsp
def test_close_returns_at_once_while_a_read_is_stalled() -> None:
    with RtspServer() as server:
        source = open_source(camera(SourceTimes(open_timeout=5.0, read_timeout=2.0)), server.url())
        next_frame(source)
        server.stall()
        time.sleep(0.2)
        began = time.monotonic()
        source.close()
        assert time.monotonic() - began < 1.0


LEAVE = """
import sys, time
from lfr import log
from lfr.config import Camera, SourceTimes
from lfr.vision.source import open_source
log.configure("DEBUG")
times = SourceTimes(open_timeout=1, read_timeout=1, backoff_min=0.05)
sources = [open_source(Camera(id="north", url="x", times=times), url) for url in sys.argv[1:]]
time.sleep(1.5)
for source in sources:
    print(source.stats)
    if "open" not in source.stats.state:
        assert source.read(0) is None
print("done", flush=True)
"""


@pytest.mark.parametrize("noisy", [False, True])
def test_credentials_reach_neither_stdout_nor_stderr_and_leaving_in_the_middle_of_an_open_is_clean(noisy: bool) -> None:
    with SilentListener() as silent:
        dead = free_port()
        urls = [
            f"{scheme}://user:hush7@127.0.0.1:{port}/hush8?token=hush9"
            for scheme in ("rtsp", "http")
            for port in (dead, silent.port)
        ]
        noise = (
            {"OPENCV_FFMPEG_DEBUG": "1", "OPENCV_LOG_LEVEL": "DEBUG", "OPENCV_FFMPEG_LOGLEVEL": "56"} if noisy else {}
        )
        done = subprocess.run(
            [sys.executable, "-c", LEAVE, *urls],
            check=False,
            env={**os.environ, **noise},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
    assert "camera.lost" in done.stderr
    for secret in ("hush7", "hush8", "hush9"):
        assert secret not in done.stdout + done.stderr


@pytest.mark.rtsp
@pytest.mark.timeout(240)
def test_fifty_stops_stalls_and_restarts_without_a_leak() -> None:
    """Issue 2: stopped, stalled and restarted 50 times, at most 3 minutes, and nothing grows."""
    with RtspServer() as server:
        source = open_source(camera(), server.url())
        try:
            last = next_frame(source)
            process = psutil.Process()
            before: tuple[int, int, int] | None = None
            began = time.monotonic()
            for cycle in range(50):
                if cycle == 8:  # warm: FFmpeg, the allocator and the thread pools have what they keep
                    before = grown(process)
                back = source.stats.reconnects
                if cycle % 3 == 0:
                    server.stop()
                    until(source, "reconnecting")
                    server.start()
                elif cycle % 3 == 1:
                    server.stall()
                    until(source, "reconnecting")
                    server.resume()
                else:
                    server.stop()
                    until(source, "reconnecting")
                    with SilentListener(server.port) as silent:
                        assert silent.met.wait(15)
                    server.start()
                until(source, "ok")
                frame = next_frame(source)
                while frame.stamped_at < time.time() - 0.3 or source.stats.reconnects <= back:
                    frame = next_frame(source)
                assert frame.index > last.index
                assert frame.media_s > last.media_s
                last = frame
            assert time.monotonic() - began < 180
            assert source.stats.reconnects >= 50
            assert before is not None
            after = grown(process)
            assert after[0] <= before[0], "threads"
            assert after[1] <= before[1] + 2, "file descriptors"
            assert after[2] - before[2] < 24 * 1024 * 1024, f"resident bytes {before[2]} -> {after[2]}"
        finally:
            source.close()


def grown(process: psutil.Process) -> tuple[int, int, int]:
    gc.collect()
    return process.num_threads(), process.num_fds(), process.memory_info().rss
