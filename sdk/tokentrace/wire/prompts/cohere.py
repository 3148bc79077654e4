"""Requests of Cohere, of both versions of its API."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import HISTORY, RESULTS, RETRIEVED, SYSTEM, TOOLS, USER, Piece, structured
from tokentrace.wire.prompts import chat, plain
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import Ask, field, listed, request


def compose(asked: Any) -> list[Piece]:
    """A conversation, or what is to be embedded, ranked or completed."""
    ask = request(asked)
    if ask("messages") is not None:
        return chat.compose(asked)
    return _first_version(ask) if ask("message") is not None else plain.compose(asked)


def _first_version(ask: Ask) -> list[Piece]:
    told = Told()
    told.content(SYSTEM, ask("preamble"))
    if tools := ask("tools"):
        told.pieces.append(structured(TOOLS, tools))
    for message in listed(ask("chat_history")):
        of_message = field(message)
        told.content(SYSTEM if of_message("role") == "SYSTEM" else HISTORY, of_message("message"))
        for name in ("tool_calls", "tool_results"):
            if beside := of_message(name):
                told.pieces.append(structured(HISTORY, beside))
    told.content(USER, ask("message"))
    for name, kind in (("documents", RETRIEVED), ("tool_results", RESULTS)):
        if beside := ask(name):
            told.pieces.append(structured(kind, beside))
    return told.pieces
