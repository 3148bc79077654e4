"""One file of the spool: framed records, found again whatever an end in the middle of a write has left."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"TTs1"
_FIXED = struct.Struct("<4sIII")
"""Magic, number of spans, length and CRC-32 of the body; then the CRC-32 of these, and the mark."""
_CHECK = struct.Struct("<IB")
HEADER = _FIXED.size + _CHECK.size
MARK = HEADER - 1
"""Where in a header the mark stands: the one byte that is written twice."""

DONE = 0xFF
"""The mark of a record that needs no delivery any more; any other is how often it was refused."""


@dataclass(slots=True, eq=False)
class Record:
    """Where in its file a batch is."""

    offset: int
    spans: int
    length: int
    refused: int = 0

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + HEADER + self.length


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds."""

    records: list[Record]
    """Those that wait for their delivery, in the order they were written."""

    lost: int
    """Spans that cannot be read any more; one for a stretch without a header that would tell how many."""


def frame(payload: bytes, spans: int) -> bytes:
    """A record as it is written: `payload` holds so many spans."""
    body = zlib.compress(payload, 1)
    fixed = _FIXED.pack(MAGIC, spans, len(body), zlib.crc32(body))
    return fixed + _CHECK.pack(zlib.crc32(fixed), 0) + body


def payload(framed: bytes) -> bytes | None:
    """What was framed; None where it is not what was written."""
    fixed = _FIXED.unpack_from(framed)
    body = framed[HEADER:]
    return zlib.decompress(body) if zlib.crc32(body) == fixed[3] else None


def scan(data: bytes) -> Found:
    """The records of a file."""
    records: list[Record] = []
    lost = 0
    expected = at = 0
    while (at := data.find(MAGIC, at)) >= 0:
        if (header := _header(data, at)) is None:
            at += 1
            continue
        record, crc, mark = header
        if at > expected >= 0:
            lost += 1
        if len(data) < record.end or zlib.crc32(data[at + HEADER : record.end]) != crc:
            if mark != DONE:
                lost += record.spans
            # Where the next begins is not known: the length is right, but bytes may be missing.
            at, expected = at + HEADER, -1
            continue
        if mark != DONE:
            record.refused = mark
            records.append(record)
        at = expected = record.end
    if 0 <= expected < len(data):
        lost += 1
    return Found(records, lost)


def _header(data: bytes, at: int) -> tuple[Record, int, int] | None:
    """Record, CRC of its body, and mark; None where no header stands."""
    if len(data) < at + HEADER:
        return None
    _, spans, length, crc = _FIXED.unpack_from(data, at)
    check, mark = _CHECK.unpack_from(data, at + _FIXED.size)
    if check != zlib.crc32(data[at : at + _FIXED.size]):
        return None
    return Record(at, spans, length), crc, mark
