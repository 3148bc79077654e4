"""The receivers' answers, as a sender sees them."""

import gzip
import http.client
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tokentrace_collector import listener
from tokentrace_collector.access import Everybody
from tokentrace_collector.counters import Counters
from tokentrace_collector.journal.deadletters import DeadLetters
from tokentrace_collector.journal.entries import Journal, Limits
from tokentrace_collector.journal.segment import Writer
from tokentrace_collector.listener import Listener
from tokentrace_collector.otlp import logs
from tokentrace_collector.otlp.privacy import Privacy
from tokentrace_collector.receive import grpc as grpc_receiver, http as http_receiver
from tokentrace_collector.receive.intake import NOTHING, Intake
from tokentrace_collector.receive.pace import Pace
from tokentrace_collector.receive.room import Room
from tokentrace_collector.receive.signals import NO_METRICS

NOW = 1_767_225_600_000_000_000
MOST = 1 << 20
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes
    retry_after: str | None


class Receivers:
    """Both receivers over a journal, without a database."""

    def __init__(
        self, directory, limits: Limits, privacy: Privacy = NOTHING, room: Room | None = None, **pace: Any
    ) -> None:
        self.counters = Counters()
        self.letters = directory / "dead-letters.jsonl"
        self.journal = Journal(directory / "journal", limits)
        self.dead_letters = DeadLetters(self.letters)
        intake = Intake(self.journal, self.dead_letters, self.counters, most=MOST, privacy=privacy, room=room)
        door = Everybody("default")
        self.pace = Pace(self.counters, **pace)
        receiver = http_receiver.Receiver(intake, door, body_seconds=0.5, pace=self.pace)
        self.listener = Listener("OTLP/HTTP", receiver.application(), "127.0.0.1", 0)
        self.listener.start()
        self.server = grpc_receiver.Receiver(intake, door, self.pace).server()
        self.grpc_port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def post(self, body: bytes, content_type: str = PROTOBUF, encoding: str = "", path: str = "/v1/traces") -> Answer:
        headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
        with closing(http.client.HTTPConnection("127.0.0.1", self.listener.port, timeout=10)) as connection:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            told = response.headers
            return Answer(response.status, told["content-type"], response.read(), told["retry-after"])

    def export(self, body: bytes, service: str = "trace.v1.TraceService") -> bytes:
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            return channel.unary_unary(f"/opentelemetry.proto.collector.{service}/Export")(body, timeout=10)

    def names(self) -> list[str]:
        """The names of the spans in the journal."""
        batch = self.journal.claim()
        requests = [ExportTraceServiceRequest.FromString(gzip_free(each)) for each in batch.entries] if batch else []
        return [
            span.name
            for request in requests
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def close(self) -> None:
        self.listener.stop()
        self.server.stop(0).wait()
        self.journal.close()


def gzip_free(entry) -> bytes:
    return gzip.decompress(entry.body) if entry.encoding == "gzip" else entry.body


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def receivers(tmp_path, limits: Limits) -> Iterator[Receivers]:
    made = Receivers(tmp_path, limits)
    yield made
    made.close()


def request(*names: str) -> bytes:
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for number, name in enumerate(names, 1):
        times = {"start_time_unix_nano": NOW, "end_time_unix_nano": NOW + 1}
        scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=name, **times)
    return made.SerializeToString()


def json_request(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def json_span(**fields: Any) -> dict[str, Any]:
    known = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "chat"}
    times = {"startTimeUnixNano": str(NOW), "endTimeUnixNano": NOW + 1}
    return known | times | fields


def reason(answer: Answer) -> str:
    assert answer.content_type == PROTOBUF
    return Status.FromString(answer.body).message


def test_success_is_empty_and_in_the_senders_own_type(receivers: Receivers):
    assert receivers.post(request("chat")) == Answer(200, PROTOBUF, b"", None)
    assert receivers.post(json_request(json_span()), JSON) == Answer(200, JSON, b"{}", None)


def test_a_request_without_spans_is_a_success(receivers: Receivers):
    assert receivers.post(b"") == Answer(200, PROTOBUF, b"", None)
    assert receivers.export(b"") == b""


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(request("a", "b")), "gzip"),
        (gzip.compress(request("a")) + gzip.compress(b""), "gzip"),
        (zlib.compress(request("a")), "deflate"),
        (request("a"), "identity"),
    ],
    ids=["gzip", "gzip twice", "deflate", "identity"],
)
def test_compressed_bodies_are_read(receivers: Receivers, body: bytes, encoding: str):
    assert receivers.post(body, encoding=encoding).status == 200


