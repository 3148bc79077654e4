"""The outline of a trace request: its spans still closed, so that one that is broken spoils no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED

_SHAPE = {
    "ScopeSpans": (("scope", 1, _ONE, ""), ("spans", 2, _MANY, "")),
    "ResourceSpans": (("resource", 1, _ONE, ""), ("scope_spans", 2, _MANY, ".shell.ScopeSpans")),
    "Request": (("resource_spans", 1, _MANY, ".shell.ResourceSpans"),),
}
"""OTLP's messages with everything below the list of spans left as bytes: name, number, label, message type."""


@dataclass(frozen=True, slots=True)
class Group:
    """Spans of one resource and scope, all undecoded."""

    resource: bytes
    scope: bytes
    spans: tuple[bytes, ...]


def read(body: bytes) -> Iterator[Group]:
    """The groups of spans in a request; raises protobuf's DecodeError at once if not even these can be told apart."""
    request = _Request.FromString(body)
    return (
        Group(resource_spans.resource, scope_spans.scope, tuple(scope_spans.spans))
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
    )


def single(group: Group, span: bytes) -> bytes:
    """A request of one span, with the resource and scope of its group, as they came."""
    scope_spans = {"scope": group.scope, "spans": [span]}
    content: bytes = _Request(
        resource_spans=[{"resource": group.resource, "scope_spans": [scope_spans]}]
    ).SerializeToString()
    return content


def _request_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="shell.proto", package="shell", syntax="proto3")
    for name, fields in _SHAPE.items():
        message = file.message_type.add(name=name)
        for field, number, label, of in fields:
            kind = _FIELD.TYPE_MESSAGE if of else _FIELD.TYPE_BYTES
            message.field.add(name=field, number=number, label=label, type=kind, type_name=of or None)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shell.Request"))


_Request = _request_class()
