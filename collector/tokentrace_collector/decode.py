"""OTLP trace requests, judged: what can be stored, made readable for the engine, and what cannot, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector import shell, values

_LATEST = 1 << 62
"""The year 2116: no later moment is a moment. ClickHouse's days, by which the table is cut, end in 2149."""

_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)

_SIZE = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,4}[\x00-\x7f])"
_MAP = re.compile(rb"\x12(?=(" + _SIZE + rb")[\x32\x3a](" + _SIZE + rb"))", re.DOTALL)
_LIST_OF_MAPS = re.compile(rb"\x2a(?=" + _SIZE + rb"\x0a(" + _SIZE + rb")[\x2a\x32\x3a](" + _SIZE + rb"))", re.DOTALL)
# Walking every attribute in Python costs more than the engine's whole insert, and nearly no request holds what we look
# for: so we look for its bytes, and let the lengths around them tell it from chance.


class UndecodableError(ValueError):
    """A body that is no OTLP trace request at all."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A span that cannot be stored: as received, with the reason."""

    span: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request as it will be stored."""

    body: bytes
    """Protobuf of the spans that can be stored, in the shape the engine reads."""
    spans: int
    rejected: tuple[Rejected, ...] = ()


def accept(body: bytes, *, now: int) -> Accepted:
    """What of a protobuf request can be stored; nearly always all of it, as it is."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError:
        return _rebuilt(body, now)
    spans = 0
    for span in _spans(request):
        spans += 1
        if not _is_sound(span):
            return _rebuilt(body, now)
    return _rebuilt(body, now) if _may_be_nested(body) else Accepted(body, spans)


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


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            yield from scope_spans.spans


def _is_sound(span: Span) -> bool:
    return (
        len(span.trace_id) == len(_NO_TRACE)
        and len(span.span_id) == len(_NO_SPAN)
        and 0 < span.start_time_unix_nano <= span.end_time_unix_nano <= _LATEST
        and span.trace_id != _NO_TRACE
        and span.span_id != _NO_SPAN
    )


def _may_be_nested(body: bytes) -> bool:
    """Whether a value is a map, bytes, or a list that begins with one."""
    for pattern in (_MAP, _LIST_OF_MAPS):
        for match in pattern.finditer(body):
            outer, inner = match.groups()
            if _varint(outer) == 1 + len(inner) + _varint(inner):
                return True
    return False


def _varint(encoded: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(encoded))


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
                rejected.append(Rejected(raw, span))
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
    _flatten(resource.attributes)
    return resource, scope


def _repaired(raw: bytes, now: int) -> Span | str:
    """A span with what the database could not keep put right, or the reason why it cannot be."""
    try:
        span = Span.FromString(raw)
    except DecodeError:
        return "The span is not valid protobuf, or its text is not UTF-8."
    if len(span.trace_id) != len(_NO_TRACE) or span.trace_id == _NO_TRACE:
        return f"The trace id {span.trace_id.hex()!r} is not 16 bytes, one of them not zero."
    if len(span.span_id) != len(_NO_SPAN) or span.span_id == _NO_SPAN:
        return f"The span id {span.span_id.hex()!r} is not 8 bytes, one of them not zero."
    _set_clock(span, now)
    _flatten(span.attributes)
    for event in span.events:
        _flatten(event.attributes)
    for link in span.links:
        _flatten(link.attributes)
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


def _flatten(pairs: Iterable[KeyValue]) -> None:
    """Put values that the engine cannot read into the text that the database keeps of them."""
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in values.SCALARS:
            continue
        items = pair.value.array_value.values if kind == "array_value" else ()
        if kind != "array_value" or any(item.WhichOneof("value") not in values.SCALARS for item in items):
            pair.value.string_value = values.text(pair.value)
