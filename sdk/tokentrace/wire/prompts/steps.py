"""Requests that continue what the provider has kept, step by step: Gemini's interactions, Mistral's conversations."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import (
    HISTORY,
    RESULTS,
    SYSTEM,
    TOOLS,
    USER,
    Piece,
    Unattributable,
    kept,
    sealed,
    structured,
)
from tokentrace.wire.prompts import chat
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import Ask, field, is_object, listed, plain, request
from tokentrace.wire.prompts.turns import begin

_INSTRUCTIONS = ("system_instruction", "instructions")
_EARLIER = ("previous_interaction_id", "cached_content")


def interaction(asked: Any) -> list[Piece]:
    """Of Gemini's: what came before is named."""
    return _compose(request(asked), "input")


def conversation(asked: Any) -> list[Piece]:
    """Of Mistral's: what neither begins with a model nor with an agent goes on with what came before."""
    ask = request(asked)
    goes_on = ask("model") is None and ask("agent_id") is None
    return _compose(ask, "inputs", [kept(HISTORY, ask("conversation_id"))] if goes_on else [])


def _compose(ask: Ask, given: str, before: list[Piece] | None = None) -> list[Piece]:
    told = Told()
    if agent := ask("agent_id"):
        # It has instructions of its own.
        told.pieces.append(kept(SYSTEM, agent))
    for name in _INSTRUCTIONS:
        told.content(SYSTEM, ask(name))
    if tools := ask("tools"):
        told.pieces.append(structured(TOOLS, tools))
    told.pieces.extend(before or ())
    told.pieces.extend(kept(HISTORY, earlier) for name in _EARLIER if (earlier := ask(name)))
    content = ask(given)
    if isinstance(content, str) or is_object(content):
        told.content(USER, content)
    else:
        _steps(told, listed(content))
    if not told.pieces:
        raise Unattributable("a request without an input")
    return told.pieces


def _steps(told: Told, steps: Any) -> None:
    kinds = [_said(step) for step in steps]
    turn = begin(kinds)
    for place, (kind, step) in enumerate(zip(kinds, steps, strict=True)):
        told.is_current = place >= turn
        _tell(told, HISTORY if place < turn and kind != SYSTEM else kind, step)


def _said(step: Any) -> str:
    """Who says it."""
    if isinstance(step, str):
        return USER
    what, role = _type(step), field(step)("role")
    if role is not None:
        return chat.ROLES.get(plain(role), HISTORY)
    if what.endswith("result"):
        return RESULTS
    is_model = what.endswith(("call", "output", "execution", "handoff")) or what == "thought"
    return HISTORY if is_model else USER


def _type(step: Any) -> str:
    return plain(field(step)("type") or "message.input").replace(".", "_")


def _tell(told: Told, kind: str, step: Any) -> None:
    ask = field({}) if isinstance(step, str) else field(step)
    what = "" if isinstance(step, str) else _type(step)
    if what.endswith(("_input", "_output")):
        told.content(kind, ask("content"))
    elif what.endswith(("_call", "_execution")):
        told.pieces.append(structured(kind, [ask("name"), ask("arguments")]))
    elif what.endswith("_result"):
        result = ask("result")
        told.pieces.append((kind, result) if isinstance(result, str) else structured(kind, result))
    elif what == "thought":
        told.pieces.append(sealed(kind, ask("signature")))
    elif what != "agent_handoff":
        # A content that stands alone.
        told.content(kind, step)
