"""Attribute values deeper than a list of scalars, which the engine does not read: found, and put into text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tokentrace_collector.otlp import values

_SIZE = rb"(?:[\x00-\x7f]|[\x80-\xff]{1,4}[\x00-\x7f])"
_MAP = re.compile(rb"\x12(?=(" + _SIZE + rb")[\x32\x3a](" + _SIZE + rb"))", re.DOTALL)
_LIST_OF_MAPS = re.compile(rb"\x2a(?=" + _SIZE + rb"\x0a(" + _SIZE + rb")[\x2a\x32\x3a](" + _SIZE + rb"))", re.DOTALL)
# Walking every attribute in Python costs more than the engine's whole insert, and nearly no request holds what we look
# for: so we look for its bytes, and let the lengths around them tell it from chance.


def is_likely(body: bytes) -> bool:
    """Whether a value of a request seems to be a map, bytes, or a list that begins with one."""
    for pattern in (_MAP, _LIST_OF_MAPS):
        for match in pattern.finditer(body):
            outer, inner = match.groups()
            if _varint(outer) == 1 + len(inner) + _varint(inner):
                return True
    return False


def flatten(pairs: Iterable[KeyValue]) -> None:
    """Put values that the engine does not read into the text that the database keeps of them."""
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in values.SCALARS:
            continue
        items = pair.value.array_value.values if kind == "array_value" else ()
        if kind != "array_value" or any(item.WhichOneof("value") not in values.SCALARS for item in items):
            pair.value.string_value = values.text(pair.value)


def _varint(encoded: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(encoded))
