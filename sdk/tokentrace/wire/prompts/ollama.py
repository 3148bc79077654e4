"""Requests of Ollama: a conversation, or a prompt to be completed or embedded."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import Piece
from tokentrace.wire.prompts import chat, plain
from tokentrace.wire.prompts.fields import request


def compose(asked: Any) -> list[Piece]:
    """The conversation, where there is one."""
    return chat.compose(asked) if request(asked)("messages") is not None else plain.compose(asked)
