"""A real RTSP server that tests can stop, stall and start again, and a listener that never answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from pathlib import Path
from types import TracebackType

_SCRIPT = Path(__file__).with_name("rtsp_server.py")
_PICTURES = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1"
LAUNCH = (
    f"( {_PICTURES} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 bitrate=400 "
    "! rtph264pay name=pay0 pt=96 config-interval=1 )"
)
"""Live H.264, 320x240, 25 frames/s: made as it is served, so that no clip is needed."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class RtspServer:
    """GStreamer's server in a process of its own, always on the same port."""

    def __init__(self, *, user: str = "", password: str = "") -> None:
        self.port = free_port()
        self._sign_in = [user, password] if user else []
        self._process: subprocess.Popen[str] | None = None

    def url(self, sign_in: str = "") -> str:
        return f"rtsp://{sign_in}{'@' if sign_in else ''}127.0.0.1:{self.port}/live"

    def start(self) -> None:
        """Returns when it listens."""
        assert self._process is None
        self._process = subprocess.Popen(
            ["/usr/bin/python3", str(_SCRIPT), str(self.port), LAUNCH, *self._sign_in],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        """Ended without a goodbye, as a camera that loses its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def stall(self) -> None:
        """The connection stands, nothing more comes."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class SilentListener:
    """Accepts connections and never says a word. `met` is set when the first one came."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self.met = threading.Event()
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self._held.append(self._socket.accept()[0])
            except OSError:
                return
            self.met.set()

    def __enter__(self) -> SilentListener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)
        for held in self._held:
            held.close()
