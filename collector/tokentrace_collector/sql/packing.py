"""How an answer is compressed, as a client asks for it."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any

_MODULES = {"zstd": ("compression.zstd", "backports.zstd"), "lz4": ("lz4.frame",)}
"""What compresses, if it is there: ClickHouse's client brings it along where Python has none."""


def packed(content: bytes, accepted: str) -> tuple[bytes, str]:
    """A content in the first of the encodings in an `Accept-Encoding` that is known, and its name; empty if none is."""
    for each in accepted.split(","):
        encoding = each.partition(";")[0].strip()
        if pack := PACKERS.get(encoding):
            return pack(content), encoding
    return content, ""


def _gzipped(content: bytes) -> bytes:
    packer = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _found(names: tuple[str, ...]) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    **{encoding: module.compress for encoding, names in _MODULES.items() if (module := _found(names))},
    "gzip": _gzipped,
    "deflate": zlib.compress,
}
"""Every encoding there is."""
