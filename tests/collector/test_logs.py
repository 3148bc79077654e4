"""Log records that say what spans do not: what they are of, as the official exporters send them."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import TraceFlags

from tokentrace_collector.config import Config
from tokentrace_collector.otlp import logs
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store

NOW = 1_767_225_600_000_000_000
TRACE, SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
DETAILS = "gen_ai.client.inference.operation.details"
USAGE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.response.model": "gpt-5",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.input.messages": "my secret",
}


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    where = f"{empty_store.address}&directory={tmp_path}"
    with Collector(Config(store=where, http_port=0, grpc_port=0, api_port=0, batch_seconds=0.05)) as running:
        yield running


EXPORTERS: dict[str, Callable[[Collector], LogExporter]] = {
    "http": lambda to: HttpExporter(f"{to.addresses.otlp_http}/v1/logs"),
    "grpc": lambda to: GrpcExporter(to.addresses.otlp_grpc, insecure=True),
}


def emit(
    exporter: LogExporter, attributes: dict[str, Any], *, event: str = "", trace: int = TRACE, times: int = 1
) -> None:
    provider = LoggerProvider(resource=Resource({"service.name": "desk"}), shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    record = LogRecord(
        timestamp=NOW,
        observed_timestamp=NOW,
        trace_id=trace,
        span_id=SPAN,
        trace_flags=TraceFlags(1),
        event_name=event or None,
        attributes=attributes,
    )
    for _ in range(times):
        provider.get_logger("desk").emit(record)
    provider.shutdown()


def stored(collector: Collector, store: Store, query: str) -> list[dict[str, Any]]:
    assert collector.flush(30)
    return store.query(query)


@pytest.mark.parametrize("kind", EXPORTERS)
def test_an_outcome_in_a_log_is_the_outcome_of_its_request_however_often_it_is_sent(
    collector: Collector, empty_store: Store, kind: str
):
    said = {
        "tokentrace.outcome.status": "success",
        "tokentrace.outcome.value": "12.5",
        "tokentrace.outcome.currency": "USD",
    }
    emit(EXPORTERS[kind](collector), said, times=2)
    rows = stored(
        collector, empty_store, "SELECT trace_id, status, toString(value) AS value, currency FROM outcomes FINAL"
    )
    assert rows == [{"trace_id": f"{TRACE:032x}", "status": "success", "value": "12.5", "currency": "USD"}]
    assert collector.counters.snapshot()["logs_accepted"] == 2


def test_a_review_in_a_log_took_the_time_up_to_it(collector: Collector, empty_store: Store):
    emit(EXPORTERS["http"](collector), {"tokentrace.review.kind": "approval", "tokentrace.review.active_time": 90.0})
    rows = stored(
        collector,
        empty_store,
        "SELECT kind, seconds, dateDiff('second', started_at, ended_at) AS took FROM reviews FINAL",
    )
    assert rows == [{"kind": "approval", "seconds": 90, "took": 90}]


def test_a_review_without_a_trace_is_one_of_its_own(collector: Collector, empty_store: Store):
    emit(EXPORTERS["http"](collector), {"tokentrace.review.kind": "audit"}, trace=0, times=2)
    assert stored(collector, empty_store, "SELECT count() AS reviews FROM reviews FINAL") == [{"reviews": 1}]


def test_usage_in_an_event_is_a_call_without_its_messages(collector: Collector, empty_store: Store):
    emit(EXPORTERS["http"](collector), USAGE, event=DETAILS)
    (row,) = stored(
        collector,
        empty_store,
        "SELECT parent_span_id, scope, model, tokens['input_text'] AS input FROM llm_calls FINAL",
    )
    assert row == {"parent_span_id": f"{SPAN:016x}", "scope": "call", "model": "gpt-5", "input": 100}
    assert empty_store.query("SELECT SpanAttributes['gen_ai.input.messages'] AS text FROM otel_traces") == [
        {"text": ""}
    ]


def test_each_call_that_events_of_one_span_tell_of_is_one(collector: Collector, empty_store: Store):
    """An agent's span, which makes several calls that have no spans."""
    exporter = EXPORTERS["http"]
    for number in (1, 2):
        said = USAGE | {"gen_ai.response.id": f"resp_{number}"}
        emit(exporter(collector), said, event=DETAILS, times=2)
    (row,) = stored(collector, empty_store, "SELECT sum(tokens['input_text']) AS input FROM llm_calls FINAL")
    assert row == {"input": 200}


