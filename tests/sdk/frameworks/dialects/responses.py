"""Responses of OpenAI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapes.api import named

from frameworks.turn import Turn


def _response(turn: Turn, number: int, asked: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1,
        "model": asked["model"],
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
        "output": _items(turn, number),
        "usage": _usage(turn),
    } | more


def _usage(turn: Turn) -> dict[str, Any]:
    tokens = turn.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def _items(turn: Turn, number: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if turn.text:
        content = [{"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}]
        said = {"type": "message", "role": "assistant", "status": "completed", "content": content}
        items.append({"id": f"msg_{number}", **said})
    for place, use in enumerate(turn.uses):
        call = {"id": f"fc_{number}_{place}", "call_id": f"call_{number}_{place}", "status": "completed"}
        items.append({"type": "function_call", "name": use.tool, "arguments": use.written, **call})
    return items


def whole(turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
    """The body of a complete answer."""
    return _response(turn, number, asked)


def events(turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The events of a streamed one."""
    return tuple(named({**event, "sequence_number": place}) for place, event in enumerate(_told(turn, number, asked)))


def _told(turn: Turn, number: int, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    begun = _response(turn, number, asked, status="in_progress", output=[], usage=None)
    yield {"type": "response.created", "response": begun}
    for place, item in enumerate(_items(turn, number)):
        yield {"type": "response.output_item.added", "output_index": place, "item": _empty(item)}
        yield from _deltas(item, {"item_id": item["id"], "output_index": place})
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    yield {"type": "response.completed", "response": _response(turn, number, asked)}


def _empty(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "status": "in_progress"} | ({"content": []} if item["type"] == "message" else {"arguments": ""})


def _deltas(item: Mapping[str, Any], where: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if item["type"] == "function_call":
        yield {"type": "response.function_call_arguments.delta", **where, "delta": item["arguments"]}
        done = {"arguments": item["arguments"], "name": item["name"]}
        yield {"type": "response.function_call_arguments.done", **where, **done}
        return
    where = {**where, "content_index": 0}
    (part,) = item["content"]
    yield {"type": "response.content_part.added", **where, "part": part | {"text": ""}}
    yield {"type": "response.output_text.delta", **where, "delta": part["text"], "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}
