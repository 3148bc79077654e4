"""Embeddings, as OpenAI."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any

from frameworks.turn import Turn

LENGTH = 8
"""Numbers of a vector."""


def whole(turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
    """A vector for each text: the bytes that it begins with, so that equal texts lie together."""
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    vectors = [_vector(str(text)) for text in texts]
    packed = asked.get("encoding_format") == "base64"
    return {
        "object": "list",
        "model": asked["model"],
        "data": [
            {"object": "embedding", "index": place, "embedding": _packed(vector) if packed else vector}
            for place, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": turn.tokens.input, "total_tokens": turn.tokens.input},
    }


def events(turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Nobody streams vectors."""
    raise AssertionError("embeddings are not streamed")


def _vector(text: str) -> list[float]:
    letters = text.encode()[:LENGTH].ljust(LENGTH, b" ")
    return [letter / 255 for letter in letters]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
