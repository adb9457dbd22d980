"""Serving the application: one listening socket, TLS off loopback, a stop that lets open streams end by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import uvicorn
from litestar import Litestar

from lfr import log
from lfr.config import Config
from lfr.domain.errors import ConfigError

logger = log.get(__name__)

GRACE_S = 5
"""How long requests under way may take to finish after the stop."""


async def serve(app: Litestar, config: Config, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, or until cancelled; returns when every connection is closed.

    ready: called once with the real url (port 0 takes a free one), when requests are answered. The signal is not raised
    again afterwards: whoever called this owns the rest of the stop.
    Raises ConfigError, before anything listens, for a port in use or an address that would need TLS.
    """
    check_address(config)
    listener = _listen(config)
    server = _Server(_settings(app, config), app)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="lfr-http")
    try:
        await _started(server, task)
        url = _url(config, listener)
        logger.info("api.ready", url=url)
        ready(url)
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        raise
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


def check_address(config: Config) -> None:
    """Raises ConfigError for an address beyond loopback without TLS, or a certificate that cannot be used."""
    api = config.api
    if bool(api.tls_cert) != bool(api.tls_key):
        raise ConfigError("api.tls_cert and api.tls_key go together", hint="give both, or neither on loopback")
    if api.tls_cert:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(api.tls_cert, api.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"the TLS certificate or key cannot be used: {error.strerror or type(error).__name__}",
                hint="both as PEM files, the key without a passphrase and belonging to the certificate",
            ) from error
    elif not _is_loopback(api.host):
        raise ConfigError(
            f"refusing to serve on {api.host} without TLS: pictures and sign-ins would cross the network in the clear",
            hint="give api.tls_cert and api.tls_key, or serve on 127.0.0.1",
        )


class _Server(uvicorn.Server):
    """uvicorn, but a stop first lets event streams go, and signals end the serving, not the process."""

    def __init__(self, settings: uvicorn.Config, app: Litestar) -> None:
        super().__init__(settings)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A stream never ends by itself: without this every stop would wait for the whole grace period.
        self._app.state.feed.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _settings(app: Litestar, config: Config) -> uvicorn.Config:
    tls: dict[str, Any] = {}
    if config.api.tls_cert:
        tls = {"ssl_certfile": config.api.tls_cert, "ssl_keyfile": config.api.tls_key}
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=512,
        h11_max_incomplete_event_size=32 * 1024,
        **tls,
    )


def _listen(config: Config) -> socket.socket:
    host, port = config.api.host, config.api.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(
            f"api.host {host} is no address of this machine", hint="127.0.0.1 serves this machine"
        ) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint="another program has it, perhaps a running lfr: choose another api.port, or 0 for a free one",
        ) from error
    listener.setblocking(False)
    return listener


async def _started(server: uvicorn.Server, task: asyncio.Task[None]) -> None:
    while not server.started:
        if task.done():
            await task
            raise ConfigError("the API did not start", hint="see the log above")
        await asyncio.sleep(0.01)


def _url(config: Config, listener: socket.socket) -> str:
    host = config.api.host
    scheme = "https" if config.api.tls_cert else "http"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{listener.getsockname()[1]}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
