"""How long a streaming client may leave a message unread."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send

from lfr import log

logger = log.get(__name__)


class Patience(ASGIMiddleware):
    """Lets a client go that takes no message for `seconds`: to the application it looks as if it had hung up."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One connection."""
        gone = asyncio.Event()

        async def patient_send(message: Message) -> None:
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                logger.warning("client.too-slow", path=scope["path"])
                gone.set()
                await asyncio.Event().wait()  # until the application notices and cancels us

        async def receive_or_gone() -> ReceiveMessage:
            waiting = asyncio.ensure_future(receive())
            leaving = asyncio.ensure_future(gone.wait())
            try:
                await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
                return {"type": "http.disconnect"} if gone.is_set() else await waiting
            finally:
                waiting.cancel()
                leaving.cancel()

        await next_app(scope, receive_or_gone, patient_send)
