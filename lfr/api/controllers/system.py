"""The system as a whole: its state, its health, its metrics, and the stop that anyone signed in may press."""

from __future__ import annotations

from typing import Any

from litestar import Controller, MediaType, Request, Response, get, post
from litestar.di import NamedDependency

from lfr.actors.control import SystemStatus
from lfr.api import metrics
from lfr.api.auth import Principal
from lfr.api.feed import Feed
from lfr.api.running import Running
from lfr.api.schemas import HealthOut
from lfr.domain.errors import RuntimeFailed


class SystemController(Controller):
    """State, health, metrics, stop."""

    tags = ("system",)

    @get("/status")
    async def status(self, running: NamedDependency[Running]) -> SystemStatus:
        """Everything the live page shows: state, cameras, actors, ages, threshold."""
        return await running.status()

    @get("/health", opt={"public": True})
    async def health(self, running: NamedDependency[Running]) -> Response[HealthOut]:
        """For a watchdog, without a session: 200, or 503 when the system failed or does not answer.

        A stopped system answers 200: it was stopped on purpose, and no watchdog may start it again.
        """
        try:
            state = (await running.status()).state
        except RuntimeFailed:
            state = "unknown"
        return Response(HealthOut(state), status_code=503 if state in {"failed", "unknown"} else 200)

    @post("/stop", status_code=200)
    async def stop(self, request: Request[Principal, str | None, Any], running: NamedDependency[Running]) -> HealthOut:
        """Stop recognition on every camera, now. Any role may (A13). Starting again is not possible from here."""
        return HealthOut((await running.stop(request.user.actor)).state)

    @get("/metrics", media_type=MediaType.TEXT)
    async def metrics(self, running: NamedDependency[Running], feed: NamedDependency[Feed]) -> Response[bytes]:
        """The same numbers in Prometheus' text format."""
        body = metrics.exposition(await running.status(), clients=feed.clients)
        return Response(body, media_type=metrics.CONTENT_TYPE)
