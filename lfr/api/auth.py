"""Who is asking. No anonymous mode: every route needs a session unless it is marked `opt={"public": True}`.

Roles are those of lfr.domain.policy.Role; a person may hold several. Whoever is signed in sees what is live and may
stop it (A13); what else a role may do stands at each route, and what a person may do in one deployment in its plan.
"""

from __future__ import annotations

import getpass
import hmac
from dataclasses import dataclass
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Guard, Receive, Scope, Send

from lfr.domain.duties import require_role
from lfr.domain.errors import NotAllowed, NotSignedIn
from lfr.domain.policy import Role
from lfr.services import users
from lfr.storage.database import Database


@dataclass(frozen=True, slots=True)
class Principal:
    """The person or process behind a request. actor: how the audit log names it; token: None for the local one."""

    name: str
    roles: tuple[Role, ...]
    actor: str
    token: str | None = None
    must_change: bool = False
    rank: str | None = None


class Doorkeeper:
    """Turns a token into a principal; knows the cookie's name and the local token."""

    def __init__(self, db: Database, *, cookie: str, tls: bool, local_token: str | None) -> None:
        self.cookie = f"__Host-{cookie}" if tls else cookie
        self._db = db
        self._tls = tls
        self._local_token = local_token

    async def who(self, token: str) -> Principal:
        """Raises NotSignedIn."""
        if self._local_token and hmac.compare_digest(token.encode(), self._local_token.encode()):
            name = f"local:{_os_user()}"
            return Principal(name=name, roles=("engineer",), actor=name)
        person = await users.who(self._db, token)
        return Principal(
            name=person.name,
            roles=cast("tuple[Role, ...]", person.roles),
            rank=person.rank,
            actor=person.name,
            token=token,
            must_change=person.must_change,
        )

    def set_cookie(self, token: str) -> Cookie:
        """The session cookie: not readable by scripts, never sent from another site, gone with the browser."""
        return Cookie(key=self.cookie, value=token, path="/", httponly=True, samesite="strict", secure=self._tls)

    def clear_cookie(self) -> Cookie:
        """The same cookie, emptied."""
        return Cookie(
            key=self.cookie, value="", path="/", httponly=True, samesite="strict", secure=self._tls, max_age=0
        )

    def token_of(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
        """The bearer token, or else the cookie. Raises NotSignedIn."""
        scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else connection.cookies.get(self.cookie, "")
        if not token:
            raise NotSignedIn("this needs a session", hint="sign in at /sign-in, or with POST /api/v1/sessions")
        return token


class Authenticate(ASGIMiddleware):
    """Puts a Principal into the connection, or refuses."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET, ScopeType.ASGI)
    exclude_opt_key = "public"

    def __init__(self, door: Doorkeeper) -> None:
        self._door = door

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises NotSignedIn; NotAllowed while a one-time password still stands."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        principal = await self._door.who(self._door.token_of(connection))
        if principal.must_change and not scope["route_handler"].opt.get("before_password_change"):
            raise NotAllowed(
                "the one-time password must be changed first",
                hint="PUT /api/v1/sessions/current/password, or the sign-in page",
            )
        scope["user"] = principal
        scope["auth"] = principal.token
        await next_app(scope, receive, send)


def only(*roles: Role) -> Guard:
    """A guard that lets these roles pass. Raises NotAllowed."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        require_role(connection.user.roles, roles)

    return guard


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
