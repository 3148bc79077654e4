"""ClickHouse's Native format as newer clients ask for it: the embedded engine writes only the oldest revision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clickhouse_connect.datatypes import registry
from clickhouse_connect.driver.buffer import ResponseBuffer
from clickhouse_connect.driver.query import QueryContext

_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""What stands before a block: it is no overflow, and of no bucket of an aggregation."""
_FORMATS = {"Date*": "int", "Time*": "int", "IPv*": "int", "UUID": "string"}
_SERIALIZATIONS = 54_454
"""From this revision on each column says whether it is written in another way than usual: none is."""


class _Whole:
    """A source of bytes that are all there."""

    def __init__(self, content: bytes) -> None:
        self.gen: Iterator[bytes] = iter((content,))

    def close(self) -> None:
        """Nothing is open."""


def framed(content: bytes, revision: int) -> bytes:
    """Blocks with what a client of a revision expects around them."""
    if not content:
        return content
    source: Any = ResponseBuffer(_Whole(content))
    # As numbers and text: only these are read from a source in Python, whose place is known.
    context = QueryContext(query_formats=_FORMATS)
    parts: list[bytes] = []
    # The one chunk there is is taken with the first byte, so that the place in it is the place in the content.
    source.read_byte()
    source.buf_loc = 0
    while source.buf_loc < len(content):
        start = source.buf_loc
        columns, rows = source.read_leb128(), source.read_leb128()
        parts += [_INFO, content[start : source.buf_loc]]
        for _ in range(columns):
            start = source.buf_loc
            source.read_leb128_str()
            kind = registry.get_from_name(source.read_leb128_str())
            parts.append(content[start : source.buf_loc])
            if revision >= _SERIALIZATIONS:
                parts.append(b"\x00")
            start = source.buf_loc
            if rows:
                kind.read_column(source, rows, context)
            parts.append(content[start : source.buf_loc])
    return b"".join(parts)
