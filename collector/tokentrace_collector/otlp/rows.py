"""Trace requests as columns of `otel_traces`: the portable way in, and the oracle of the engine's own."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from tokentrace_collector.otlp.values import text

_KINDS = {0: "Unspecified", 1: "Internal", 2: "Server", 3: "Client", 4: "Producer", 5: "Consumer"}
_STATUSES = {0: "Unset", 1: "Ok", 2: "Error"}

_CELLS: dict[str, Callable[[Span], Any]] = {
    "Timestamp": lambda span: span.start_time_unix_nano,
    "TraceId": lambda span: span.trace_id.hex(),
    "SpanId": lambda span: span.span_id.hex(),
    "ParentSpanId": lambda span: span.parent_span_id.hex(),
    "TraceState": lambda span: span.trace_state,
    "SpanName": lambda span: span.name,
    "SpanKind": lambda span: _KINDS.get(span.kind, ""),
    "SpanAttributes": lambda span: attributes(span.attributes),
    "Duration": lambda span: span.end_time_unix_nano - span.start_time_unix_nano,
    "StatusCode": lambda span: _STATUSES.get(span.status.code, ""),
    "StatusMessage": lambda span: span.status.message,
    "Events.Timestamp": lambda span: [_signed(event.time_unix_nano) for event in span.events],
    "Events.Name": lambda span: [event.name for event in span.events],
    "Events.Attributes": lambda span: [attributes(event.attributes) for event in span.events],
    "Links.TraceId": lambda span: [link.trace_id.hex() for link in span.links],
    "Links.SpanId": lambda span: [link.span_id.hex() for link in span.links],
    "Links.TraceState": lambda span: [link.trace_state for link in span.links],
    "Links.Attributes": lambda span: [attributes(link.attributes) for link in span.links],
}

COLUMNS = (*_CELLS, "ServiceName", "ResourceAttributes", "ScopeName", "ScopeVersion", "Tenant")
"""The columns of `columns`, in its order."""


def columns(bodies: Iterable[bytes], *, tenant: str) -> Sequence[list[Any]]:
    """One list per column of `COLUMNS`: the spans of the requests, in their order."""
    table: list[list[Any]] = [[] for _ in COLUMNS]
    for body in bodies:
        for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = attributes(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                _append(table, scope_spans, resource, tenant)
    return table


def attributes(pairs: Iterable[KeyValue]) -> dict[str, str]:
    """Attributes as text by name; a name given twice has its last value."""
    named: dict[str, str] = {}
    for pair in pairs:
        value = pair.value
        # Nine of ten are text or a count, and this loop is most of what a row costs.
        kind = value.WhichOneof("value")
        if kind == "string_value":
            named[pair.key] = value.string_value
        elif kind == "int_value":
            named[pair.key] = str(value.int_value)
        else:
            named[pair.key] = text(value)
    return named


def _append(table: list[list[Any]], scope_spans: ScopeSpans, resource: dict[str, str], tenant: str) -> None:
    for column, cell in zip(table, _CELLS.values(), strict=False):
        column.extend(map(cell, scope_spans.spans))
    scope = scope_spans.scope
    shared = (resource.get("service.name", ""), resource, scope.name, scope.version, tenant)
    for column, value in zip(table[len(_CELLS) :], shared, strict=True):
        column.extend([value] * len(scope_spans.spans))


def _signed(moment: int) -> int:
    """A moment as the engine's signed clock reads it."""
    return moment - (1 << 64) if moment >> 63 else moment