def test_a_bad_span_is_reported_and_kept_apart(receivers: Receivers):
    body = request("one", "two", "three").replace(b"two", b"\xff\xff\xff")
    answer = receivers.post(body)
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_spans) == (200, 1)
    assert "not UTF-8" in partial.error_message
    assert receivers.names() == ["one", "three"]
    assert [json.loads(line)["reason"] for line in receivers.letters.read_text().splitlines()] == [
        partial.error_message
    ]


def test_a_bad_span_is_reported_over_grpc(receivers: Receivers):
    body = request("one", "two").replace(b"two", b"\xff\xff\xff")
    partial = ExportTraceServiceResponse.FromString(receivers.export(body)).partial_success
    assert (partial.rejected_spans, receivers.names()) == (1, ["one"])


def test_a_bad_span_in_json_is_reported_in_json(receivers: Receivers):
    answer = receivers.post(json_request(json_span(traceId="no hex"), json_span(name="good")), JSON)
    assert json.loads(answer.body)["partialSuccess"]["rejectedSpans"] == "1"
    assert receivers.names() == ["good"]


class Sent(NamedTuple):
    body: bytes
    content_type: str = PROTOBUF
    encoding: str = ""


@pytest.mark.fault("decompression bomb")
@pytest.mark.fault("malformed request")
@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        (Sent(b"\xff\xff\xff"), 400, "not an OTLP trace request"),
        (Sent(b"not gzip", encoding="gzip"), 400, "cannot be decompressed"),
        (Sent(gzip.compress(request("chat"))[:-9], encoding="gzip"), 400, "ends too early"),
        (Sent(request("chat"), "text/plain"), 415, "text/plain"),
        (Sent(request("chat"), encoding="br"), 415, "br"),
        (Sent(gzip.compress(bytes(MOST + 1)), encoding="gzip"), 413, "larger than"),
        (Sent(bytes(MOST + 1)), 413, "larger than"),
    ],
    ids=["garbage", "no gzip", "half a gzip", "text", "brotli", "bomb", "oversize"],
)
def test_what_cannot_be_taken_is_refused_with_the_reason(receivers: Receivers, sent: Sent, status: int, told: str):
    answer = receivers.post(*sent)
    assert (answer.status, told in reason(answer), answer.retry_after) == (status, True, None)


@pytest.mark.fault("malformed request")
@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"7", b'{"resourceSpans":{}}', b'{"resourceSpans":[1]}', b"[" * 100_000, b'{"a":\xff}'],
    ids=["half", "list", "number", "map for list", "number for map", "deep", "not utf-8"],
)
def test_json_that_is_no_request_is_refused_in_json(receivers: Receivers, body: bytes):
    answer = receivers.post(body, JSON)
    assert (answer.status, answer.content_type, json.loads(answer.body)["code"]) == (400, JSON, 3)


def test_other_methods_and_paths_are_refused(receivers: Receivers):
    with closing(http.client.HTTPConnection("127.0.0.1", receivers.listener.port, timeout=10)) as connection:
        connection.request("GET", "/v1/traces")
        assert connection.getresponse().status == 405
    assert receivers.post(b"", path="/v1/nothing").status == 404


@pytest.mark.fault("full journal")
@pytest.mark.parametrize("limits", [Limits(most_bytes=0)], ids=["full"])
def test_a_full_journal_sends_the_sender_away_for_a_while(receivers: Receivers):
    answer = receivers.post(request("chat"))
    assert (answer.status, answer.retry_after, "journal is full" in reason(answer)) == (503, "1", True)
    assert receivers.counters.snapshot()["requests_refused"] == 1


@pytest.mark.fault("full journal")
@pytest.mark.parametrize("limits", [Limits(most_bytes=0)], ids=["full"])
def test_a_full_journal_tells_grpc_when_to_come_again(receivers: Receivers):
    with pytest.raises(grpc.RpcError) as raised:
        receivers.export(request("chat"))
    trailers = dict(raised.value.trailing_metadata())
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 1
    assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Is(RetryInfo.DESCRIPTOR)


