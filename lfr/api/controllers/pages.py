"""The pages: sign-in and live. What they show comes from the same API that every client uses."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from lfr.api.auth import Doorkeeper, Principal
from lfr.api.running import Running
from lfr.config import Config
from lfr.domain.errors import AccessError, RuntimeFailed


class PageController(Controller):
    """HTML for people. Without a session, `/` leads to `/sign-in`."""

    include_in_schema = False

    @get("/", opt={"page": True})
    async def live(
        self,
        request: Request[Principal, str | None, Any],
        config: NamedDependency[Config],
        running: NamedDependency[Running],
    ) -> Template:
        """The live page."""
        context = await _common(config, running)
        return Template(
            "live.html", context={**context, "user": request.user.name, "role": ", ".join(request.user.roles)}
        )

    @get("/sign-in", opt={"public": True})
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        config: NamedDependency[Config],
        running: NamedDependency[Running],
        door: NamedDependency[Doorkeeper],
    ) -> Template | Redirect:
        """The sign-in page; somebody who is signed in is led on."""
        try:
            if not (await door.who(door.token_of(request))).must_change:
                return Redirect("/", status_code=303)
        except AccessError:
            pass
        return Template("sign-in.html", context=await _common(config, running))


async def _common(config: Config, running: Running) -> dict[str, Any]:
    """What every page says: which system this is, and that it is not for operational use."""
    try:
        notes = (await running.status()).notes
    except RuntimeFailed:
        notes = ()
    return {"name": config.name, "mode": config.mode, "notes": notes}
