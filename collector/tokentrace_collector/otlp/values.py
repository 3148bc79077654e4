"""OTLP attribute values as text: what the OpenTelemetry Collector's exporter would write."""

import base64
import math
import re
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring

from opentelemetry.proto.common.v1.common_pb2 import AnyValue

SCALARS = frozenset({"string_value", "bool_value", "int_value", "double_value", None})
"""The kinds of value that are text of their own; None is the empty value."""

_EXPANDED = 1e-6, 1e21
"""Between these sizes a number is written without an exponent, as in JavaScript, Go and ClickHouse."""

_CONTROL = re.compile(r"\\u00[01][0-9a-f]|\u2028|\u2029")


def text(value: AnyValue) -> str:
    """A value as it stands in an attribute map: strings bare, lists and maps as JSON, bytes as base64."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value
    if kind == "double_value":
        return number(value.double_value)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return "" if kind in (None, "string_value_strindex") else to_json(value)


def to_json(value: AnyValue) -> str:
    """A value as JSON, letter for letter as ClickHouse writes it."""
    write = _WRITERS.get(value.WhichOneof("value") or "")
    return write(value) if write else "null"


def number(value: float) -> str:
    """The shortest decimal that reads back as this number."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    least, most = _EXPANDED
    if value == 0 or least <= abs(value) < most:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _quoted(string: str) -> str:
    return _CONTROL.sub(_as_clickhouse, encode_basestring(string))


def _as_clickhouse(match: re.Match[str]) -> str:
    found = match[0]
    return f"\\u{ord(found):04X}" if len(found) == 1 else f"\\u00{found[-2:].upper()}"


def _list(value: AnyValue) -> str:
    return "[" + ",".join(to_json(item) for item in value.array_value.values) + "]"


def _map(value: AnyValue) -> str:
    members = {pair.key: to_json(pair.value) for pair in value.kvlist_value.values}
    return "{" + ",".join(f"{_quoted(key)}:{member}" for key, member in members.items()) + "}"


_WRITERS: dict[str, Callable[[AnyValue], str]] = {
    "string_value": lambda value: _quoted(value.string_value),
    "int_value": lambda value: str(value.int_value),
    "bool_value": lambda value: "true" if value.bool_value else "false",
    "double_value": lambda value: number(value.double_value) if math.isfinite(value.double_value) else "null",
    "array_value": _list,
    "kvlist_value": _map,
    "bytes_value": lambda value: _quoted(base64.b64encode(value.bytes_value).decode()),
}
