"""Events as AWS streams them: binary frames with check sums."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from shapes.provider import Answer

_STRING = 7


def frame(name: str, payload: Any, kind: str = "event") -> bytes:
    """One event, or where `kind` says so an exception."""
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join(_header(key, value) for key, value in headers.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", len(head) + len(body) + 16, len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + body
    return message + struct.pack("!I", zlib.crc32(message))


def frames(events: Sequence[bytes], *, lost: str | None = None, **headers: str) -> Answer:
    """A streamed response, one event per part."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(200, {"content-type": "application/vnd.amazon.eventstream"} | names, tuple(events), lost)


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
