"""Signing in and out."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from lfr.api.auth import Doorkeeper, Principal
from lfr.api.schemas import NewPassword, SessionOut, SignIn
from lfr.domain.errors import Conflict
from lfr.services import users
from lfr.storage.database import Database

SMALL_BODY = 4096


class SessionController(Controller):
    """Sessions of accounts made with `lfr user add`."""

    path = "/sessions"
    tags = ("sessions",)

    @post(opt={"public": True, "rate": "sign_in"}, request_max_body_size=SMALL_BODY)
    async def sign_in(
        self, db: NamedDependency[Database], door: NamedDependency[Doorkeeper], data: JSONBody[SignIn]
    ) -> Response[SessionOut]:
        """Sign in. Sets an HttpOnly cookie for browsers, and returns the token for `Authorization: Bearer`."""
        token = await users.sign_in(db, data.name, data.password)
        person = await door.who(token)
        body = SessionOut(person.name, person.roles, person.must_change, token)
        return Response(body, status_code=201, cookies=[door.set_cookie(token)])

    @get("/current", opt={"before_password_change": True})
    async def current(self, request: Request[Principal, str | None, Any]) -> SessionOut:
        """Who is asking."""
        return SessionOut(request.user.name, request.user.roles, request.user.must_change)

    @delete("/current", opt={"before_password_change": True})
    async def sign_out(
        self,
        request: Request[Principal, str | None, Any],
        db: NamedDependency[Database],
        door: NamedDependency[Doorkeeper],
    ) -> Response[None]:
        """Sign out; the session is over at once, everywhere."""
        if request.user.token is not None:
            await users.sign_out(db, request.user.token)
        return Response(None, status_code=204, cookies=[door.clear_cookie()])

    @put(
        "/current/password",
        status_code=204,
        opt={"before_password_change": True, "rate": "sign_in"},
        request_max_body_size=SMALL_BODY,
    )
    async def change_password(
        self, request: Request[Principal, str | None, Any], db: NamedDependency[Database], data: JSONBody[NewPassword]
    ) -> None:
        """Change one's own password. Every other session of the account ends."""
        if request.user.token is None:
            raise Conflict("the local token has no password", hint="sign in with an account")
        await users.change_password(db, request.user.token, data.old, data.new)
