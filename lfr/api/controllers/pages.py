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

ENDS = (
    ("finished", "It is finished"),
    ("weather", "Weather or light"),
    ("equipment", "Equipment"),
    ("staff", "Too few people to decide and engage"),
    ("safety", "Public safety"),
    ("cancelled", "It is no longer needed"),
)
"""Why a deployment ends: codes, since the log holds no free text."""


class Frame(NamedTuple):
    """What surrounds every page that is shown to somebody who is signed in."""

    request: Asking
    config: Config
    running: Running

    async def page(self, template: str, title: str, **more: Any) -> Template:
        """The template, filled with who is there, the navigation and `more`."""
        person = self.request.user
        pages = [page for page in PAGES if not page.roles or page.roles & set(person.roles)]
        under = max((page.href for page in PAGES if self.request.url.path.startswith(page.href)), key=len)
        return Template(
            template,
            context={
                **await _common(self.config, self.running),
                "title": title,
                "user": person.name,
                "role": person.roles[0] if len(person.roles) == 1 else f"{len(person.roles)} roles",
                "roles": ", ".join(person.roles),
                "pages": pages,
                "here": under,
                **more,
            },
        )


def frame(request: Asking, config: NamedDependency[Config], running: NamedDependency[Running]) -> Frame:
    """The frame of the page that is asked for."""
    return Frame(request, config, running)


class PageController(Controller):
    """HTML for people. Without a session, each page leads to `/sign-in`."""

    include_in_schema = False

    @get("/", opt={"page": True})
    async def live(self, frame: NamedDependency[Frame]) -> Template:
        """The live page."""
        return await frame.page("live.html", "Live", link=True)

    @get("/deployments", opt={"page": True})
    async def deployments(self, frame: NamedDependency[Frame]) -> Template:
        """All deployments, and the start of a plan."""
        return await frame.page("deployments.html", "Deployments")

    @get("/deployments/{deployment:uuid}", opt={"page": True})
    async def deployment(self, frame: NamedDependency[Frame], deployment: FromPath[UUID]) -> Template:
        """One plan as a checklist that fills up."""
        return await frame.page("deployment.html", "Deployment", deployment_id=deployment, reasons=REASONS, ends=ENDS)

    @get("/deployments/{deployment:uuid}/watchlist", opt={"page": True})
    async def watchlist(self, frame: NamedDependency[Frame], deployment: FromPath[UUID]) -> Template:
        """Import, second look, re-check."""
        return await frame.page("watchlist.html", "Watchlist", deployment_id=deployment)

    @get("/deployments/{deployment:uuid}/signs", opt={"page": True})
    async def signs(self, frame: NamedDependency[Frame], deployment: FromPath[UUID]) -> Template:
        """The phone page for signs and notices."""
        return await frame.page("signs.html", "Signs and notices", deployment_id=deployment)

    @get("/policy", opt={"page": True})
    async def policy(self, frame: NamedDependency[Frame]) -> Template:
        """The policy in force, as people read it."""
        return await frame.page("policy.html", "Policy")

    @get("/retention", opt={"page": True})
    async def retention(self, frame: NamedDependency[Frame]) -> Template:
        """What is kept, held and destroyed, and whether it balances."""
        return await frame.page("retention.html", "Retention")

    @get("/rights", opt={"page": True})
    async def rights(self, frame: NamedDependency[Frame]) -> Template:
        """Answers to people who ask whether they were listed."""
        return await frame.page("rights.html", "Rights")

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
