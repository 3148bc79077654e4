"""OTLP trace requests in JSON, turned into protobuf, so that one path follows.

Protobuf's own JSON reader would not do: OTLP's ids are hex where it expects base64, and one bad span would cost all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tokentrace_collector import decode
from tokentrace_collector.decode import Accepted, Rejected, UndecodableError

_WRONG = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What a member of another type than OTLP's raises where it is used."""


def accept(text: bytes, *, now: int) -> Accepted:
    """What of a JSON request can be stored, as protobuf."""
    request, rejected = read(text)
    accepted = decode.accept(request.SerializeToString(), now=now)
    return Accepted(accepted.body, accepted.spans, (*rejected, *accepted.rejected))


def read(text: bytes) -> tuple[ExportTraceServiceRequest, list[Rejected]]:
    """The request that JSON describes, and the spans in it that are none."""
    rejected: list[Rejected] = []
    request = ExportTraceServiceRequest()
    try:
        for resource_spans in _list(orjson.loads(text), "resourceSpans"):
            request.resource_spans.append(_resource_spans(resource_spans, rejected))
    except _WRONG as error:
        raise UndecodableError(f"The body is not an OTLP trace request in JSON: {error}.") from error
    return request, rejected


def _resource_spans(json: Any, rejected: list[Rejected]) -> ResourceSpans:
    resource = Resource(attributes=_attributes(_member(json, "resource")))
    scopes = [_scope_spans(scope, rejected) for scope in _list(json, "scopeSpans")]
    return ResourceSpans(resource=resource, scope_spans=scopes)


def _scope_spans(json: Any, rejected: list[Rejected]) -> ScopeSpans:
    scope = _member(json, "scope")
    made = ScopeSpans(scope=InstrumentationScope(name=_text(scope, "name"), version=_text(scope, "version")))
    for one in _list(json, "spans"):
        try:
            made.spans.append(_span(one))
        except _WRONG as error:
            rejected.append(Rejected(orjson.dumps(one), f"The span is not OTLP in JSON: {error}."))
    return made


def _span(json: Any) -> Span:
    status = _member(json, "status")
    return Span(
        trace_id=_id(json, "traceId"),
        span_id=_id(json, "spanId"),
        parent_span_id=_id(json, "parentSpanId"),
        trace_state=_text(json, "traceState"),
        flags=_integer(json, "flags"),
        name=_text(json, "name"),
        kind=_enum(json, "kind", Span.SpanKind.Value),
        start_time_unix_nano=_integer(json, "startTimeUnixNano"),
        end_time_unix_nano=_integer(json, "endTimeUnixNano"),
        attributes=_attributes(json),
        events=[_event(event) for event in _list(json, "events")],
        links=[_link(link) for link in _list(json, "links")],
        status=Status(message=_text(status, "message"), code=_enum(status, "code", Status.StatusCode.Value)),
    )


def _event(json: Any) -> Span.Event:
    moment, name = _integer(json, "timeUnixNano"), _text(json, "name")
    return Span.Event(time_unix_nano=moment, name=name, attributes=_attributes(json))


def _link(json: Any) -> Span.Link:
    return Span.Link(
        trace_id=_id(json, "traceId"),
        span_id=_id(json, "spanId"),
        trace_state=_text(json, "traceState"),
        attributes=_attributes(json),
    )


def _attributes(json: Any) -> list[KeyValue]:
    return _pairs(_list(json, "attributes"))


def _pairs(pairs: Iterable[Any]) -> list[KeyValue]:
    return [KeyValue(key=_text(pair, "key"), value=_value(_member(pair, "value"))) for pair in pairs]


def _value(json: Any) -> AnyValue:
    value = AnyValue()
    for name, write in _WRITERS.items():
        if json.get(name) is not None:
            write(value, json[name])
    return value


def _write_list(value: AnyValue, json: Any) -> None:
    value.array_value.SetInParent()
    value.array_value.values.extend(_value(item) for item in _list(json, "values"))


def _write_map(value: AnyValue, json: Any) -> None:
    value.kvlist_value.SetInParent()
    value.kvlist_value.values.extend(_pairs(_list(json, "values")))


_WRITERS: Mapping[str, Callable[[AnyValue, Any], None]] = {
    "stringValue": lambda value, json: setattr(value, "string_value", json),
    "boolValue": lambda value, json: setattr(value, "bool_value", json),
    "intValue": lambda value, json: setattr(value, "int_value", _as_integer(json)),
    "doubleValue": lambda value, json: setattr(value, "double_value", float(json)),
    "bytesValue": lambda value, json: setattr(value, "bytes_value", base64.b64decode(json, validate=True)),
    "arrayValue": _write_list,
    "kvlistValue": _write_map,
}


def _member(json: Any, name: str) -> Any:
    found = json.get(name)
    return {} if found is None else found


def _list(json: Any, name: str) -> list[Any]:
    found: Any = json.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise TypeError(f"{name} is not a list")
    items: list[Any] = found
    return items


def _text(json: Any, name: str) -> str:
    return json.get(name) or ""


def _id(json: Any, name: str) -> bytes:
    return bytes.fromhex(_text(json, name))


def _integer(json: Any, name: str) -> int:
    return _as_integer(json.get(name) or 0)


def _as_integer(json: Any) -> int:
    """An integer that JSON gives as a number or, where it may exceed 53 bits, as text."""
    if isinstance(json, float) and not json.is_integer():
        raise ValueError(f"{json} is not an integer")
    return int(json)


def _enum(json: Any, name: str, value: Callable[[str], int]) -> Any:
    """An enum by number, as OTLP has it; by name too, because some senders write protobuf's own JSON."""
    found = json.get(name) or 0
    if isinstance(found, str) and not found.lstrip("-").isdigit():
        return value(found)
    return int(found)
