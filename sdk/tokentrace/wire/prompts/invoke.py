"""Requests of Bedrock InvokeModel: the body of the model's vendor."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import Piece
from tokentrace.wire.prompts import chat, cohere, converse, messages
from tokentrace.wire.prompts.fields import field, listed, request


def compose(asked: Any) -> list[Piece]:
    """As the vendor composes it, by the fields that only his bodies have."""
    ask = request(request(asked)("body"))
    body = {name: ask(name) for name in _FIELDS if ask(name) is not None}
    if "messages" not in body:
        return cohere.compose(body)
    if "anthropic_version" in body:
        return messages.compose(body)
    # Nova's contents are lists of parts without a type.
    contents = [field(message)("content") for message in listed(body["messages"])]
    typed = [part for content in contents if isinstance(content, list) for part in listed(content)]
    is_nova = bool(typed) and all(field(part)("type") is None for part in typed)
    return converse.compose(body) if is_nova else chat.compose(body)


_FIELDS = (
    "anthropic_version", "messages", "system", "tools", "toolConfig", "prompt", "inputText", "input", "texts", "images",
    "query", "documents", "message", "chat_history", "preamble", "tool_results", "response_format", "output_config",
)  # fmt: skip
