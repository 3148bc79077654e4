"""What a provider answers that speaks OpenAI's Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapes.api import data


def completion(model: str, usage: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A whole answer."""
    message = {"role": "assistant", "content": "Fast."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return _named(model) | {"object": "chat.completion", "choices": [choice], "usage": usage} | more


def chunks(model: str, usage: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The answer as a stream, with the counts beside the last choice."""
    parts = ({"role": "assistant", "content": ""}, None), ({"content": "Fast."}, None), ({}, "stop")
    told = [
        _named(model)
        | {"object": "chat.completion.chunk"}
        | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in parts
    ]
    told[-1]["usage"] = usage
    return (*map(data, told), b"data: [DONE]\n\n")


def text(model: str, usage: Mapping[str, Any]) -> dict[str, Any]:
    """A whole answer of the legacy completions."""
    choice = {"index": 0, "text": "A night it was.", "finish_reason": "stop", "logprobs": None}
    return _named(model) | {"object": "text_completion", "choices": [choice], "usage": usage}


def _named(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1, "model": model, "system_fingerprint": "fp_1"}
