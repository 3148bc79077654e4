"""OTLP trace requests in JSON, turned into protobuf, so that one path follows.

Protobuf's own JSON reader would not do: OTLP's ids are hex where it expects base64, and one bad span would cost all.
"""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tokentrace_collector.otlp import decode, members
from tokentrace_collector.otlp.decode import Accepted, Rejected, UndecodableError


def accept(text: bytes, *, now: int, flatten: bool = False) -> Accepted:
    """What of a JSON request can be stored, as protobuf."""
    request, rejected = read(text)
    accepted = decode.accept(request.SerializeToString(), now=now, flatten=flatten)
    return Accepted(accepted.body, accepted.spans, (*rejected, *accepted.rejected))


def read(text: bytes) -> tuple[ExportTraceServiceRequest, list[Rejected]]:
    """The request that JSON describes, and the spans in it that are none."""
    rejected: list[Rejected] = []
    request = ExportTraceServiceRequest()
    try:
        for resource_spans in members.items(members.parsed(text), "resourceSpans"):
            request.resource_spans.append(_resource_spans(resource_spans, rejected))
    except members.WRONG as error:
        raise UndecodableError(f"The body is not an OTLP trace request in JSON: {error}.") from error
    return request, rejected


def _resource_spans(node: Any, rejected: list[Rejected]) -> ResourceSpans:
    told = members.member(node, "resource")
    scopes = [_scope_spans(scope, told, rejected) for scope in members.items(node, "scopeSpans")]
    return ResourceSpans(resource=Resource(attributes=members.attributes(told)), scope_spans=scopes)


def _scope_spans(node: Any, resource: Any, rejected: list[Rejected]) -> ScopeSpans:
    scope = members.member(node, "scope")
    made = ScopeSpans(
        scope=InstrumentationScope(name=members.text(scope, "name"), version=members.text(scope, "version"))
    )
    for one in members.items(node, "spans"):
        try:
            made.spans.append(_span(one))
        except members.WRONG as error:
            alone = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [one]}]}]}
            rejected.append(Rejected(json.dumps(alone).encode(), f"The span is not OTLP in JSON: {error}."))
    return made


def _span(node: Any) -> Span:
    status = members.member(node, "status")
    return Span(
        trace_id=members.identifier(node, "traceId"),
        span_id=members.identifier(node, "spanId"),
        parent_span_id=members.identifier(node, "parentSpanId"),
        trace_state=members.text(node, "traceState"),
        flags=members.integer(node, "flags"),
        name=members.text(node, "name"),
        kind=members.enum(node, "kind", Span.SpanKind.Value),
        start_time_unix_nano=members.integer(node, "startTimeUnixNano"),
        end_time_unix_nano=members.integer(node, "endTimeUnixNano"),
        attributes=members.attributes(node),
        events=[_event(event) for event in members.items(node, "events")],
        links=[_link(link) for link in members.items(node, "links")],
        status=Status(
            message=members.text(status, "message"), code=members.enum(status, "code", Status.StatusCode.Value)
        ),
    )


def _event(node: Any) -> Span.Event:
    moment, name = members.integer(node, "timeUnixNano"), members.text(node, "name")
    return Span.Event(time_unix_nano=moment, name=name, attributes=members.attributes(node))


def _link(node: Any) -> Span.Link:
    return Span.Link(
        trace_id=members.identifier(node, "traceId"),
        span_id=members.identifier(node, "spanId"),
        trace_state=members.text(node, "traceState"),
        attributes=members.attributes(node),
    )
