"""A provider on loopback: the answers of `shapes.provider` through a real socket, for clients of whatever make."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shapes.provider import Answer, Provider

_PATIENCE = 10.0
"""Seconds for which an application may read what was said before its connection is lost."""


@contextmanager
def http(provider: Provider) -> Iterator[str]:
    """Serve a provider's answers in turn; gives the base URL."""
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    # More connections at once than the system holds back by default would wait for a second.
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that leave early."""


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        # Whoever leaves a stream early hears no more of it.
        with suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("transfer-encoding") == "chunked":
            sent = self._chunks()
        self._answer(self.provider.answer(self.command, self.path, _body(sent)))

    do_GET = do_DELETE = do_POST  # noqa: N815  (the names that the library looks for)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The same at any time, for clients that hand out the headers."""
        return "Thu, 01 Jan 2026 00:00:00 GMT"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _chunks(self) -> bytes:
        read = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def _answer(self, answer: Answer) -> None:
        if not answer.parts and (answer.hangs or answer.lost):
            self._hang_up(answer)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in answer.parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if answer.lost or answer.hangs:
            self._hang_up(answer)
            return
        self.wfile.write(b"0\r\n\r\n")

    def _hang_up(self, answer: Answer) -> None:
        """Say no more; where the connection is lost, once the application has read what was said."""
        self.close_connection = True
        if answer.hangs or answer.lost == "timeout":
            self.provider.hangs.set()
            # Until the application goes.
            self.rfile.read(1)
            return
        if answer.parts:
            self.provider.go_on.wait(_PATIENCE)
        # Without a lingering end the peer is told of a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _body(sent: bytes) -> Any:
    """What was sent, as far as two runs of the same code send the same."""
    try:
        return json.loads(sent) if sent else None
    except ValueError:
        # The borders of a multipart body are drawn by lot.
        return f"{len(sent)} bytes"
