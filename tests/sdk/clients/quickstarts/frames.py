"""AWS event streams, as Bedrock sends them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from struct import pack
from typing import Any
from zlib import crc32

from shapes.provider import Answer

AWS = {"content-type": "application/vnd.amazon.eventstream"}


def chunk(event: Mapping[str, Any]) -> bytes:
    """An event of InvokeModel, in its frame."""
    payload = {"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abcdefgh"}
    return frame({":event-type": "chunk", ":message-type": "event"}, payload)


def fault(name: str) -> bytes:
    """The error that ends a stream, in its frame."""
    return frame({":exception-type": name, ":message-type": "exception"}, {"message": "Too many."})


def frame(headers: Mapping[str, str], payload: Any) -> bytes:
    """A frame, with its checksums."""
    head = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    body = json.dumps(payload).encode()
    prelude = pack(">II", 16 + len(head) + len(body), len(head))
    message = prelude + pack(">I", crc32(prelude)) + head + body
    return message + pack(">I", crc32(message))


def streamed(*frames: bytes) -> Answer:
    """A stream whose frames end within the parts that are sent."""
    whole = b"".join(frames)
    return Answer(200, AWS, tuple(whole[start : start + 100] for start in range(0, len(whole), 100)))


def _header(name: bytes, value: bytes) -> bytes:
    return pack("B", len(name)) + name + b"\x07" + pack(">H", len(value)) + value
