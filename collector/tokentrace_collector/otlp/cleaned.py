"""OTLP requests from which something is taken out before they are judged; slower, as nothing stays as it was sent."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector.otlp import decode, from_json, logs, logs_json, shell
from tokentrace_collector.otlp.decode import Accepted, Rejected, UndecodableError
from tokentrace_collector.otlp.privacy import Privacy

UNREADABLE = "The span is not valid OTLP, so that nothing can be taken out of it; it is not kept."


def spans(body: bytes, privacy: Privacy, *, is_json: bool, now: int, flatten: bool) -> Accepted:
    """What of a request of traces can be stored."""
    if is_json:
        request, rejected = from_json.read(body)
        broken = len(rejected)
    else:
        request, broken = _decodable(body)
    privacy.clean(request)
    accepted = decode.accept(request.SerializeToString(), now=now, flatten=flatten)
    return replace(accepted, rejected=(*(Rejected(b"", UNREADABLE) for _ in range(broken)), *accepted.rejected))


def records(body: bytes, privacy: Privacy, *, is_json: bool, now: int, flatten: bool) -> Accepted:
    """What of a request of logs is used."""
    read = logs_json.read if is_json else logs.read
    request, unused = read(body)
    privacy.clean(request)
    return replace(decode.accept(request.SerializeToString(), now=now, flatten=flatten), unused=unused)


def _decodable(body: bytes) -> tuple[ExportTraceServiceRequest, int]:
    """The spans of a request that can be looked into, and how many cannot."""
    try:
        return ExportTraceServiceRequest.FromString(body), 0
    except DecodeError:
        pass
    try:
        outline = shell.read(body)
    except DecodeError as error:
        raise UndecodableError("The body is not an OTLP trace request in protobuf.") from error
    request, broken = ExportTraceServiceRequest(), 0
    for group in outline:
        found = [span for raw in group.spans if (span := _span(raw))]
        try:
            resource, scope = Resource.FromString(group.resource), InstrumentationScope.FromString(group.scope)
        except DecodeError:
            broken += len(group.spans)
            continue
        broken += len(group.spans) - len(found)
        if found:
            request.resource_spans.add(resource=resource).scope_spans.add(scope=scope, spans=found)
    return request, broken


def _span(raw: bytes) -> Span | None:
    try:
        return Span.FromString(raw)
    except DecodeError:
        return None
