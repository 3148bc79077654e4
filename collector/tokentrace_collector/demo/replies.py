"""Answers in the providers' own wire shapes: OpenAI chat and responses, Anthropic messages, Gemini generateContent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tokentrace_collector.demo import story

Json = dict[str, Any]

_ENCRYPTED = "demo-reasoning-is-not-readable"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, and what the provider will bill for it."""

    id: str
    model: str
    created: int
    text: str
    input_tokens: int
    """All input, cached tokens included."""
    cache_read: int
    cache_written: int
    output_tokens: int
    """Visible output; reasoning comes on top."""
    reasoning_tokens: int


def response(reply: Reply, request: Mapping[str, Any]) -> Json:
    """A body of `POST /v1/responses`."""
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": reply.created,
        "completed_at": reply.created + 1,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "metadata": {},
        "model": reply.model,
        "output": [*_thoughts(reply), _output_message(reply)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": "medium", "summary": None, **request.get("reasoning", {})},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": reply.input_tokens,
            "input_tokens_details": {
                "cached_tokens": reply.cache_read,
                "cache_write_tokens": reply.cache_written,
                "cache_write_tokens_details": {"ttl_30m_tokens": reply.cache_written, "ttl_12h_tokens": 0},
            },
            "output_tokens": reply.output_tokens + reply.reasoning_tokens,
            "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
            "total_tokens": reply.input_tokens + reply.output_tokens + reply.reasoning_tokens,
        },
        "user": None,
    }


def _thoughts(reply: Reply) -> list[Json]:
    if not reply.reasoning_tokens:
        return []
    return [{"id": f"rs_{reply.id}", "type": "reasoning", "summary": [], "encrypted_content": _ENCRYPTED}]


def _output_message(reply: Reply) -> Json:
    text: Json = {"type": "output_text", "annotations": [], "logprobs": [], "text": reply.text}
    return {"id": f"msg_{reply.id}", "type": "message", "status": "completed", "role": "assistant", "content": [text]}


def completion(reply: Reply) -> Json:
    """A body of `POST /v1/chat/completions` at OpenAI."""
    body = plain_completion(reply)
    body["service_tier"] = "default"
    body["usage"] |= {
        "prompt_tokens_details": {
            "cached_tokens": reply.cache_read,
            "cache_write_tokens": reply.cache_written,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reply.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    return body


def plain_completion(reply: Reply) -> Json:
    """The same from an inference server of one's own, which says no more than the totals."""
    message: Json = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    return {
        "id": f"chatcmpl-{reply.id}",
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens + reply.reasoning_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens + reply.reasoning_tokens,
        },
        "system_fingerprint": None,
    }


def message(reply: Reply) -> Json:
    """A body of `POST /v1/messages`."""
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": _message_usage(reply) | {"output_tokens": reply.output_tokens},
    }


def message_events(reply: Reply) -> Iterator[Json]:
    """The same as a stream: the input is known at once, the output only at the end."""
    opening: Json = message(reply) | {
        "content": [],
        "stop_reason": None,
        "usage": _message_usage(reply) | {"output_tokens": 1},
    }
    yield {"type": "message_start", "message": opening}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    for piece in story.pieces(reply.text):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {
            "input_tokens": reply.input_tokens - reply.cache_read - reply.cache_written,
            "cache_creation_input_tokens": reply.cache_written,
            "cache_read_input_tokens": reply.cache_read,
            "output_tokens": reply.output_tokens,
            "output_tokens_details": {"thinking_tokens": 0},
        },
    }
    yield {"type": "message_stop"}


def _message_usage(reply: Reply) -> Json:
    return {
        "input_tokens": reply.input_tokens - reply.cache_read - reply.cache_written,
        "cache_creation_input_tokens": reply.cache_written,
        "cache_read_input_tokens": reply.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": reply.cache_written, "ephemeral_1h_input_tokens": 0},
        "inference_geo": "global",
        "service_tier": "standard",
    }


def content(reply: Reply) -> Json:
    """A body of `POST /v1beta/models/{model}:generateContent`; thoughts stand beside the candidates, not inside."""
    usage: Json = {
        "promptTokenCount": reply.input_tokens,
        "candidatesTokenCount": reply.output_tokens,
        "totalTokenCount": reply.input_tokens + reply.output_tokens + reply.reasoning_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": reply.input_tokens}],
        "serviceTier": "standard",
    }
    if reply.reasoning_tokens:
        usage["thoughtsTokenCount"] = reply.reasoning_tokens
    candidate = {"content": {"parts": [{"text": reply.text}], "role": "model"}, "finishReason": "STOP", "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": reply.model, "responseId": reply.id}


def rate_limited() -> Json:
    """What OpenAI says to a request too many."""
    return {
        "error": {
            "message": "Rate limit reached for requests per minute. Please try again in 50ms.",
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
