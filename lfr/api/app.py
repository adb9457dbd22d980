"""The application: what it is made of, in one place."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from lfr import __version__
from lfr.actors.control import Control
from lfr.api import problems
from lfr.api.auth import Authenticate, Doorkeeper
from lfr.api.bound import Bound
from lfr.api.controllers.alerts import AlertController
from lfr.api.controllers.cameras import CameraController
from lfr.api.controllers.deployments import DeploymentController
from lfr.api.controllers.events import EventController
from lfr.api.controllers.lists import ListController, TemplateController
from lfr.api.controllers.pages import PageController, frame
from lfr.api.controllers.policy import PolicyController
from lfr.api.controllers.retention import HoldController, Inquiries, RetentionController, RightsController
from lfr.api.controllers.sessions import SessionController
from lfr.api.controllers.signs import DocumentController, SignController
from lfr.api.controllers.steps import StepController
from lfr.api.controllers.system import SystemController
from lfr.api.controllers.watchlist import WatchlistController
from lfr.api.feed import Feed
from lfr.api.gate import HostCheck, SameSite, own_names, security_headers
from lfr.api.imports import Imports
from lfr.api.limits import Limits, RateLimit
from lfr.api.present import Present
from lfr.api.reference import openapi_config
from lfr.api.running import Running
from lfr.config import Config
from lfr.storage.database import Database
from lfr.storage.vault import Vault

HERE = Path(__file__).parent
MAX_BODY = 64 * 1024
"""Bytes of a request's body, unless its route says otherwise."""


def create_app(
    *,
    config: Config,
    db: Database,
    vault: Vault,
    control: Control,
    bound: Bound,
    deployment_id: UUID | None = None,
    local_token: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 - an immutable tuple
) -> Litestar:
    """The API under /api/v1 and the pages, around a running system that somebody else starts and stops.

    deployment_id: whose alerts and list are shown; None: those of the one under way, else of the newest planned.
    local_token: a bearer token for the operating system's user who runs the system (role engineer, `local:USER`).
    """
    tls = bool(config.api.tls_cert)
    door = Doorkeeper(db, cookie=f"lfr-{config.name}", tls=tls, local_token=local_token)
    feed = Feed(db, config.database_url)
    imports = Imports()
    present = Present(db, config.name, deployment_id)
    static = f"/static/{_digest(HERE / 'static')}"

    @asynccontextmanager
    async def following(_: Litestar) -> AsyncIterator[None]:
        async with feed.running():
            yield
        await imports.close()

    app = Litestar(
        route_handlers=[
            PageController,
            Router(
                "/api/v1",
                route_handlers=[
                    SessionController,
                    SystemController,
                    CameraController,
                    AlertController,
                    WatchlistController,
                    EventController,
                    DeploymentController,
                    StepController,
                    PolicyController,
                    SignController,
                    DocumentController,
                    ListController,
                    TemplateController,
                    RetentionController,
                    HoldController,
                    RightsController,
                ],
            ),
            # The folder's digest is in its address, so that a browser may keep a file for ever.
            create_static_files_router(
                static,
                directories=[HERE / "static"],
                opt={"public": True},
                cache_control=CacheControlHeader(public=True, max_age=31_536_000, immutable=True),
            ),
        ],
        middleware=[
            HostCheck(own_names(config)),
            RateLimit(limits),
            SameSite(door.cookie),
            Authenticate(door),
        ],
        before_send=[security_headers(tls=tls)],
        exception_handlers=problems.HANDLERS,
        lifespan=[following],
        dependencies={
            "config": _given(config),
            "db": _given(db),
            "vault": _given(vault),
            "present": _given(present),
            "deployment_id": Provide(present.required),
            "door": _given(door),
            "feed": _given(feed),
            "running": _given(Running(control)),
            "frame": Provide(frame, sync_to_thread=False),
            "bound": _given(bound),
            "imports": _given(imports),
            "inquiries": _given(Inquiries()),
        },
        template_config=TemplateConfig(engine=_templates(static)),
        openapi_config=openapi_config(__version__),
        request_max_body_size=MAX_BODY,
        logging_config=None,
        debug=False,
    )
    app.state.feed = feed
    return app


def _given(value: Any) -> Provide:
    return Provide(lambda: value, sync_to_thread=False)


def _templates(static: str) -> JinjaTemplateEngine:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["static"] = static
    return JinjaTemplateEngine(engine_instance=environment)


def _digest(folder: Path) -> str:
    hashed = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        hashed.update(path.name.encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()[:16]
