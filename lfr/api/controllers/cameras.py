"""Cameras and their tiles."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from lfr.actors.control import CameraStatus
from lfr.api.auth import Principal, only
from lfr.api.pictures import JPEG
from lfr.api.running import Running
from lfr.domain.errors import NotFound


class CameraController(Controller):
    """What the cameras do. No address of a camera is ever given out."""

    path = "/cameras"
    tags = ("cameras",)

    @get()
    async def cameras(self, running: NamedDependency[Running]) -> tuple[CameraStatus, ...]:
        """Every camera's health and counters."""
        return (await running.status()).cameras

    @get("/{camera:str}/tile", media_type=JPEG)
    async def tile(
        self, request: Request[Any, Any, Any], running: NamedDependency[Running], camera: FromPath[str]
    ) -> Response[bytes]:
        """The newest picture, wholly pixelated. 304 while it is the one named by If-None-Match.

        `LFR-Frame-Age` is its age in seconds when it was sent.
        """
        found = await running.tile(camera)
        if found is None:
            raise NotFound(f"camera {camera} has given no picture yet", hint="see its health under /api/v1/cameras")
        picture, at = found
        etag = f'"{hashlib.blake2b(picture, digest_size=12).hexdigest()}"'
        headers = {"etag": etag, "lfr-frame-age": f"{max(0.0, time.time() - at):.3f}"}
        if request.headers.get("if-none-match") == etag:
            return Response(b"", status_code=304, headers=headers, media_type=JPEG)
        return Response(picture, headers=headers, media_type=JPEG)

    @post("/{camera:str}/confirm-view", guards=[only("operator", "engineer")], status_code=204)
    async def confirm_view(
        self,
        request: Request[Principal, str | None, Any],
        running: NamedDependency[Running],
        camera: FromPath[str],
    ) -> None:
        """Somebody looked: what a camera shows that was moved is what it should show (C5). It is logged."""
        await running.confirm_view(camera, request.user.actor)
