"""Where frames come from: one call opens any of them."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.request import url2pathname

from lfr.config import Camera, public_url
from lfr.domain.errors import SourceError
from lfr.vision.source.base import EndOfSource, Frame, Source, SourceStats
from lfr.vision.source.file import open_file
from lfr.vision.source.folder import FolderSource
from lfr.vision.source.health import PictureHealth
from lfr.vision.source.stream import PORTS, open_stream
from lfr.vision.source.webcam import open_webcam

__all__ = ["EndOfSource", "Frame", "PictureHealth", "Source", "SourceStats", "open_source"]


def open_source(camera: Camera, address: str, *, stride: int = 1, threads: int = 1) -> Source:
    """Open what `address` names: a file, a folder, `webcam:0`, `rtsp://...`, `http://...` or `scene:demo`.

    address: camera.url with credentials filled in (config.camera_address); no message, log or counter repeats them.
    stride: only every n-th frame needs a picture (see the sources); 0 = as camera.process_fps asks, for a file, whose
    rate is known beforehand. threads: of the decoder. A file or folder that cannot be read raises SourceError at once;
    a stream or webcam that is away does not: it is tried again for ever.
    """
    scheme = address.split(":", 1)[0].lower() if ":" in address else ""
    if scheme in PORTS and address[len(scheme) :].startswith("://"):
        return open_stream(camera, address, stride=stride, threads=threads)
    if scheme == "webcam":
        return open_webcam(camera, address, stride=stride)
    if scheme == "scene":
        from lfr.vision.source.scene import open_scene  # noqa: PLC0415 - drawing a scene needs more than most cameras do

        return open_scene(camera, address)
    if re.match(r"^file://(localhost)?/", address):
        address = url2pathname(re.sub(r"^file://(localhost)?", "", address))
    elif "://" in address:
        raise SourceError(
            f"camera {camera.id}: cannot open {public_url(address)}: unknown scheme",
            hint="rtsp://, rtsps://, http://, https://, a file, a folder, webcam:0 or scene:demo",
        )
    path = Path(address)
    if path.is_dir():
        return FolderSource(camera, path, stride=stride)
    return open_file(camera, path, stride=stride, threads=threads)
