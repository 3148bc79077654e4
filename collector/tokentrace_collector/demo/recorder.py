"""A postman between agent and collector who keeps copies, to deliver everything once more: twice, and shuffled."""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_HEADERS = ("content-type", "content-encoding")
_SEED = 6


class Recorder:
    """An OTLP/HTTP endpoint that passes every request on and remembers it."""

    def __init__(self, endpoint: str) -> None:
        self._target = urlsplit(endpoint)
        self._bodies: list[bytes] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = recorder.take(body, {name: self.headers[name] for name in _HEADERS if name in self.headers})
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                """Say nothing: the terminal belongs to the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="demo-recorder", args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        """Where spans are to be sent."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Keep a copy and pass the request on; gives the collector's status."""
        self._bodies.append(gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)
        return self._deliver(body, headers)

    def resend(self) -> int:
        """Deliver every span twice more, each alone, in no order; gives how many requests that took."""
        again = [single for body in self._bodies for single in _singles(body)] * 2
        random.Random(_SEED).shuffle(again)  # noqa: S311 - any order will do, the same one every time
        for body in again:
            status = self._deliver(body, {"content-type": "application/x-protobuf"})
            if status != HTTPStatus.OK:
                raise ConnectionError(f"The collector answered {status} to a span that was sent again.")
        return len(again)

    def _deliver(self, body: bytes, headers: dict[str, str]) -> int:
        connection = HTTPConnection(self._target.netloc, timeout=10)
        try:
            connection.request("POST", "/v1/traces", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()


def _singles(body: bytes) -> Iterator[bytes]:
    """Each span of a request as a request of its own."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                single = ExportTraceServiceRequest()
                of_resource = single.resource_spans.add(resource=resource.resource, schema_url=resource.schema_url)
                of_resource.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url).spans.append(span)
                yield single.SerializeToString()
