"""Spans as the bytes that are sent, and back: what was kept on disk leaves through any exporter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Encoded, SpanFlags
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode


def encode(spans: Sequence[ReadableSpan]) -> bytes:
    """The request that brings these spans. Raises where one of them holds what no request can."""
    return encode_spans(spans).SerializeToString()


def decode(request: bytes) -> list[ReadableSpan]:
    """The spans of a request of ours. Raises where it is none."""
    return list(_spans(ExportTraceServiceRequest.FromString(request)))


def _spans(request: ExportTraceServiceRequest) -> Iterator[ReadableSpan]:
    for of_resource in request.resource_spans:
        resource = Resource(_values(of_resource.resource.attributes), of_resource.schema_url or None)
        for of_scope in of_resource.scope_spans:
            scope = InstrumentationScope(
                of_scope.scope.name, of_scope.scope.version or None, of_scope.schema_url or None,
                _values(of_scope.scope.attributes) or None,
            )  # fmt: skip
            for span in of_scope.spans:
                yield _span(span, resource, scope)


def _span(span: Encoded, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    remote = bool(span.flags & SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
    events = BoundedList[Event](None)
    events.extend([_event(event) for event in span.events])
    events.dropped = span.dropped_events_count
    links = BoundedList[Link](None)
    links.extend([_link(link) for link in span.links])
    links.dropped = span.dropped_links_count
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id, is_remote=False, state=span.trace_state),
        parent=_context(span.trace_id, span.parent_span_id, is_remote=remote) if span.parent_span_id else None,
        resource=resource,
        attributes=_attributes(span.attributes, span.dropped_attributes_count),
        events=events,
        links=links,
        # OTLP begins with "unspecified".
        kind=SpanKind(max(span.kind - 1, 0)),
        instrumentation_scope=scope,
        status=Status(StatusCode(span.status.code), span.status.message or None),
        start_time=span.start_time_unix_nano,
        end_time=span.end_time_unix_nano,
    )


def _context(trace_id: bytes, span_id: bytes, *, is_remote: bool, state: str = "") -> SpanContext:
    return SpanContext(
        int.from_bytes(trace_id, "big"), int.from_bytes(span_id, "big"), is_remote, TraceFlags(TraceFlags.SAMPLED),
        TraceState.from_header([state]) if state else None,
    )  # fmt: skip


def _event(event: Encoded.Event) -> Event:
    return Event(event.name, _attributes(event.attributes, event.dropped_attributes_count), event.time_unix_nano)


def _link(link: Encoded.Link) -> Link:
    remote = bool(link.flags & SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)
    context = _context(link.trace_id, link.span_id, is_remote=remote, state=link.trace_state)
    return Link(context, _attributes(link.attributes, link.dropped_attributes_count))


def _attributes(encoded: Sequence[KeyValue], dropped: int) -> BoundedAttributes:
    attributes = BoundedAttributes(attributes=_values(encoded))
    attributes.dropped = dropped
    return attributes


def _values(encoded: Sequence[KeyValue]) -> Mapping[str, Any]:
    return {pair.key: _value(pair.value) for pair in encoded}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(each) for each in value.array_value.values)
    if kind == "kvlist_value":
        return _values(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
