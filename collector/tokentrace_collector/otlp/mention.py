"""Whom a request that could not be stored is about, as far as it can be read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_USERS = frozenset({"user.id", "enduser.id"})


def is_of(content: bytes, *, user: str = "", traces: Collection[str] = ()) -> bool:
    """Whether an OTLP request names a user, or one of some traces by its hexadecimal id.

    Where it cannot be read, whether the bytes of the name or of an id are in it.
    """
    try:
        if content.lstrip().startswith(b"{"):
            said = set(_of_json(json.loads(content)))
        else:
            said = set(_of_protobuf(ExportTraceServiceRequest.FromString(content)))
    except (ValueError, RecursionError, DecodeError):
        return _is_among(content, user, traces)
    return (bool(user) and ("user", user) in said) or any(("trace", trace) in said for trace in traces)


def _of_json(node: Any) -> Iterator[tuple[str, str]]:
    """Users and trace ids, wherever in a document they stand."""
    if isinstance(node, list):
        for each in cast("Sequence[Any]", node):
            yield from _of_json(each)
    if isinstance(node, dict):
        said = cast("dict[str, Any]", node)
        if said.get("key") in _USERS and isinstance(said.get("value"), dict):
            yield from (("user", str(value)) for value in said["value"].values())
        for name in ("traceId", "trace_id"):
            if isinstance(said.get(name), str):
                yield "trace", said[name].lower()
        for each in said.values():
            yield from _of_json(each)


def _of_protobuf(request: ExportTraceServiceRequest) -> Iterator[tuple[str, str]]:
    for resource_spans in request.resource_spans:
        said = list(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                yield "trace", span.trace_id.hex()
                said += span.attributes
        for attribute in said:
            if attribute.key in _USERS and (kind := attribute.value.WhichOneof("value")):
                yield "user", str(getattr(attribute.value, kind))


def _is_among(content: bytes, user: str, traces: Collection[str]) -> bool:
    if user and (user.encode("utf-8", "surrogatepass") in content or json.dumps(user)[1:-1].encode() in content):
        return True
    lowered = content.lower()
    return any(trace.encode() in lowered or _binary(trace) in content for trace in traces)


def _binary(trace: str) -> bytes:
    try:
        return bytes.fromhex(trace)
    except ValueError:
        return trace.encode()
