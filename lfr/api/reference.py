"""The description of the API: OpenAPI as JSON, and a plain page of it that loads nothing from anywhere."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

METHODS = ("get", "post", "put", "delete")


class PlainPage(OpenAPIRenderPlugin):
    """Every route, its parameters and who may call it, on one page."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page as UTF-8 HTML."""
        engine = request.app.template_engine
        assert engine is not None
        page: str = engine.get_template("reference.html").render(
            {"title": openapi_schema["info"]["title"], "groups": _groups(openapi_schema)}
        )
        return page.encode()


def _groups(schema: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    groups: dict[str, list[dict[str, str]]] = {}
    for path, item in sorted(schema["paths"].items()):
        for method in METHODS:
            if operation := item.get(method):
                row = {"method": method.upper(), "path": path, "text": operation.get("description", "")}
                groups.setdefault(operation["tags"][0], []).append(row)
    return dict(sorted(groups.items()))


def _unknown(response: Response[Any]) -> Response[Any]:
    """The framework answers an unknown path below the schema in HTML; ours is a problem like every other."""
    if response.status_code == 404:
        raise NotFoundException
    return response


def openapi_config(version: str) -> OpenAPIConfig:
    """Served at /api/v1/schema (page) and /api/v1/schema/openapi.json; both need a session."""
    return OpenAPIConfig(
        title="lfr: control and review",
        version=version,
        description="Every route needs a session unless it says otherwise. Errors are problem+json (RFC 9457).",
        use_handler_docstrings=True,
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
        render_plugins=[PlainPage(), JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router("/api/v1/schema", route_handlers=[], after_request=_unknown, include_in_schema=False),
    )
