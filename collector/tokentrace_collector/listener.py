"""An HTTP server with a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tokentrace_collector import tls
from tokentrace_collector.tls import Tls

_BACKLOG = 1024
_IDLE_SECONDS = 60
_GRACE_SECONDS = 2
_HEAD_SECONDS = 10.0
_HEAD_BYTES = 64 << 10

CONNECTIONS = 512
"""What a listener has open at once, where nobody says otherwise; who comes then is answered 503."""

CERTIFICATE = "tokentrace.certificate"
"""In the scope of a request: the names in the certificate of its connection, where it showed one."""


class PortError(OSError):
    """A port that cannot be listened on."""


class Listener:
    """An ASGI application behind a port, open to callers from the start."""

    def __init__(
        self,
        name: str,
        application: ASGIApp,
        host: str,
        port: int,
        secure: Tls | None = None,
        *,
        most: int = CONNECTIONS,
    ) -> None:
        context = secure.context() if secure else None
        self._socket = _bound(name, host, port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            application,
            http=_Protocol,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=most,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_context_factory=_giving(context) if context else None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name=name, daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what has been asked, then close."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    @property
    def is_alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()


def _giving(context: ssl.SSLContext) -> Callable[[uvicorn.Config, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    return lambda _config, _usual: context


class _Protocol(HttpToolsProtocol):
    """Uvicorn's protocol, but a sender must come to the end of its headers, in time and in few bytes."""

    _awaited: asyncio.TimerHandle | None = None
    _head = 0
    _certificate: Sequence[str] = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As in uvicorn.
        super().connection_made(transport)
        self._certificate = tls.names(transport.get_extra_info("peercert"))
        self._await_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._certificate:
            cast("dict[str, object]", self.scope)[CERTIFICATE] = self._certificate
        self._await_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head = self._head + len(data) if self._awaited else 0
        if self._head > _HEAD_BYTES:
            self.send_400_response("The headers are too large.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._stop_waiting()
        self._awaited = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._awaited:
            self._awaited.cancel()
            self._awaited = None


class LateApplication:
    """An application that may be exchanged for a fuller one while it runs."""

    def __init__(self, first: ASGIApp) -> None:
        self._current = first

    def become(self, application: ASGIApp) -> None:
        """Let another application answer from now on."""
        self._current = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._current(scope, receive, send)


def _bound(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise PortError(error.errno or errno.EIO, port_trouble(name, host, port, str(error.strerror))) from error
    made.listen(_BACKLOG)
    return made


def port_trouble(name: str, host: str, port: int, reason: str) -> str:
    """What to tell an operator whose port is taken."""
    return f"Cannot listen for {name} on {host}:{port}: {reason}. Choose another port, or 0 for any that is free."
