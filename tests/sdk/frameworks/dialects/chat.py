"""Chat Completions, as OpenAI and all who speak like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shapes.api import data

from frameworks.turn import Turn


def usage(turn: Turn) -> dict[str, Any]:
    """What is billed."""
    tokens = turn.tokens
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _head(number: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "created": 1, "model": asked["model"]}


def _uses(turn: Turn, number: int) -> list[dict[str, Any]]:
    return [
        {
            "index": place,
            "id": f"call_{number}_{place}",
            "type": "function",
            "function": {"name": use.tool, "arguments": use.written},
        }
        for place, use in enumerate(turn.uses)
    ]


def whole(turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
    """The body of a complete answer."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None}
    if turn.uses:
        message["tool_calls"] = [
            {name: value for name, value in use.items() if name != "index"} for use in _uses(turn, number)
        ]
    choice = {"index": 0, "finish_reason": _finish(turn), "logprobs": None, "message": message}
    return _head(number, asked) | {"object": "chat.completion", "choices": [choice], "usage": usage(turn)}


def events(turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The events of a streamed one, with the usage where it is asked for."""
    head = _head(number, asked) | {"object": "chat.completion.chunk", "usage": None}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return data(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]})

    told = [chunk({"role": "assistant", "content": ""})]
    told += [chunk({"content": word}) for word in re.findall(r"\S+\s*", turn.text)]
    told += [chunk({"tool_calls": [use]}) for use in _uses(turn, number)]
    told.append(chunk({}, _finish(turn)))
    if (asked.get("stream_options") or {}).get("include_usage"):
        told.append(data(head | {"choices": [], "usage": usage(turn)}))
    return (*told, b"data: [DONE]\n\n")


def _finish(turn: Turn) -> str:
    return "tool_calls" if turn.uses else "stop"
