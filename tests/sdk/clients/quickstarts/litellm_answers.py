"""What the providers behind `litellm` answer, and what is counted in it."""

from __future__ import annotations

from typing import Any

from shapes.api import data, named
from shapes.provider import Answer

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5-2025-08-07",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 90,
        "completion_tokens": 75,
        "total_tokens": 165,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 60},
    },
}
CHAT_TOKENS = {"input_text": 26, "cache_read": 64, "output_text": 15, "output_reasoning": 60}


def _chunk(choices: list[Any], **more: Any) -> bytes:
    return data(CHAT | {"object": "chat.completion.chunk", "choices": choices, "usage": None} | more)


CHUNKS = (
    _chunk([{"index": 0, "delta": {"role": "assistant", "content": "Fine."}, "finish_reason": None}]),
    _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
    _chunk([], usage=CHAT["usage"]),
    b"data: [DONE]\n\n",
)

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Fine."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 12,
        "cache_read_input_tokens": 2000,
        "cache_creation_input_tokens": 300,
        "output_tokens": 7,
        "service_tier": "standard",
    },
}
MESSAGE_TOKENS = {"input_text": 12, "cache_read": 2000, "cache_write_5m": 300, "output_text": 7}
BEGUN = {"content": [], "stop_reason": None, "usage": MESSAGE["usage"] | {"output_tokens": 1}}
BLOCK = {"type": "text", "text": ""}
EVENTS = tuple(
    named(event)
    for event in (
        {"type": "message_start", "message": MESSAGE | BEGUN},
        {"type": "content_block_start", "index": 0, "content_block": BLOCK},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Fine."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )
)

VECTORS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}
RANKED = {
    "id": "r1",
    "results": [{"index": 0, "relevance_score": 0.9}],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
}


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5-2025-08-07",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "output": [
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "-"}},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Fine.", "annotations": []}],
        },
    ],
    "usage": {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 64},
        "output_tokens": 75,
        "output_tokens_details": {"reasoning_tokens": 60},
        "total_tokens": 165,
    },
}
RESPONSE_EVENTS = tuple(
    named(event)
    for event in (
        {
            "type": "response.created",
            "sequence_number": 0,
            "response": RESPONSE | {"status": "in_progress", "output": [], "usage": None},
        },
        {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "item_id": "msg_1",
            "output_index": 1,
            "content_index": 0,
            "delta": "Fine.",
            "logprobs": [],
        },
        {"type": "response.completed", "sequence_number": 2, "response": RESPONSE},
    )
)
COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [{"index": 0, "text": "Fine.", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}
LINKS = {"created": 1, "data": [{"url": "https://host/1.png"}, {"url": "https://host/2.png"}]}
HEARD = {"task": "transcribe", "language": "english", "text": "Hello.", "duration": 12.5, "segments": []}
SOUND = Answer(200, {"content-type": "audio/mpeg"}, (b"ID3" * 64,))
