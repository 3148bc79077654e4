"""OTLP trace requests, judged: what can be stored, made readable for the engine, and what cannot, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector.otlp import nesting, shell

_LATEST = 1 << 62
"""The year 2116: no later moment is a moment. ClickHouse's days, by which the table is cut, end in 2149."""

_TRACE_BYTES, _SPAN_BYTES = 16, 8
_NO_TRACE, _NO_SPAN = bytes(_TRACE_BYTES), bytes(_SPAN_BYTES)


class UndecodableError(ValueError):
    """A body that is no OTLP trace request at all."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A span that cannot be stored, with the reason."""

    request: bytes
    """A request of that span alone, as it was received: protobuf, or JSON."""
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request as it will be stored."""

    body: bytes
    """Protobuf of the spans that can be stored, in the shape the engine reads."""
    spans: int
    rejected: tuple[Rejected, ...] = ()
    unused: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many log records are not used, by the reason."""


def accept(body: bytes, *, now: int, flatten: bool = False) -> Accepted:
    """What of a protobuf request can be stored; nearly always all of it, as it is.

    `flatten` puts values too deep for the engine into text; without it a request is stored as well, but slowly.
    """
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return _rebuilt(body, now)
    spans = _sound_spans(request)
    if spans is None or (flatten and nesting.is_likely(body)):
        return _rebuilt(body, now)
    return Accepted(body, spans)


def split(body: bytes) -> Iterator[bytes]:
    """A request as one request for each of its spans."""
    for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                single = ExportTraceServiceRequest()
                outer = single.resource_spans.add()
                if resource_spans.HasField("resource"):
                    outer.resource.CopyFrom(resource_spans.resource)
                inner = outer.scope_spans.add(spans=[span])
                if scope_spans.HasField("scope"):
                    inner.scope.CopyFrom(scope_spans.scope)
                yield single.SerializeToString()


def identity(body: bytes) -> tuple[str, str]:
    """The trace id and span id, in hexadecimal, of a request of one span."""
    span = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
    return span.trace_id.hex(), span.span_id.hex()


def _sound_spans(request: ExportTraceServiceRequest) -> int | None:
    """How many spans a request has, if all of them can be stored as they are."""
    count = 0
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            count += len(spans)
            for span in spans:
                trace_id, span_id = span.trace_id, span.span_id
                if not (
                    len(trace_id) == _TRACE_BYTES
                    and len(span_id) == _SPAN_BYTES
                    and 0 < span.start_time_unix_nano <= span.end_time_unix_nano <= _LATEST
                    and trace_id != _NO_TRACE
                    and span_id != _NO_SPAN
                ):
                    return None
    return count


def _rebuilt(body: bytes, now: int) -> Accepted:
    """The request put together again, span by span, from those that can be stored."""
    try:
        outline = shell.read(body)
    except DecodeError as error:
        raise UndecodableError("The body is not an OTLP trace request in protobuf.") from error
    request = ExportTraceServiceRequest()
    rejected: list[Rejected] = []
    spans = 0
    for group in outline:
        kept: list[Span] = []
        context = _context(group)
        for raw in group.spans:
            span = _repaired(raw, now) if context else "Its resource or scope is not valid protobuf."
            if isinstance(span, str):
                rejected.append(Rejected(shell.single(group, raw), span))
            else:
                kept.append(span)
        if context and kept:
            resource_spans = request.resource_spans.add(resource=context[0])
            resource_spans.scope_spans.add(scope=context[1], spans=kept)
        spans += len(kept)
    return Accepted(request.SerializeToString(), spans, tuple(rejected))


def _context(group: shell.Group) -> tuple[Resource, InstrumentationScope] | None:
    try:
        resource, scope = Resource.FromString(group.resource), InstrumentationScope.FromString(group.scope)
    except DecodeError:
        return None
    nesting.flatten(resource.attributes)
    return resource, scope


def _repaired(raw: bytes, now: int) -> Span | str:
    """A span with what the database could not keep put right, or the reason why it cannot be."""
    try:
        span = Span.FromString(raw)
    except DecodeError:
        return "The span is not valid protobuf, or its text is not UTF-8."
    if len(span.trace_id) != _TRACE_BYTES or span.trace_id == _NO_TRACE:
        return f"The trace id {span.trace_id.hex()!r} is not 16 bytes, one of them not zero."
    if len(span.span_id) != _SPAN_BYTES or span.span_id == _NO_SPAN:
        return f"The span id {span.span_id.hex()!r} is not 8 bytes, one of them not zero."
    _set_clock(span, now)
    nesting.flatten(span.attributes)
    for event in span.events:
        nesting.flatten(event.attributes)
    for link in span.links:
        nesting.flatten(link.attributes)
    return span


def _set_clock(span: Span, now: int) -> None:
    """Give a span with an impossible time the nearest possible one, and keep what it said."""
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if 0 < start <= end <= _LATEST:
        return
    said = f"start_time_unix_nano={start} end_time_unix_nano={end}"
    span.attributes.add(key="tokentrace.repaired").value.string_value = said
    if not 0 < start <= _LATEST:
        start = end if 0 < end <= _LATEST else now
    span.start_time_unix_nano = start
    span.end_time_unix_nano = end if start <= end <= _LATEST else start
