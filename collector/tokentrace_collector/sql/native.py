"""ClickHouse's Native format as newer clients ask for it: the embedded engine writes only the oldest revision.

What a newer one has more stands around columns, so only their sizes must be known, not what is in them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tokentrace_collector.sql.errors import Code, QuestionError

_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""What stands before a block: it is no overflow, and of no bucket of an aggregation."""

_SERIALIZATIONS = 54_454
"""From this revision on each column says whether it is written in another way than usual: none is."""

_SIZES = {
    1: "UInt8 Int8 Bool Enum8 Nothing",
    2: "UInt16 Int16 Enum16 Date BFloat16",
    4: "UInt32 Int32 Float32 Date32 DateTime Time IPv4 Decimal32",
    8: "UInt64 Int64 Float64 DateTime64 Time64 Decimal64",
    16: "UInt128 Int128 Decimal128 UUID IPv6",
    32: "UInt256 Int256 Decimal256",
}
_FIXED = {name: size for size, names in _SIZES.items() for name in names.split()}

_DIGITS = {9: 4, 18: 8, 38: 16, 76: 32}
"""The size of a decimal, by the most digits it has."""

_SAME = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}
_NAMED = re.compile(r"(?:`(?:[^`\\]|\\.)*`|\w+) (?P<type>\w.*)", re.DOTALL)
_PARTS = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[(),]|[^'`(),]+", re.DOTALL)


class _Type(NamedTuple):
    name: str
    parts: tuple[str, ...]


def framed(content: bytes, revision: int) -> bytes:
    """Blocks with what a client of a revision expects around them."""
    parts: list[bytes] = []
    mark = b"\x00" if revision >= _SERIALIZATIONS else b""
    place = 0
    while place < len(content):
        start = place
        columns, place = _number(content, place)
        rows, place = _number(content, place)
        parts += [_INFO, content[start:place]]
        for _ in range(columns):
            start = place
            place = _after_text(content, place)
            kind_at = place
            place = _after_text(content, place)
            kind = content[_number(content, kind_at)[1] : place].decode()
            parts += [content[start:place], mark]
            start = place
            if rows:
                place = _after(content, place + _prefix(kind), kind, rows)
            parts.append(content[start:place])
    return b"".join(parts)


def _prefix(kind: str) -> int:
    """The bytes of versions before the data of a column."""
    name, parts = _read(kind)
    if name == "LowCardinality":
        return 8
    if name in _FIXED or name in {"FixedString", "String", "Decimal", "SimpleAggregateFunction"}:
        return _prefix(parts[-1]) if name == "SimpleAggregateFunction" else 0
    return sum(_prefix(part) for part in parts)


def _after(content: bytes, place: int, kind: str, rows: int) -> int:  # noqa: PLR0911 - one return per kind of type
    """Where the data of a column ends."""
    name, parts = _read(kind)
    if size := _size(name, parts):
        return place + size * rows
    if name == "String":
        for _ in range(rows):
            place = _after_text(content, place)
        return place
    if name == "Nullable":
        return _after(content, place + rows, parts[0], rows)
    if name == "LowCardinality":
        return _after_words(content, place, _bare(parts[0]), rows)
    if name == "Array":
        place += 8 * rows
        inner = int.from_bytes(content[place - 8 : place], "little") if rows else 0
        return _after(content, place, parts[0], inner)
    if name == "Tuple":
        for part in parts:
            place = _after(content, place, part, rows)
        return place if parts else place + rows
    return _after(content, place, parts[-1], rows)


def _after_words(content: bytes, place: int, kind: str, rows: int) -> int:
    """The same, of a column of words that are written once and then by their number."""
    left = rows
    while left:
        width = 1 << (content[place] & 0xFF)
        keys = int.from_bytes(content[place + 8 : place + 16], "little")
        place = _after(content, place + 16, kind, keys)
        written = int.from_bytes(content[place : place + 8], "little")
        place += 8 + width * written
        left -= written
    return place


def _size(name: str, parts: tuple[str, ...]) -> int:
    if name == "FixedString":
        return int(parts[0])
    if name == "Decimal":
        return next(size for digits, size in _DIGITS.items() if int(parts[0]) <= digits)
    return 8 if name.startswith("Interval") else _FIXED.get(name, 0)


def _bare(kind: str) -> str:
    """The type of words, of which NULL is one like others."""
    name, parts = _read(kind)
    return parts[0] if name == "Nullable" else kind


@cache
def _read(kind: str) -> _Type:
    """A type and what it is made of, in the terms of the others."""
    kind = _SAME.get(kind, kind)
    name, _, rest = kind.partition("(")
    parts = tuple(_split(rest[:-1])) if rest else ()
    if name in {"Tuple", "Nested"}:
        parts = tuple(named["type"] if (named := _NAMED.fullmatch(part)) else part for part in parts)
    if name == "Nested":
        return _Type("Array", (f"Tuple({', '.join(parts)})",))
    if name == "Map":
        return _Type("Array", (f"Tuple({', '.join(parts)})",))
    known = {"Array", "FixedString", "LowCardinality", "Nullable", "SimpleAggregateFunction", "String", "Tuple"}
    if not (_size(name, parts) or name in known):
        raise QuestionError(
            Code.NOT_IMPLEMENTED,
            f"A column of {kind} cannot be sent to this client. Write toString of it, or use JSON.",
        )
    return _Type(name, parts)


def _split(text: str) -> list[str]:
    """What stands between the commas of a type that are not within another."""
    parts, depth = [""], 0
    for piece in _PARTS.findall(text):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "," and not depth:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def _number(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no mark
            return number, place
        shift += 7


def _after_text(content: bytes, place: int) -> int:
    size, place = _number(content, place)
    return place + size
