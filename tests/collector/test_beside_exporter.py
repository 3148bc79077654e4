"""Spans that an OpenTelemetry Collector wrote into `otel_traces`, beside the same by OTLP: the same calls and costs."""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tokentrace_collector.store.database import Store

BEGAN = 1_795_168_800_000_000_000
KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUSES = ("Unset", "Ok", "Error")


def value(told: Any) -> AnyValue:
    """A value as an SDK sends it, typed."""
    if isinstance(told, bool):
        return AnyValue(bool_value=told)
    if isinstance(told, int):
        return AnyValue(int_value=told)
    if isinstance(told, float):
        return AnyValue(double_value=told)
    if isinstance(told, bytes):
        return AnyValue(bytes_value=told)
    if isinstance(told, list):
        made = AnyValue()
        made.array_value.values.extend(value(each) for each in told)
        return made
    return AnyValue(string_value=told)


def pairs(told: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=value(each)) for name, each in told.items()]


def ours(model: str, **more: Any) -> dict[str, Any]:
    """What our SDK says of a call."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "tokentrace.usage.scope": "call",
        "tokentrace.usage.source": "reported",
        **more,
    }


def span(number: int, parent: int, name: str, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "trace_id": (7).to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent else b"",
        "name": name,
        "kind": 3,
        "start_time_unix_nano": BEGAN + number * 1_000_000_001,
        "end_time_unix_nano": BEGAN + number * 1_000_000_001 + 900_000_007,
        "attributes": pairs(said),
        **more,
    }


@pytest.fixture
def request_() -> ExportTraceServiceRequest:
    """An agent with a plan that failed at first, an answer, a review and a call that another instrumentation tells of."""
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": "agent", "host.cpus": 4, "tags": ["a", "b"]}))
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "tokentrace", "1"
    plan = {
        "tokentrace.usage.input": 3000,
        "tokentrace.usage.output_text": 200,
        "tokentrace.usage.output_reasoning": 500,
    }
    answer = {
        "tokentrace.usage.input": 2000,
        "tokentrace.usage.cache_read": 4000,
        "tokentrace.usage.output_text": 400,
        "tokentrace.input.tool_definitions": 1800,
        "tokentrace.input.history": 600,
        "tokentrace.input.user": 3600,
        "tokentrace.input.segments": ["tool_definitions:1800", "history:600", "user:3600"],
        "tokentrace.meter.web_search": 1,
    }
    scope.spans.add(**span(1, 0, "invoke_agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}))
    first = scope.spans.add(**span(2, 1, "plan", ours("gpt-6-sol", **plan, **{"tokentrace.role": "plan"})))
    tried = {"tokentrace.attempt.number": 1, "http.response.status_code": 503, "tokentrace.attempt.billable": False}
    first.events.add(name="tokentrace.attempt", time_unix_nano=BEGAN + 2, attributes=pairs(tried))
    scope.spans.add(**span(3, 1, "answer", ours("gpt-6-sol", **answer)))
    scope.spans.add(**span(4, 1, "late", ours("gpt-6-sol", **plan), status={"code": 2, "message": "timed out"}))
    reviewed = {"tokentrace.review.kind": "approval", "tokentrace.review.active_time": 60.5}
    scope.spans.add(**span(5, 1, "review", reviewed))
    foreign = group.scope_spans.add()
    foreign.scope.name = "opentelemetry.instrumentation.openai_v2"
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-6-sol",
        "gen_ai.usage.input_tokens": 700,
        "gen_ai.usage.output_tokens": 30,
        "gen_ai.response.finish_reasons": ["stop", "length"],
    }
    foreign.spans.add(**span(6, 1, "chat gpt-6-sol", told, trace_state="ot=th:c;rv:f0000000000000"))
    return made


def text(told: AnyValue) -> str:
    """A value as the exporter writes it: everything is text, and lists are JSON."""
    kind = told.WhichOneof("value")
    if kind == "array_value":
        return json.dumps([plain(each) for each in told.array_value.values], separators=(",", ":"))
    if kind == "bytes_value":
        return base64.b64encode(told.bytes_value).decode()
    if kind == "bool_value":
        return str(told.bool_value).lower()
    return str(getattr(told, kind)) if kind else ""


def plain(told: AnyValue) -> Any:
    return getattr(told, told.WhichOneof("value") or "string_value")


def texts(told: Iterable[KeyValue]) -> dict[str, str]:
    return {pair.key: text(pair.value) for pair in told}


def write(store: Store, request: ExportTraceServiceRequest, *, backwards: bool = False) -> None:
    """Insert spans as the exporter does: its columns alone, and no token."""
    rows = [
        {
            "Timestamp": one.start_time_unix_nano,
            "TraceId": one.trace_id.hex(),
            "SpanId": one.span_id.hex(),
            "ParentSpanId": one.parent_span_id.hex(),
            "TraceState": one.trace_state,
            "SpanName": one.name,
            "SpanKind": KINDS[one.kind],
            "ServiceName": texts(group.resource.attributes)["service.name"],
            "ResourceAttributes": texts(group.resource.attributes),
            "ScopeName": scope.scope.name,
            "ScopeVersion": scope.scope.version,
            "SpanAttributes": texts(one.attributes),
            "Duration": one.end_time_unix_nano - one.start_time_unix_nano,
            "StatusCode": STATUSES[one.status.code],
            "StatusMessage": one.status.message,
            "Events.Timestamp": [event.time_unix_nano for event in one.events],
            "Events.Name": [event.name for event in one.events],
            "Events.Attributes": [texts(event.attributes) for event in one.events],
            "Links.TraceId": [],
            "Links.SpanId": [],
            "Links.TraceState": [],
            "Links.Attributes": [],
        }
        for group in request.resource_spans
        for scope in group.scope_spans
        for one in scope.spans
    ]
    rows = rows[::-1] if backwards else rows
    store.insert("otel_traces", list(rows[0]), [[row[name] for row in rows] for name in rows[0]])


def books(ledger: Any) -> dict[str, list[dict[str, Any]]]:
    calls = ledger.store.query("SELECT * EXCEPT ingested_at FROM llm_calls FINAL ORDER BY ALL")
    return {"llm_calls": calls, **ledger.everything()}


@pytest.mark.fault("at-least-once upstream collector")
def test_what_the_exporter_wrote_costs_what_came_by_otlp(fresh_ledger: Callable[[], Any], request_):
    """Also where it wrote a batch again, because it did not hear the answer, and in another order."""
    received, written = fresh_ledger(), fresh_ledger()
    assert received.store.insert_spans([request_.SerializeToString()], tenant="default", token="one")
    write(written.store, request_)
    write(written.store, request_)
    write(written.store, request_, backwards=True)
    for ledger in (received, written):
        ledger.tick()
    by_otlp, by_exporter = books(received), books(written)
    assert len(by_otlp["llm_calls"]) == 6
    assert received.components((7).to_bytes(16, "big").hex()).keys() >= {"visible", "orchestration", "errors"}
    assert by_exporter == by_otlp
    assert [call["sampling_numerator"] for call in by_otlp["call_costs"] if call["sampling_numerator"] > 1] == [4]
    assert written.store.query("SELECT count() AS spans FROM otel_traces")[0]["spans"] > 6