def test_an_evaluation_is_kept_with_its_request(collector: Collector, empty_store: Store):
    said = {
        "gen_ai.evaluation.name": "relevance",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.explanation": "…",
    }
    emit(EXPORTERS["http"](collector), said, event="gen_ai.evaluation.result")
    (row,) = stored(collector, empty_store, "SELECT TraceId, SpanAttributes FROM otel_traces")
    assert row == {
        "TraceId": f"{TRACE:032x}",
        "SpanAttributes": {
            "gen_ai.evaluation.name": "relevance",
            "gen_ai.evaluation.score.value": "0.5",
            "tokentrace.report": "evaluation",
        },
    }


def test_what_is_of_no_use_is_counted_and_said(collector: Collector):
    records = [
        {"body": {"stringValue": "hello"}},
        {"attributes": [{"key": "tokentrace.outcome.status", "value": {"stringValue": "success"}}]},
        {"traceId": "no hex"},
    ]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    url = f"{collector.addresses.otlp_http}/v1/logs"
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        told = json.load(answer)["partialSuccess"]
    assert told["rejectedLogRecords"] == "3"
    assert [why in told["errorMessage"] for why in (logs.OTHER, logs.HOMELESS, logs.BROKEN)] == [True] * 3
    assert collector.counters.snapshot()["logs_not_stored"] == 3


def test_a_broken_record_costs_no_other():
    request = ExportLogsServiceRequest()
    sound = request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"t" * 16, time_unix_nano=NOW)
    sound.attributes.add(key="tokentrace.outcome.status").value.string_value = "failure"
    broken = request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"t" * 16)
    broken.attributes.add(key="tokentrace.outcome.status").value.string_value = "XX"
    accepted = logs.accept(request.SerializeToString().replace(b"XX", b"\xff\xff"), now=NOW)
    assert (accepted.spans, dict(accepted.unused)) == (1, {logs.BROKEN: 1})


def test_an_event_may_say_it_in_its_body():
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"t" * 16, time_unix_nano=NOW)
    record.body.kvlist_value.values.add(key="tokentrace.reject.reason").value.string_value = "schema"
    assert logs.accept(request.SerializeToString(), now=NOW).spans == 1


def logged(ledger, trace: str, parent: str, **usage: int) -> None:
    ledger.foreign(trace, "log", parent, name=DETAILS, usage=usage, at=2, seconds=0)


def bearers(ledger, trace: str) -> set[str]:
    rows = ledger.store.query(
        "SELECT span_id FROM call_costs FINAL WHERE trace_id = {trace:String} AND borne_by = ''", trace=trace
    )
    return {row["span_id"] for row in rows}


def test_usage_of_a_log_counts_where_its_span_has_none(ledger):
    ledger.foreign("t", "span")
    logged(ledger, "t", "span", input_tokens=100, output_tokens=50)
    ledger.tick()
    assert bearers(ledger, "t") == {"log"}


@pytest.mark.parametrize("output", [50, 51])
@pytest.mark.parametrize("whose", ["foreign", "ours"])
def test_usage_of_a_log_does_not_count_where_its_span_has_some(ledger, whose, output):
    if whose == "ours":
        ledger.call("t", "span", tokens={"input_text": 100, "output_text": 50}, seconds=1)
    else:
        ledger.foreign("t", "span", usage={"input_tokens": 100, "output_tokens": 50})
    logged(ledger, "t", "span", input_tokens=100, output_tokens=output)
    ledger.tick()
    assert bearers(ledger, "t") == {"span"}
