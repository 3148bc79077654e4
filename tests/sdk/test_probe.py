"""What the doctor makes of the collector's answer."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from answering import Answering, serving

from tokentrace import Config
from tokentrace.diagnosis import probe

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith(("TOKENTRACE_", "OTEL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@contextmanager
def answering(status: int, kind: str = "application/x-protobuf", body: bytes = b"", **headers: str) -> Iterator[str]:
    """The address of a server that has one answer; one that asks for a token gets 401 without it."""

    class Handler(Answering):
        def reply(self):
            self.asked()
            is_let_in = status != 401 or self.headers["authorization"] == "Bearer it"
            self.answer(body, 200 if status == 401 and is_let_in else status, **{"content-type": kind, **headers})

    with serving(Handler) as address:
        yield address


@contextmanager
def over_grpc(code: grpc.StatusCode | None = None) -> Iterator[str]:
    """The address of an OTLP/gRPC receiver that takes spans, or answers with a code."""

    def export(request: bytes, context: grpc.ServicerContext) -> bytes:
        if code is not None:
            context.abort(code, "no")
        return b""

    class Service(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(export) if details.method == _EXPORT else None

    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=[Service()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"http://127.0.0.1:{port}"
        server.stop(None).wait()


def ask(endpoint: str, **settings: object) -> probe.Answer:
    return probe.ask(Config.resolve(endpoint=endpoint, **settings), 10)


def free() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_collector_that_takes_spans_is_fine():
    with answering(200) as url:
        assert ask(url) == probe.Answer("takes spans.")


@pytest.mark.parametrize(
    ("status", "told", "remedy"),
    [
        (401, "wants to know who we are (401).", "TOKENTRACE_HEADERS"),
        (403, "does not let us in (403).", "TOKENTRACE_HEADERS"),
        (404, "has no such path (404).", "base URL"),
        (405, "takes no POST there (405).", "base URL"),
        (415, "does not take protobuf over HTTP (415).", "4318"),
        (503, "cannot take spans now (503).", "wait"),
        (418, "answers 418.", "collector"),
    ],
)
def test_a_status_is_explained(status, told, remedy):
    with answering(status) as url:
        answer = ask(url)
    assert (answer.told, remedy in answer.remedy) == (told, True)


def test_headers_are_sent_as_the_exporter_sends_them():
    with answering(401) as url:
        assert ask(url, headers={"authorization": "Bearer it"}).remedy == ""


def test_a_web_page_is_no_collector():
    with answering(200, "text/html", b"<html>") as url:
        assert "web page" in ask(url).told


def test_an_address_that_has_moved_says_where_to():
    with answering(301, location="https://there:4318/v1/traces") as url:
        assert "https://there:4318/v1/traces" in ask(url).told


def test_a_server_that_wants_tls_is_recognised():
    with answering(400, "text/plain", b"The plain HTTP request was sent to HTTPS port") as url:
        assert "'https://'" in ask(url).remedy


def test_tls_with_a_server_that_has_none():
    with answering(200) as url:
        assert ask(url.replace("http:", "https:")).told == "does not speak TLS."


def test_a_certificate_that_nobody_vouches_for():
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    import requests

    answer = probe._broken(Config(), requests.exceptions.SSLError(error), 1)
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in answer.remedy


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_port_where_nobody_listens(protocol):
    answer = ask(f"http://127.0.0.1:{free()}", protocol=protocol)
    assert ("nobody listens" in answer.told, "tokentrace collector" in answer.remedy) == (True, True)


def test_a_name_that_has_no_address():
    assert "has no address" in ask("http://no-such-host.invalid:4318").told


def test_a_server_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        answer = probe.ask(Config.resolve(endpoint=endpoint), 0.1)
    assert answer.told == "did not answer within 0.1 s."


def test_http_sent_to_a_grpc_port():
    with over_grpc() as url:
        assert "4318" in ask(url).remedy


def test_grpc_sent_to_an_http_port():
    with answering(200) as url:
        assert "http/protobuf" in ask(url, protocol="grpc").remedy


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "takes spans."),
        (grpc.StatusCode.UNAUTHENTICATED, "wants to know who we are (UNAUTHENTICATED)."),
        (grpc.StatusCode.UNIMPLEMENTED, "speaks gRPC, but takes no traces (UNIMPLEMENTED)."),
        (grpc.StatusCode.INTERNAL, "does not answer as an OTLP/gRPC receiver (INTERNAL)."),
    ],
)
def test_an_answer_over_grpc_is_explained(code, told):
    with over_grpc(code) as url:
        assert ask(url, protocol="grpc").told == told
