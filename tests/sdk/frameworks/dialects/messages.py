"""Messages of Anthropic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapes.api import named

from frameworks.turn import Turn


def _message(turn: Turn, number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": _blocks(turn, number),
        "stop_reason": "tool_use" if turn.uses else "end_turn",
        "stop_sequence": None,
        "usage": _usage(turn),
    }


def _usage(turn: Turn) -> dict[str, Any]:
    tokens = turn.tokens
    return {
        "input_tokens": tokens.input - tokens.cached,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
    }


def _blocks(turn: Turn, number: int) -> list[dict[str, Any]]:
    said = [{"type": "text", "text": turn.text}] if turn.text else []
    return said + [
        {"type": "tool_use", "id": f"toolu_{number}_{place}", "name": use.tool, "input": use.arguments}
        for place, use in enumerate(turn.uses)
    ]


def whole(turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
    """The body of a complete answer."""
    return _message(turn, number, asked)


def events(turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The events of a streamed one."""
    return tuple(map(named, _told(turn, number, asked)))


def _told(turn: Turn, number: int, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    message = _message(turn, number, asked)
    begun = message | {"content": [], "stop_reason": None, "usage": message["usage"] | {"output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    blocks = [(block, None) for block in message["content"] if block["type"] == "text"]
    blocks += list(zip((block for block in message["content"] if block["type"] == "tool_use"), turn.uses, strict=True))
    for place, (block, use) in enumerate(blocks):
        empty = block | ({"text": ""} if use is None else {"input": {}})
        yield {"type": "content_block_start", "index": place, "content_block": empty}
        text = {"type": "text_delta", "text": turn.text}
        delta = text if use is None else {"type": "input_json_delta", "partial_json": use.written}
        yield {"type": "content_block_delta", "index": place, "delta": delta}
        yield {"type": "content_block_stop", "index": place}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": _usage(turn)}
    yield {"type": "message_stop"}
