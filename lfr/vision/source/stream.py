"""RTSP and HTTP streams."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from lfr.config import Camera, SourceTimes, public_url
from lfr.domain.errors import SourceError
from lfr.vision.source.capture import Capture
from lfr.vision.source.live import LiveSource

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""The schemes this module opens, with their usual ports."""


def open_stream(camera: Camera, address: str, *, stride: int = 1, threads: int = 1) -> LiveSource:
    """Follow a stream. Returns at once; a camera that is away is tried again for ever (`stats.state` says so).

    address: with credentials filled in; it is kept in memory only. Raises SourceError if it names no host.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise SourceError(
            f"camera {camera.id}: {public_url(address)} names no host and port",
            hint="write rtsp://HOST[:PORT]/PATH; percent-encode @ : / ? # in user and password",
        )
    where = (host, port or PORTS[parts.scheme.lower()])
    return LiveSource(lambda: _connect(address, where, camera.times, threads), camera.id, camera.times, stride=stride)


def _connect(address: str, where: tuple[str, int], times: SourceTimes, threads: int) -> Capture:
    capture = Capture(address, open_s=times.open_timeout, read_s=times.read_timeout, threads=threads)
    if capture.opened:
        return capture
    capture.release()
    raise SourceError(_reason(where, times.open_timeout), hint="try the same url in another player")


def _reason(where: tuple[str, int], timeout: float) -> str:
    """Why it did not open, in a few words. FFmpeg's own words stay unread: they may hold the address."""
    try:
        with socket.create_connection(where, timeout=timeout):
            return "the host answers but gives no video (path, user or password wrong, or it is stalled)"
    except socket.gaierror:
        return "the host's name is not known"
    except TimeoutError:
        return "the host does not answer"
    except OSError as error:
        return f"no connection ({(error.strerror or type(error).__name__).lower()})"
