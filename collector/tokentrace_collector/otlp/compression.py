"""Request bodies as sent: compressed, perhaps broken, perhaps meant to burst."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

_CONTAINERS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}

ENCODINGS = ("", "identity", *_CONTAINERS)
"""The values of Content-Encoding that we understand."""


_PIECE = 4 << 10
"""Bytes read at once: what follows the end of a stream is copied, and a body may be made of a million streams."""


class MalformedError(ValueError):
    """A body that is not what its encoding says."""


class TooLargeError(ValueError):
    """A body that exceeds what we take, as sent or decompressed."""


def inflated(body: bytes, encoding: str, *, most: int, grow: Callable[[int], object] = abs) -> bytes:
    """A body without its compression; stops where it would grow beyond `most`, and tells `grow` of each piece of it."""
    if encoding not in _CONTAINERS:
        _check(len(body), most)
        return body
    parts: list[bytes] = []
    rest, left = memoryview(body), most
    # A gzip file may be several in a row.
    while rest:
        stream = zlib.decompressobj(_CONTAINERS[encoding])
        while not stream.eof:
            if not rest:
                raise MalformedError("The compressed body ends too early.")
            piece = rest[:_PIECE]
            part = _decompressed(stream, piece, left)
            rest = rest[len(piece) - len(stream.unused_data) :]
            left -= len(part)
            grow(len(part))
            parts.append(part)
            if left < 0:
                _check(most + 1, most)
    return b"".join(parts)


def _decompressed(stream: Any, piece: memoryview, left: int) -> bytes:
    try:
        # One byte more than allowed tells a stream that just fits from one that does not.
        return bytes(stream.decompress(piece, left + 1))
    except zlib.error as error:
        raise MalformedError(f"The body cannot be decompressed: {error}.") from error


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLargeError(f"The request is larger than {most} bytes after decompression. Send fewer spans at once.")
