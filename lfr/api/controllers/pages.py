"""The pages. What they show comes from the same API that every client uses; here only frames are filled."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from lfr.api.auth import Doorkeeper, Principal
from lfr.api.running import Running
from lfr.config import Config
from lfr.domain.errors import AccessError, RuntimeFailed

Asking = Request[Principal, str | None, Any]


class Page(NamedTuple):
    """One entry of the navigation. roles: who sees it; empty = everybody."""

    href: str
    title: str
    roles: frozenset[str] = frozenset()


PAGES = (
    Page("/", "Live"),
    Page("/deployments", "Deployments"),
    Page("/policy", "Policy"),
    Page("/retention", "Retention"),
    Page("/rights", "Rights", frozenset({"data-protection-officer"})),
)

REASONS = (
    ("objective", "Objective", "What is to be achieved, for whom, by when"),
    ("legal_basis", "Legal basis", "Which law and which published policy"),
    ("necessity", "Necessity", "Why this is strictly necessary, here and now"),
    ("proportionality", "Proportionality", "Why the gain outweighs the intrusion on everybody who passes"),
    ("less_intrusive", "Less intrusive means", "What else was considered, and why it would not do"),
    (
        "expected_presence",
        "Expected presence",
        "The reasonable grounds to think that they will be at this place",
    ),
)
"""The written fields of a plan (A2, A5): code, label, what it is for."""


class PageController(Controller):
    """HTML for people. Without a session, each page leads to `/sign-in`."""

    include_in_schema = False

    @get("/", opt={"page": True})
    async def live(
        self, request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]
    ) -> Template:
        """The live page."""
        return await _page("live.html", "Live", request, config, running, link=True)

    @get("/deployments", opt={"page": True})
    async def deployments(
        self, request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]
    ) -> Template:
        """All deployments, and the start of a plan."""
        return await _page("deployments.html", "Deployments", request, config, running)

    @get("/deployments/{deployment:uuid}", opt={"page": True})
    async def deployment(
        self,
        request: Asking,
        config: NamedDependency[Config],
        running: NamedDependency[Running],
        deployment: FromPath[UUID],
    ) -> Template:
        """One plan as a checklist that fills up."""
        return await _page(
            "deployment.html", "Deployment", request, config, running, deployment_id=deployment, reasons=REASONS
        )

    @get("/deployments/{deployment:uuid}/watchlist", opt={"page": True})
    async def watchlist(
        self,
        request: Asking,
        config: NamedDependency[Config],
        running: NamedDependency[Running],
        deployment: FromPath[UUID],
    ) -> Template:
        """Import, second look, re-check."""
        return await _page("watchlist.html", "Watchlist", request, config, running, deployment_id=deployment)

    @get("/deployments/{deployment:uuid}/signs", opt={"page": True})
    async def signs(
        self,
        request: Asking,
        config: NamedDependency[Config],
        running: NamedDependency[Running],
        deployment: FromPath[UUID],
    ) -> Template:
        """The phone page for signs and notices."""
        return await _page("signs.html", "Signs and notices", request, config, running, deployment_id=deployment)

    @get("/policy", opt={"page": True})
    async def policy(
        self, request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]
    ) -> Template:
        """The policy in force, as people read it."""
        return await _page("policy.html", "Policy", request, config, running)

    @get("/retention", opt={"page": True})
    async def retention(
        self, request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]
    ) -> Template:
        """What is kept, held and destroyed, and whether it balances."""
        return await _page("retention.html", "Retention", request, config, running)

    @get("/rights", opt={"page": True})
    async def rights(
        self, request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]
    ) -> Template:
        """Answers to people who ask whether they were listed."""
        return await _page("rights.html", "Rights", request, config, running)

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


async def _page(template: str, title: str, request: Asking, config: Config, running: Running, **more: Any) -> Template:
    person = request.user
    pages = [page for page in PAGES if not page.roles or page.roles & set(person.roles)]
    under = max((page.href for page in PAGES if request.url.path.startswith(page.href)), key=len)
    context = await _common(config, running)
    return Template(
        template,
        context={
            **context,
            "title": title,
            "user": person.name,
            "role": person.roles[0] if len(person.roles) == 1 else f"{len(person.roles)} roles",
            "roles": ", ".join(person.roles),
            "pages": pages,
            "here": under,
            **more,
        },
    )


async def _common(config: Config, running: Running) -> dict[str, Any]:
    """What every page says: which system this is, and that it is not for operational use."""
    try:
        notes = (await running.status()).notes
    except RuntimeFailed:
        notes = ()
    return {"name": config.name, "mode": config.mode, "notes": notes}
