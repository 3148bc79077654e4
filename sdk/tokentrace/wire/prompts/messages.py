"""Requests of Anthropic Messages."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import HISTORY, RESULTS, SYSTEM, TOOLS, USER, Piece, Unattributable, kept, structured
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.chat import begins_answer, kinds_of, schema
from tokentrace.wire.prompts.fields import field, listed, request
from tokentrace.wire.prompts.turns import begin


def compose(asked: Any) -> list[Piece]:
    """Tools, the system prompt, and the conversation, as they stand in the cache."""
    ask = request(asked)
    messages = listed(ask("messages"))
    if not messages:
        raise Unattributable("a request without messages")
    told = Told()
    if tools := ask("tools"):
        told.pieces.append(structured(TOOLS, tools))
    if servers := ask("mcp_servers"):
        # The provider asks them for their tools.
        told.pieces.append(kept(TOOLS, repr(servers)))
    told.content(SYSTEM, ask("system"))
    wanted = ask("output_config")
    if wanted is not None and (shape := schema(field(wanted)("format"))) is not None:
        told.pieces.append(structured(SYSTEM, shape))
    roles = kinds_of(messages)
    turn = begin([_kind(role, message) for role, message in zip(roles, messages, strict=True)])
    if roles[-1] == HISTORY and begins_answer(messages[-1]):
        roles[-1] = USER
    for place, (role, message) in enumerate(zip(roles, messages, strict=True)):
        told.is_current = place >= turn
        told.content(HISTORY if place < turn and role != SYSTEM else role, field(message)("content"))
    return told.pieces


def _kind(role: str, message: Any) -> str:
    """What a message is: one of the user that answers the assistant's tools goes on with the same turn."""
    return RESULTS if role == USER and _brings_results(message) else role


def _brings_results(message: Any) -> bool:
    content = field(message)("content")
    return isinstance(content, (list, tuple)) and any(_is_result(block) for block in listed(content))


def _is_result(block: Any) -> bool:
    return not isinstance(block, str) and field(block)("type") == "tool_result"
