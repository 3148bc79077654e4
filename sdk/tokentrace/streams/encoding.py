"""Content encodings of HTTP bodies: compressed as the client has asked for."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import cast

from tokentrace.guard import log

_OPTIONAL = {
    "br": (("brotli", "Decompressor", "process"), ("brotlicffi", "Decompressor", "process")),
    "zstd": (
        ("compression.zstd", "ZstdDecompressor", "decompress"),
        ("backports.zstd", "ZstdDecompressor", "decompress"),
    ),
}
"""Encodings whose libraries are there where the HTTP client asked for them: module, class, method."""


def decoder(encoding: str | None) -> Callable[[bytes], bytes] | None:
    """Undoes the content encoding of a body; None where there is nothing to undo."""
    if not encoding or encoding.lower() == "identity":
        return None
    if encoding.lower() in {"gzip", "x-gzip", "deflate"}:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress
    for module, function, decompress in _OPTIONAL.get(encoding.lower(), ()):
        with suppress(ImportError):
            decompressor = getattr(import_module(module), function)()
            return cast("Callable[[bytes], bytes]", getattr(decompressor, decompress))
    return _unreadable(encoding)


def _unreadable(encoding: str) -> Callable[[bytes], bytes]:
    log.warning("A streamed response is encoded as %r, which cannot be read here; its usage is missing.", encoding)
    return lambda _: b""
