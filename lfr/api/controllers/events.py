"""The event stream (Server-Sent Events)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from lfr.api.auth import Doorkeeper, Principal
from lfr.api.feed import Feed
from lfr.api.patience import Patience
from lfr.api.present import Present
from lfr.domain.errors import NotSignedIn

HEARTBEAT_S = 5.0
RETRY_MS = 1000
TOLD = ("alert.", "actor.", "camera.", "deployment.", "recognition.", "watchlist.")
"""Kinds that are told. Who signed in and out is in the audit log, not on every screen."""

After = Annotated[int | None, QueryParameter(ge=0, description="replay what is numbered above this")]
LastId = Annotated[
    int | None, HeaderParameter(name="Last-Event-ID", ge=0, description="the same; it goes before `after`")
]


class EventController(Controller):
    """What happens, as it happens."""

    path = "/events"
    tags = ("events",)

    @get(middleware=[Patience(10.0)])
    async def stream(
        self,
        request: Request[Principal, str | None, Any],
        feed: NamedDependency[Feed],
        door: NamedDependency[Doorkeeper],
        present: NamedDependency[Present],
        after: After = None,
        last_event_id: LastId = None,
    ) -> ServerSentEvent:
        """Every event after the one named, then the live ones; without a number, from now on.

        Each has an id (its number in the log), its kind as the event's name, and JSON data {seq, at, kind, subject,
        payload}. A heartbeat comes every 5 s. A client that does not read for 10 s is let go; it comes back with the
        last id it saw and misses nothing.
        """
        start = last_event_id if last_event_id is not None else after
        return ServerSentEvent(_messages(feed, door, request.user, present, start), retry_duration=RETRY_MS)


async def _messages(
    feed: Feed, door: Doorkeeper, user: Principal, present: Present, start: int | None
) -> AsyncIterator[ServerSentEventMessage]:
    checked_at = time.monotonic()
    shown = str(await present.deployment())
    # The first bytes tell the client that it is connected, before anything happens.
    yield ServerSentEventMessage(event="heartbeat", data="{}", comment="heartbeat")
    async for event in feed.follow(start, heartbeat_s=HEARTBEAT_S):
        if time.monotonic() - checked_at >= HEARTBEAT_S:
            checked_at = time.monotonic()
            if not await _still_signed_in(door, user):
                return
        if event is None:
            yield ServerSentEventMessage(event="heartbeat", data="{}", comment="heartbeat")
            continue
        if not event.kind.startswith(TOLD):
            continue
        owner = event.payload.get("deployment", shown)
        if owner != shown:  # another deployment may be the one under way since then
            shown = str(await present.deployment())
        if owner == shown:
            yield ServerSentEventMessage(id=event.seq, event=event.kind, data=msgspec.json.encode(event))


async def _still_signed_in(door: Doorkeeper, user: Principal) -> bool:
    """A session that ended ends its stream; the local token does not end while the system runs."""
    if user.token is None:
        return True
    try:
        await door.who(user.token)
    except NotSignedIn:
        return False
    return True
