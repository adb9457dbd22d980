"""What every request passes (the Host it names, the site it comes from) and every response carries (headers)."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, BeforeMessageSendHookHandler, Message, Receive, Scope, Send

from lfr.config import Config
from lfr.domain.errors import NotAllowed

CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""No inline script or style, nothing from another host."""

HEADERS: dict[str, str] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # A photograph of the signs says where it was taken (C4).
    "permissions-policy": "camera=(), microphone=(), geolocation=(self), display-capture=()",
}

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def security_headers(*, tls: bool) -> BeforeMessageSendHookHandler:
    """A hook that sets `HEADERS` on every response, also on 404 and 500; `no-store` unless the route said otherwise."""
    fixed = HEADERS | ({"strict-transport-security": "max-age=31536000"} if tls else {})

    async def before_send(message: Message, _: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = MutableScopeHeaders.from_message(message)
            for name, value in fixed.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")

    return before_send


class HostCheck(ASGIMiddleware):
    """Refuses a request whose Host is not this server's: a page elsewhere cannot reach us by rebinding its name.

    names: lower case; `*.x` stands for one more label before x. Always allowed: localhost, and IP addresses, since an
    address cannot be rebound.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names | {"localhost"}

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises ClientException (400)."""
        host = _host_name(Headers.from_scope(scope).get("host", ""))
        if not ({host, f"*.{host.partition('.')[2]}"} & self._names or _is_address(host)):
            raise ClientException(extra=[{"key": "Host", "message": "this server does not answer to that name"}])
        await next_app(scope, receive, send)


class SameSite(ASGIMiddleware):
    """Refuses a state-changing request that a browser sends from another site (the cookie is SameSite=Strict besides).

    A client that signs in with a bearer token sends neither header and needs none; a request that carries our cookie
    must prove where it comes from.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, cookie: str) -> None:
        self._cookie = f"{cookie}="

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """One request. Raises NotAllowed."""
        if scope.get("method") not in SAFE_METHODS and not self._own(Headers.from_scope(scope)):
            raise NotAllowed("this request comes from another site", hint="send it from this system's own page")
        await next_app(scope, receive, send)

    def _own(self, headers: Headers) -> bool:
        if (site := headers.get("sec-fetch-site")) is not None:
            return site == "same-origin"
        if (origin := headers.get("origin")) is not None:
            return urlsplit(origin).netloc == headers.get("host")
        # A bearer token in the Authorization header is never sent by a browser on its own; a cookie is.
        return "authorization" in headers or self._cookie not in headers.get("cookie", "")


def own_names(config: Config) -> frozenset[str]:
    """The names this server answers to: the configured host, this machine's name, and those its certificate is for."""
    machine = socket.gethostname().lower()
    return frozenset({config.api.host.lower(), machine, f"{machine}.local", *_certified(config.api.tls_cert)})


def _certified(path: str) -> list[str]:
    # A certificate that cannot be read stops the start with its own words (server.check_address), not here.
    try:
        certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def _host_name(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "").lower() if "@" not in host and "/" not in host else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
