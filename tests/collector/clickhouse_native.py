"""ClickHouse's Native format as clients of its newer protocol read it, and the frames in which they compress it."""

from collections.abc import Iterator, Sequence

import lz4.block
from backports import zstd

NEWER = 54_454
"""The protocol since which a block has a head and each column says how it is written."""

_HEAD, _METHOD = 16, 9
_PIECE = 16
_MASK = (1 << 64) - 1
_K0, _K1, _K2, _K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557
_WIDTHS = {"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8}


def block(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]) -> bytes:
    """One block, of columns by name and type; only what handshakes ask for is known: texts and unsigned numbers."""
    head = bytes([1, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0])
    parts = [head, _number(len(columns)), _number(len(rows))]
    for place, (name, kind) in enumerate(columns):
        parts += [_text(name), _text(kind), b"\0"]
        parts += [_value(row[place], kind) for row in rows]
    return b"".join(parts)


def _value(value: object, kind: str) -> bytes:
    if kind == "String":
        return _text(str(value))
    return int(str(value)).to_bytes(_WIDTHS[kind], "little")


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _number(len(encoded)) + encoded


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def framed(content: bytes) -> bytes:
    """Content in frames that are not compressed, so short that the simplest case of their checksum is enough."""
    return b"".join(_frame(content[start : start + _PIECE]) for start in range(0, len(content), _PIECE))


def _frame(piece: bytes) -> bytes:
    body = b"\x02" + (len(piece) + _METHOD).to_bytes(4, "little") + len(piece).to_bytes(4, "little") + piece
    return _checksum(body) + body


def unframed(sent: bytes) -> bytes:
    """What a client compressed."""
    return b"".join(_pieces(sent))


def _pieces(sent: bytes) -> Iterator[bytes]:
    while sent:
        method, size = sent[_HEAD], int.from_bytes(sent[_HEAD + 1 : _HEAD + 5], "little")
        plain = int.from_bytes(sent[_HEAD + 5 : _HEAD + 9], "little")
        content, sent = sent[_HEAD + _METHOD : _HEAD + size], sent[_HEAD + size :]
        if method == 0x82:
            yield lz4.block.decompress(content, uncompressed_size=plain)
        else:
            yield zstd.decompress(content) if method == 0x90 else content


def _checksum(body: bytes) -> bytes:
    """CityHash128 in the version of ClickHouse (1.0.2), for 8 to 32 bytes."""
    if len(body) >= 16:
        rest, low, high = body[16:], _word(body) ^ _K3, _word(body, 8)
    else:
        rest, low, high = b"", _word(body) ^ (len(body) * _K0 & _MASK), _word(body, len(body) - 8) ^ _K1
    a = _mix(low * _K1) * _K1 & _MASK
    c = (high * _K1 + _short(rest)) & _MASK
    d = _mix(a + (_word(rest) if len(rest) >= 8 else c))
    a, b = _both(a, c), _both(d, high)
    return (a ^ b).to_bytes(8, "little") + _both(b, a).to_bytes(8, "little")


def _short(content: bytes) -> int:
    size = len(content)
    if size > 8:
        a, b = _word(content), _word(content, size - 8)
        return _both(a, _turned(b + size, size)) ^ b
    if size >= 4:
        return _both(size + (_word(content, 0, 4) << 3), _word(content, size - 4, 4))
    if size:
        y, z = content[0] + (content[size >> 1] << 8), size + (content[-1] << 2)
        return _mix(y * _K2 ^ z * _K3) * _K2 & _MASK
    return _K2


def _word(content: bytes, start: int = 0, size: int = 8) -> int:
    return int.from_bytes(content[start : start + size], "little")


def _mix(value: int) -> int:
    value &= _MASK
    return value ^ (value >> 47)


def _turned(value: int, by: int) -> int:
    value &= _MASK
    return (value >> by | value << (64 - by)) & _MASK


def _both(low: int, high: int) -> int:
    low, high, factor = low & _MASK, high & _MASK, 0x9DDFEA08EB382D69
    a = _mix((low ^ high) * factor)
    return _mix((high ^ a) * factor) * factor & _MASK
