"""Streams of InvokeModel, as Bedrock sends them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from shapes.eventstream import frame, frames
from shapes.provider import Answer


def chunk(event: Mapping[str, Any]) -> bytes:
    """An event of the model's vendor, wrapped and in its frame."""
    return frame("chunk", {"bytes": b64encode(json.dumps(event).encode()).decode(), "p": "abcdefgh"})


def fault(name: str) -> bytes:
    """The error that ends a stream, in its frame."""
    return frame(name, {"message": "Too many."}, "exception")


def streamed(*chunks: bytes) -> Answer:
    """A stream whose frames end within the parts that are sent."""
    whole = b"".join(chunks)
    return frames([whole[start : start + 100] for start in range(0, len(whole), 100)])
