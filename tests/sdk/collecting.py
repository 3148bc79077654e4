"""A collector on loopback."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """Takes OTLP over HTTP, as long as it answers 200."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.spans: list = []
        self.requests: list[dict[str, str]] = []
        self.connections: list = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
                if outer.status != 200:
                    self.send_response(outer.status)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                outer.requests.append({key.lower(): value for key, value in self.headers.items()})
                outer.spans += [
                    (resource.resource, span)
                    for resource in request.resource_spans
                    for scope in resource.scope_spans
                    for span in scope.spans
                ]
                outer.connections.append(self.client_address)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def names(self) -> list[str]:
        """The names of the spans that came."""
        return [span.name for _, span in self.spans]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def until(is_so, seconds=20.0):
    """Wait for what another thread or process is about to do."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)
