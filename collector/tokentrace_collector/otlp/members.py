"""Members of OTLP in JSON, read as protobuf has them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

WRONG = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What a member of another type than OTLP's raises where it is used."""


def parsed(body: bytes) -> Any:
    """What a body of JSON says."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # The slow reader lets half a character pass, so that only the span that has it is lost.
        return json.loads(body)


def attributes(node: Any) -> list[KeyValue]:
    """Its attributes."""
    return pairs(items(node, "attributes"))


def pairs(nodes: Iterable[Any]) -> list[KeyValue]:
    """Keys with their values."""
    return [KeyValue(key=text(node, "key"), value=value_of(member(node, "value"))) for node in nodes]


def value_of(node: Any) -> AnyValue:
    """A value of any type."""
    value = AnyValue()
    for name, write in _WRITERS.items():
        if node.get(name) is not None:
            write(value, node[name])
    return value


def _write_list(value: AnyValue, node: Any) -> None:
    value.array_value.SetInParent()
    value.array_value.values.extend(value_of(item) for item in items(node, "values"))


def _write_map(value: AnyValue, node: Any) -> None:
    value.kvlist_value.SetInParent()
    value.kvlist_value.values.extend(pairs(items(node, "values")))


_WRITERS: Mapping[str, Callable[[AnyValue, Any], None]] = {
    "stringValue": lambda value, node: setattr(value, "string_value", node),
    "boolValue": lambda value, node: setattr(value, "bool_value", node),
    "intValue": lambda value, node: setattr(value, "int_value", _as_integer(node)),
    "doubleValue": lambda value, node: setattr(value, "double_value", float(node)),
    "bytesValue": lambda value, node: setattr(value, "bytes_value", base64.b64decode(node, validate=True)),
    "arrayValue": _write_list,
    "kvlistValue": _write_map,
}


def member(node: Any, name: str) -> Any:
    """A member, empty where there is none."""
    found = node.get(name)
    return {} if found is None else found


def items(node: Any, name: str) -> list[Any]:
    """A list, empty where there is none."""
    found: Any = node.get(name)
    if found is None:
        return []
    if not _is_list(found):
        raise TypeError(f"{name} is not a list")
    return found


def _is_list(node: Any) -> TypeGuard[list[Any]]:
    return isinstance(node, list)


def text(node: Any, name: str) -> str:
    """A text, empty where there is none."""
    return node.get(name) or ""


def identifier(node: Any, name: str) -> bytes:
    """An id, which OTLP writes in hexadecimal."""
    return bytes.fromhex(text(node, name))


def integer(node: Any, name: str) -> int:
    """An integer, 0 where there is none."""
    return _as_integer(node.get(name) or 0)


def _as_integer(node: Any) -> int:
    """An integer that JSON gives as a number or, where it may exceed 53 bits, as text."""
    if isinstance(node, float) and not node.is_integer():
        raise ValueError(f"{node} is not an integer")
    return int(node)


def enum(node: Any, name: str, value: Callable[[str], int]) -> Any:
    """An enum by number, as OTLP has it; by name too, because some senders write protobuf's own JSON."""
    found = node.get(name) or 0
    if isinstance(found, str) and not found.lstrip("-").isdigit():
        return value(found)
    return int(found)
