"""Contents of Gemini."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapes.api import data

from frameworks.turn import Turn


def whole(turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
    """The body of a complete answer."""
    parts: list[dict[str, Any]] = [{"text": turn.text}] if turn.text else []
    parts += [{"functionCall": {"name": use.tool, "args": use.arguments}} for use in turn.uses]
    tokens = turn.tokens
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": tokens.input,
            "cachedContentTokenCount": tokens.cached,
            "candidatesTokenCount": tokens.output - tokens.reasoning,
            "thoughtsTokenCount": tokens.reasoning,
            "totalTokenCount": tokens.input + tokens.output,
        },
        "modelVersion": "gemini-3.8-flash",
        "responseId": f"gemini-{number}",
    }


def events(turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The only event of a streamed one."""
    return (data(whole(turn, number, asked)),)
