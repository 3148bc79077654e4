"""OTLP trace requests in JSON, turned into protobuf, so that one path follows.

Protobuf's own JSON reader would not do: OTLP's ids are hex where it expects base64, and one bad span would cost all.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tokentrace_collector.otlp import decode
from tokentrace_collector.otlp.decode import Accepted, Rejected, UndecodableError

_WRONG = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What a member of another type than OTLP's raises where it is used."""


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
        for resource_spans in _list(_parsed(text), "resourceSpans"):
            request.resource_spans.append(_resource_spans(resource_spans, rejected))
    except _WRONG as error:
        raise UndecodableError(f"The body is not an OTLP trace request in JSON: {error}.") from error
    return request, rejected


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # The slow reader lets half a character pass, so that only the span that has it is lost.
        return json.loads(text)


def _resource_spans(node: Any, rejected: list[Rejected]) -> ResourceSpans:
    told = _member(node, "resource")
    scopes = [_scope_spans(scope, told, rejected) for scope in _list(node, "scopeSpans")]
    return ResourceSpans(resource=Resource(attributes=_attributes(told)), scope_spans=scopes)


def _scope_spans(node: Any, resource: Any, rejected: list[Rejected]) -> ScopeSpans:
    scope = _member(node, "scope")
    made = ScopeSpans(scope=InstrumentationScope(name=_text(scope, "name"), version=_text(scope, "version")))
    for one in _list(node, "spans"):
        try:
            made.spans.append(_span(one))
        except _WRONG as error:
            alone = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [one]}]}]}
            rejected.append(Rejected(json.dumps(alone).encode(), f"The span is not OTLP in JSON: {error}."))
    return made


def _span(node: Any) -> Span:
    status = _member(node, "status")
    return Span(
        trace_id=_id(node, "traceId"),
        span_id=_id(node, "spanId"),
        parent_span_id=_id(node, "parentSpanId"),
        trace_state=_text(node, "traceState"),
        flags=_integer(node, "flags"),
        name=_text(node, "name"),
        kind=_enum(node, "kind", Span.SpanKind.Value),
        start_time_unix_nano=_integer(node, "startTimeUnixNano"),
        end_time_unix_nano=_integer(node, "endTimeUnixNano"),
        attributes=_attributes(node),
        events=[_event(event) for event in _list(node, "events")],
        links=[_link(link) for link in _list(node, "links")],
        status=Status(message=_text(status, "message"), code=_enum(status, "code", Status.StatusCode.Value)),
    )


def _event(node: Any) -> Span.Event:
    moment, name = _integer(node, "timeUnixNano"), _text(node, "name")
    return Span.Event(time_unix_nano=moment, name=name, attributes=_attributes(node))


def _link(node: Any) -> Span.Link:
    return Span.Link(
        trace_id=_id(node, "traceId"),
        span_id=_id(node, "spanId"),
        trace_state=_text(node, "traceState"),
        attributes=_attributes(node),
    )


def _attributes(node: Any) -> list[KeyValue]:
    return _pairs(_list(node, "attributes"))


def _pairs(pairs: Iterable[Any]) -> list[KeyValue]:
    return [KeyValue(key=_text(pair, "key"), value=_value(_member(pair, "value"))) for pair in pairs]


def _value(node: Any) -> AnyValue:
    value = AnyValue()
    for name, write in _WRITERS.items():
        if node.get(name) is not None:
            write(value, node[name])
    return value


def _write_list(value: AnyValue, node: Any) -> None:
    value.array_value.SetInParent()
    value.array_value.values.extend(_value(item) for item in _list(node, "values"))


def _write_map(value: AnyValue, node: Any) -> None:
    value.kvlist_value.SetInParent()
    value.kvlist_value.values.extend(_pairs(_list(node, "values")))


_WRITERS: Mapping[str, Callable[[AnyValue, Any], None]] = {
    "stringValue": lambda value, node: setattr(value, "string_value", node),
    "boolValue": lambda value, node: setattr(value, "bool_value", node),
    "intValue": lambda value, node: setattr(value, "int_value", _as_integer(node)),
    "doubleValue": lambda value, node: setattr(value, "double_value", float(node)),
    "bytesValue": lambda value, node: setattr(value, "bytes_value", base64.b64decode(node, validate=True)),
    "arrayValue": _write_list,
    "kvlistValue": _write_map,
}


def _member(node: Any, name: str) -> Any:
    found = node.get(name)
    return {} if found is None else found


def _list(node: Any, name: str) -> list[Any]:
    found: Any = node.get(name)
    if found is None:
        return []
    if not _is_list(found):
        raise TypeError(f"{name} is not a list")
    return found


def _is_list(node: Any) -> TypeGuard[list[Any]]:
    return isinstance(node, list)


def _text(node: Any, name: str) -> str:
    return node.get(name) or ""


def _id(node: Any, name: str) -> bytes:
    return bytes.fromhex(_text(node, name))


def _integer(node: Any, name: str) -> int:
    return _as_integer(node.get(name) or 0)


def _as_integer(node: Any) -> int:
    """An integer that JSON gives as a number or, where it may exceed 53 bits, as text."""
    if isinstance(node, float) and not node.is_integer():
        raise ValueError(f"{node} is not an integer")
    return int(node)


def _enum(node: Any, name: str, value: Callable[[str], int]) -> Any:
    """An enum by number, as OTLP has it; by name too, because some senders write protobuf's own JSON."""
    found = node.get(name) or 0
    if isinstance(found, str) and not found.lstrip("-").isdigit():
        return value(found)
    return int(found)