@pytest.mark.fault("malformed request")
@pytest.mark.parametrize("body", [b"\xff\xff\xff", bytes(MOST + 1)], ids=["garbage", "oversize"])
def test_grpc_refuses_for_good_what_will_never_do(receivers: Receivers, body: bytes):
    with pytest.raises(grpc.RpcError) as raised:
        receivers.export(body)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_metrics_are_answered_counted_and_not_stored(receivers: Receivers):
    body = ExportMetricsServiceRequest()
    body.resource_metrics.add().scope_metrics.add().metrics.add().sum.data_points.add()
    answer = receivers.post(body.SerializeToString(), path="/v1/metrics")
    partial = ExportMetricsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_data_points, partial.error_message) == (
        200,
        1,
        NO_METRICS,
    )
    receivers.export(body.SerializeToString(), "metrics.v1.MetricsService")
    assert receivers.counters.snapshot()["metrics_not_stored"] == 2


def test_logs_of_no_use_are_answered_counted_and_not_stored(receivers: Receivers):
    body = ExportLogsServiceRequest()
    body.resource_logs.add().scope_logs.add().log_records.add()
    answered = receivers.export(body.SerializeToString(), "logs.v1.LogsService")
    assert ExportLogsServiceResponse.FromString(answered).partial_success.rejected_log_records == 1
    sent = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}]}]}'
    told = json.loads(receivers.post(sent, JSON, path="/v1/logs").body)
    assert told == {"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": logs.OTHER}}


@pytest.mark.fault("slow sender")
def test_a_sender_that_never_ends_its_body_is_let_go(receivers: Receivers):
    with closing(http.client.HTTPConnection("127.0.0.1", receivers.listener.port, timeout=10)) as connection:
        connection.putrequest("POST", "/v1/traces")
        connection.putheader("Content-Type", PROTOBUF)
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"half")
        assert connection.getresponse().status == 408


def said(receivers: Receivers, *parts: bytes) -> bytes:
    """What a sender that writes bytes hears until the connection is closed."""
    with closing(socket.create_connection(("127.0.0.1", receivers.listener.port), timeout=10)) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.fault("slow sender")
def test_a_sender_that_never_ends_its_headers_is_let_go(receivers: Receivers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listener, "_HEAD_SECONDS", 0.2)
    assert said(receivers, b"POST /v1/traces HTTP/1.1\r\nX-Slow: ") == b""
    assert said(receivers) == b""


def test_headers_without_end_are_refused(receivers: Receivers):
    answer = said(receivers, b"POST /v1/traces HTTP/1.1\r\nX-Long: " + b"x" * 70_000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"too large" in answer


def test_a_connection_carries_many_requests(receivers: Receivers):
    with closing(http.client.HTTPConnection("127.0.0.1", receivers.listener.port, timeout=10)) as connection:
        for number in range(3):
            connection.request("POST", "/v1/traces", request(f"span {number}"), {"Content-Type": PROTOBUF})
            response = connection.getresponse()
            response.read()
            assert response.status == 200


def test_a_request_cut_off_by_the_stop_is_told_to_come_again_and_leaves_the_journal_working(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
):
    append, is_writing, is_free = Writer.append, threading.Event(), threading.Event()

    def wait_and_append(*arguments: Any) -> None:
        is_writing.set()
        assert is_free.wait(30)
        append(*arguments)

    monkeypatch.setattr(Writer, "append", wait_and_append)
    receivers.listener._server.config.timeout_graceful_shutdown = 0
    with ThreadPoolExecutor(2) as pool:
        cut_off = pool.submit(receivers.post, request("one"))
        assert is_writing.wait(30)
        receivers.listener.stop()
        assert cut_off.result(30).status == 503
        kept = pool.submit(receivers.export, request("two"))
        is_free.set()
        assert kept.result(30) == b""
    assert receivers.names() == ["one", "two"]


def test_a_bad_span_that_cannot_be_set_aside_is_to_come_again(receivers: Receivers):
    receivers.letters.mkdir()
    answer = receivers.post(json_request(json_span(), json_span(spanId="short")), JSON)
    assert (answer.status, answer.retry_after) == (503, "1")
    assert receivers.counters.snapshot()["spans_rejected"] == 0


def test_an_answer_of_success_means_on_disk(receivers: Receivers):
    bodies = [request(f"span {number}") for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(receivers.post, bodies))
    assert {answer.status for answer in answers} == {200}
    assert sorted(receivers.names()) == sorted(f"span {number}" for number in range(50))
