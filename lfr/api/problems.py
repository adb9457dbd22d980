"""Every error leaves as application/problem+json (RFC 9457), and no internal detail leaves with it.

`PROBLEMS` is the whole mapping of this project's errors; an error is looked up by its nearest class in the tree.
Anything that is not an `LfrError` and not an HTTP error of the framework is answered with a plain 500 and logged.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, NamedTuple

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from lfr import log
from lfr.domain import errors

logger = log.get(__name__)

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """How one class of errors is told: HTTP status, the last part of `urn:lfr:...`, and a short title."""

    status: int
    urn: str
    title: str


PROBLEMS: dict[type[errors.LfrError], Kind] = {
    errors.NotSignedIn: Kind(401, "not-signed-in", "Not signed in"),
    errors.NotAllowed: Kind(403, "not-allowed", "Not allowed"),
    errors.AccessError: Kind(403, "not-allowed", "Not allowed"),
    errors.NotFound: Kind(404, "not-found", "No such object"),
    errors.GateClosed: Kind(409, "gate-closed", "Something is still missing"),
    errors.MandateRefused: Kind(409, "mandate-refused", "No mandate could be given"),
    errors.AuthorityError: Kind(403, "no-authority", "Nobody entitled has said so"),
    errors.Conflict: Kind(409, "conflict", "The present state does not allow this"),
    errors.WatchlistError: Kind(422, "watchlist-refused", "The watchlist entry was refused"),
    errors.ConfigError: Kind(422, "refused", "The request says something it must not"),
    errors.ModelError: Kind(503, "model-unavailable", "A model cannot be used"),
    errors.SourceError: Kind(503, "source-unavailable", "A camera cannot be read"),
    errors.StorageError: Kind(503, "storage-unavailable", "The storage failed"),
    errors.NodeUnsafe: Kind(503, "node-unsafe", "This node must not take part"),
    errors.RuntimeFailed: Kind(503, "runtime-failed", "A part of the running system does not answer"),
    errors.LfrError: Kind(500, "failed", "The request failed"),
}

HTTP_HINTS: dict[int, str] = {
    400: "see /api/v1/schema for what this route takes",
    401: "sign in with POST /api/v1/sessions",
    403: "ask someone whose role allows it",
    404: "see /api/v1/schema for the routes there are",
    405: "see /api/v1/schema for what this route takes",
    413: "send less: the limit is in docs/api.md",
    429: "wait as long as Retry-After says, then try again",
}

PRIVATE_STATUSES = frozenset({"storage-unavailable", "model-unavailable", "failed"})
"""Kinds whose message may name a path or a host: it goes to the log, and the caller gets the title alone."""


def problem(
    status: int,
    urn: str,
    title: str,
    detail: str = "",
    hint: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response[dict[str, Any]]:
    """One problem as a response."""
    body = {"type": f"urn:lfr:{urn}", "title": title, "status": status, "detail": detail or title, "hint": hint, **more}
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def kind_of(error: errors.LfrError) -> Kind:
    """The nearest row of `PROBLEMS`."""
    return next(PROBLEMS[cls] for cls in type(error).__mro__ if cls in PROBLEMS)


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """A browser that asked for a page, not a client of the API."""
    return not request.scope["path"].startswith("/api/") and MediaType.HTML in request.headers.get("accept", "")


def on_lfr_error(request: Request[Any, Any, Any], error: errors.LfrError) -> Response[Any]:
    """An error this project raised on purpose."""
    if isinstance(error, errors.NotSignedIn) and wants_page(request):
        return Redirect("/sign-in", status_code=303)
    kind = kind_of(error)
    detail, hint = error.message, error.hint
    if kind.status >= 500:
        logger.error("api.failed", path=request.scope["path"], kind=type(error).__name__)
    if kind.urn in PRIVATE_STATUSES:
        detail, hint = kind.title, "see the system's log"
    headers = {"www-authenticate": "Bearer"} if kind.status == 401 else None
    more = {}
    if isinstance(error, errors.GateClosed):
        more = {"missing": [{"rule": rule, "what": what, "who": who} for rule, what, who in error.missing]}
    return problem(kind.status, kind.urn, kind.title, detail, hint, headers, **more)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """An error the framework raised: no such route, wrong method, a body that is invalid or too large, too often."""
    status = error.status_code
    phrase = HTTPStatus(status).phrase
    if status >= 500:
        return on_unforeseen(request, error)
    urn = phrase.lower().replace(" ", "-")
    # The framework's own words repeat the method and url; the field errors of `extra` say what is wrong.
    fields = [
        {"field": str(item.get("key", "")), "message": str(item.get("message", ""))}
        for item in (error.extra if isinstance(error.extra, list) else [])
        if isinstance(item, dict)
    ]
    detail = "; ".join(f"{f['field']}: {f['message']}".removeprefix(": ") for f in fields) or phrase
    return problem(
        status,
        urn,
        phrase,
        detail,
        HTTP_HINTS.get(status, ""),
        dict(error.headers or {}),
        **({"fields": fields} if fields else {}),
    )


def on_unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Anything else: the caller learns that it failed, the log learns where (without frame locals)."""
    logger.error("api.unforeseen", path=request.scope["path"], kind=type(error).__name__, exc_info=error)
    return problem(500, "failed", "The request failed", hint="see the system's log")


HANDLERS: ExceptionHandlersMap = {
    errors.LfrError: on_lfr_error,
    HTTPException: on_http_error,
    Exception: on_unforeseen,
}
