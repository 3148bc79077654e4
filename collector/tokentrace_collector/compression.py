"""Request bodies as sent: compressed, perhaps broken, perhaps meant to burst."""

from __future__ import annotations

import zlib

_CONTAINERS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}

ENCODINGS = ("", "identity", *_CONTAINERS)
"""The values of Content-Encoding that we understand."""


class MalformedError(ValueError):
    """A body that is not what its encoding says."""


class TooLargeError(ValueError):
    """A body that exceeds what we take, as sent or decompressed."""


def inflated(body: bytes, encoding: str, *, most: int) -> bytes:
    """A body without its compression; stops where it would grow beyond `most`."""
    if encoding not in _CONTAINERS:
        _check(len(body), most)
        return body
    parts: list[bytes] = []
    left = most
    # A gzip file may be several in a row.
    while body:
        part, body = _member(body, _CONTAINERS[encoding], left, most)
        left -= len(part)
        parts.append(part)
    return b"".join(parts)


def _member(body: bytes, container: int, left: int, most: int) -> tuple[bytes, bytes]:
    """The first compressed stream of a body, decompressed, and what follows it."""
    stream = zlib.decompressobj(container)
    try:
        # One byte more than allowed tells a stream that just fits from one that does not.
        part = stream.decompress(body, left + 1)
    except zlib.error as error:
        raise MalformedError(f"The body cannot be decompressed: {error}.") from error
    if len(part) > left:
        _check(most + 1, most)
    if not stream.eof:
        raise MalformedError("The compressed body ends too early.")
    return part, stream.unused_data


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLargeError(f"The request is larger than {most} bytes after decompression. Send fewer spans at once.")
