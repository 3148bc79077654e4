"""Requests of Chat Completions, and of everyone who speaks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tokentrace.usage.prompt import (
    HISTORY,
    RESULTS,
    RETRIEVED,
    SYSTEM,
    TOOLS,
    USER,
    Piece,
    Unattributable,
    file,
    image,
    kept,
    structured,
)
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import MOST, Ask, field, listed, plain, request
from tokentrace.wire.prompts.turns import begin

ROLES = {
    "user": USER,
    "human": USER,
    "assistant": HISTORY,
    "model": HISTORY,
    "chatbot": HISTORY,
    "system": SYSTEM,
    "developer": SYSTEM,
    "tool": RESULTS,
    "function": RESULTS,
}
_BESIDE = frozenset({"agent_id", "tools", "functions", "response_format", "documents"})
"""Fields of a request that the model reads too."""

_BARE = 2
"""Fields of a message that has a role and a content, and nothing beside them."""


def compose(asked: Any) -> list[Piece]:
    """System messages, tools, and the conversation."""
    body: Any = asked
    is_bare = isinstance(asked, dict) and _BESIDE.isdisjoint(body)
    if is_bare and (texts := _texts(body.get("messages"))):
        return texts
    ask = request(asked)
    messages = listed(ask("messages"))
    if not messages:
        raise Unattributable("a request without messages")
    kinds = kinds_of(messages)
    turn = begin(kinds)
    if kinds[-1] == HISTORY and begins_answer(messages[-1]):
        kinds[-1] = USER
    opening = 0
    while opening < len(kinds) and kinds[opening] == SYSTEM:
        opening += 1
    told = Told()
    if opening:
        _say(told, messages[:opening], kinds, 0, turn)
    if not is_bare:
        told.pieces.extend(_beside(ask))
    _say(told, messages[opening:], kinds, opening, turn)
    if not is_bare and (documents := ask("documents")):
        told.pieces.append(structured(RETRIEVED, documents))
    return told.pieces


def _texts(messages: Any) -> list[Piece] | None:
    """The pieces of a conversation that is of nothing but texts, as most are; None of any other.

    One walk, from the last message to the first, for this is what the application waits for on each call.
    """
    if messages.__class__ is not list or len(messages) > MOST:
        return None
    pieces: list[Piece] = []
    is_turn = is_over = False
    try:
        for message in reversed(messages):
            content, kind = message["content"], ROLES[message["role"]]
            if content.__class__ is not str or message.__class__ is not dict or len(message) != _BARE:
                return None
            if kind == USER and not is_over:
                is_turn = True
            elif kind != SYSTEM and (is_over or is_turn):
                kind, is_turn, is_over = HISTORY, False, True
            pieces.append((kind, content))
    except (KeyError, TypeError):
        return None
    if pieces and pieces[0][0] == HISTORY:
        # The application's own beginning of the answer.
        pieces[0] = USER, pieces[0][1]
    pieces.reverse()
    return pieces


def _say(told: Told, messages: Sequence[Any], kinds: Sequence[str], first: int, turn: int) -> None:
    """Tell of messages, the first of which is the one in that place of the conversation."""
    pieces = told.pieces
    for place, message in enumerate(messages, first):
        kind = HISTORY if place < turn and kinds[place] != SYSTEM else kinds[place]
        # Most messages are this: the rest is for those that are not.
        if message.__class__ is dict and len(message) == _BARE and isinstance(message.get("content"), str):
            pieces.append((kind, message["content"]))
            continue
        told.is_current = place >= turn
        ask = field(message)
        told.content(kind, ask("content"))
        pieces.extend(_added(ask, kind))


def begins_answer(message: Any) -> bool:
    """Whether the last message of the assistant is the application's own beginning of the answer: a text alone."""
    ask = field(message)
    content = ask("content")
    if isinstance(content, (list, tuple)):
        return all(not isinstance(part, str) and field(part)("type") == "text" for part in listed(content))
    return isinstance(content, str) and not ask("tool_calls") and not ask("function_call")


def kinds_of(messages: Sequence[Any]) -> list[str]:
    """What each message would be in the last turn."""
    try:
        return [ROLES[message["role"]] for message in messages]
    except (KeyError, TypeError):
        return [_kind(field(message)("role")) for message in messages]


def _kind(role: Any) -> str:
    known = ROLES.get(plain(role).lower())
    if known is None:
        raise Unattributable(f"a message of {role!r}")
    return known


def _beside(ask: Ask) -> Iterator[Piece]:
    """What stands beside the messages: tools, and the shape that the answer is to have."""
    if agent := ask("agent_id"):
        # Of Mistral's: it has instructions of its own.
        yield kept(SYSTEM, agent)
    for name in ("tools", "functions"):
        if tools := ask(name):
            yield structured(TOOLS, tools)
    if (shape := schema(ask("response_format"))) is not None:
        yield structured(SYSTEM, shape)


def schema(wanted: Any) -> Any:
    """The schema of a structured answer; None where there is none."""
    if wanted is None or isinstance(wanted, (str, type)):
        return None
    return field(wanted)("json_schema") or field(wanted)("schema")


def _added(ask: Ask, kind: str) -> Iterator[Piece]:
    """What a message has beside its content."""
    for picture in listed(ask("images")):
        yield image(picture)
    if kind != HISTORY:
        return
    for name in ("reasoning_content", "thinking", "refusal", "tool_plan"):
        if isinstance(said := ask(name), str) and said:
            yield HISTORY, said
    for name in ("tool_calls", "function_call"):
        if asked := ask(name):
            yield structured(HISTORY, asked)
    if spoken := ask("audio"):
        yield file(field(spoken)("id"))
