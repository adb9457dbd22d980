"""HTTP streams: a camera that pushes JPEG pictures, and a recording, which must keep its own rate."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

from lfr.config import Camera, SourceTimes
from lfr.vision.source import Source, open_source
from tests.support.clips import number_of, numbered, write_clip

CAMERA = Camera(id="north", url="x", times=SourceTimes(read_timeout=1.0, backoff_min=0.05, backoff_max=0.1))


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):  # the client may go away
                answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://user:hush@127.0.0.1:{server.server_address[1]}/video"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def wait_for(source: Source, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline, source.stats
        source.read(0.1)


def test_pushed_jpeg_pictures_are_followed_and_a_restart_is_survived() -> None:
    def push(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=edge")
        request.end_headers()
        for index in range(40):
            jpeg = cv2.imencode(".jpg", numbered(index))[1].tobytes()
            request.wfile.write(b"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
            request.wfile.write(jpeg + b"\r\n")
            time.sleep(0.03)

    with serving(push) as url:
        source = open_source(CAMERA, url)
        try:
            frame = source.read(15.0)
            assert frame is not None
            assert frame.image is not None
            assert 0 <= number_of(frame.image) < 40
            wait_for(source, lambda: source.stats.reconnects >= 2)
            later = source.read(15.0)
            assert later is not None
            assert later.index > frame.index
            assert later.media_s > frame.media_s
            assert source.stats.codec == "mjpg"
        finally:
            source.close()


def test_a_recording_is_shown_at_its_own_rate_and_over_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", 25, codec="MJPG").read_bytes()

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(clip)))
        request.end_headers()
        request.wfile.write(clip)

    with serving(send) as url:
        source = open_source(CAMERA, url)
        try:
            began = time.monotonic()
            wait_for(source, lambda: source.stats.reconnects >= 1)
            assert time.monotonic() - began > 0.9
            assert source.stats.read in (25, 26)
            assert source.stats.stale == 0
        finally:
            source.close()
