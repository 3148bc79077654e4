"""A server on loopback that answers as a test says."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Answering(BaseHTTPRequestHandler):
    """Reads what is asked and says what is answered; logs nothing."""

    def do_POST(self) -> None:
        """Hand over to the test."""
        self.reply()

    def reply(self) -> None:
        """What the test says."""
        raise NotImplementedError

    def asked(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """Answer, with JSON unless a header says otherwise."""
        self.send_response(status)
        told = {"content-type": "application/json", **{name.replace("_", "-"): told for name, told in headers.items()}}
        for name, value in {**told, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[Answering]) -> Iterator[str]:
    """Serve, and give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class World:
    """A provider that programs call, and the collector that their spans go to, at one address."""

    url = ""

    def __init__(self) -> None:
        self.names: list[str] = []
        """Of the spans that came."""

    def take(self, body: bytes) -> None:
        """Spans have come."""
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        scopes = [scope for each in request.resource_spans for scope in each.scope_spans]
        self.names += [span.name for scope in scopes for span in scope.spans]


@contextmanager
def world(answer: dict[str, Any]) -> Iterator[World]:
    """A provider with one answer, and a collector."""
    made = World()

    class Handler(Answering):
        def reply(self) -> None:
            body = self.asked()
            if self.path.endswith("/v1/traces"):
                made.take(body)
                self.answer()
            else:
                self.answer(json.dumps(answer).encode())

    with serving(Handler) as made.url:
        yield made
