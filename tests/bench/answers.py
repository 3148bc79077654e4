"""What the model answers in the benchmarks of the SDK: a whole completion, and a stream of many chunks."""

from __future__ import annotations

import json
from typing import Any

USAGE = {
    "prompt_tokens": 812,
    "completion_tokens": 1544,
    "total_tokens": 2356,
    "prompt_tokens_details": {"cached_tokens": 512, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1408, "audio_tokens": 0},
}
HEAD = {"id": "chatcmpl-1", "created": 1760000000, "model": "gpt-5-2025-08-07"}
MESSAGE = {"role": "assistant", "content": "The answer is forty-two. " * 8, "refusal": None}
ANSWER: dict[str, Any] = HEAD | {
    "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": MESSAGE}],
    "usage": USAGE,
}
CONVERSATION = [{"role": "system", "content": "You are terse. " * 40}] + [
    {"role": "assistant" if turn % 2 else "user", "content": "An earlier turn of the conversation. " * 20}
    for turn in range(9)
]
"""What is asked: ten messages."""


def events(chunks: int) -> list[bytes]:
    """A stream of so many chunks of text, and its end with the usage."""
    chunk = HEAD | {"object": "chat.completion.chunk", "usage": None}
    texts = [chunk | {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}] * chunks
    end = chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    parts = [*texts, end, chunk | {"choices": [], "usage": USAGE}]
    return [f"data: {json.dumps(part)}\n\n".encode() for part in parts] + [b"data: [DONE]\n\n"]
