"""Requests of OpenAI Responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tokentrace.usage.prompt import (
    HISTORY,
    RESULTS,
    RETRIEVED,
    SYSTEM,
    TOOLS,
    USER,
    Other,
    Piece,
    Unattributable,
    image,
    kept,
    sealed,
    structured,
)
from tokentrace.wire.prompts import chat
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import Ask, field, listed, plain, request
from tokentrace.wire.prompts.turns import begin, placed


def compose(asked: Any) -> list[Piece]:
    """Instructions, tools, what the provider has kept of the conversation, and what is added to it."""
    ask = request(asked)
    told = Told()
    if template := ask("prompt"):
        _template(told, template)
    told.content(SYSTEM, ask("instructions"))
    if tools := ask("tools"):
        told.pieces.append(structured(TOOLS, tools))
        if any(_kind(tool) == "mcp" for tool in listed(tools)):
            # The provider asks the server for its tools.
            told.pieces.append(kept(TOOLS, repr(tools)))
    wanted = ask("text")
    if wanted is not None and (shape := chat.schema(field(wanted)("format"))) is not None:
        told.pieces.append(structured(SYSTEM, shape))
    if before := ask("previous_response_id") or ask("conversation"):
        told.pieces.append(kept(HISTORY, before))
    given = ask("input")
    if isinstance(given, str):
        told.pieces.append((USER, given))
    else:
        _conversation(told, listed(given))
    if not told.pieces:
        raise Unattributable("a request without an input")
    return told.pieces


def _template(told: Told, template: Any) -> None:
    """A prompt that is stored at the provider, and what is filled in."""
    ask = field(template)
    told.pieces.append(kept(SYSTEM, ask("id")))
    if variables := ask("variables"):
        told.pieces.append(structured(USER, variables))


def _conversation(told: Told, given: Any) -> None:
    asks = [field(item) for item in given]
    kinds = [_said(ask) for ask in asks]
    turn = begin(kinds)
    for place, (kind, ask) in enumerate(zip(kinds, asks, strict=True)):
        told.is_current = place >= turn
        _tell(told, HISTORY if place < turn and kind != SYSTEM else kind, ask)


def _kind(item: Any) -> str:
    return plain(field(item)("type") or "message")


def _said(ask: Ask) -> str:
    """Who says an item of the conversation."""
    what = plain(ask("type") or "message")
    if what == "message":
        return chat.ROLES.get(plain(ask("role")), "") or _unknown(ask)
    if what in _PARTS:
        return USER
    return RESULTS if what.endswith("_output") else HISTORY


def _unknown(ask: Ask) -> str:
    raise Unattributable(f"a message of {ask('role')!r}")


def _tell(told: Told, kind: str, ask: Ask) -> None:
    what = plain(ask("type") or "message")
    if what == "message":
        told.content(kind, ask("content"))
    elif what in _OWN:
        _OWN[what](told, kind, ask)
    elif what in _PARTS:
        told.content(kind, {"type": what, "text": ask("text"), "source": ask("data") or ask("uri")})
    elif what.endswith("_output"):
        _output(told, kind, ask("output"))
    elif what.endswith("_call") or what in _ASKED:
        asked = [found for name in _ASKED_FIELDS if (found := ask(name)) is not None]
        told.pieces.append(structured(kind, asked))
    else:
        raise Unattributable(what)


def _output(told: Told, kind: str, output: Any) -> None:
    """What a tool of the application's gave."""
    if isinstance(output, str):
        told.pieces.append((kind, output))
    elif isinstance(output, (list, tuple)) and not all(_is_typed(part) for part in listed(output)):
        told.pieces.append(structured(kind, output))
    else:
        told.content(kind, output)


def _is_typed(part: Any) -> bool:
    return not isinstance(part, str) and field(part)("type") is not None


def _reasoning(told: Told, kind: str, ask: Ask) -> None:
    if hidden := ask("encrypted_content"):
        told.pieces.append(sealed(kind, hidden))
        return
    told.content(kind, ask("content"))
    if not ask("content"):
        # The provider knows it by its id.
        told.pieces.append((kind, Other(most=sum(len(part) for _, part in _texts(ask("summary"))) or _UNKNOWN)))


def _texts(content: Any) -> list[tuple[str, str]]:
    told = Told()
    told.content(HISTORY, content)
    return [(kind, said) for kind, said in told.pieces if isinstance(said, str)]


def _searched(told: Told, kind: str, ask: Ask) -> None:
    told.pieces.append(structured(kind, ask("queries")))
    if results := ask("results"):
        told.pieces.append(structured(placed(RETRIEVED, is_current=told.is_current), results))


def _drawn(told: Told, _kind: str, ask: Ask) -> None:
    told.pieces.append(image(ask("result")))


def _connected(told: Told, kind: str, ask: Ask) -> None:
    told.pieces.append(structured(kind, [ask("name"), ask("arguments")]))
    if isinstance(output := ask("output"), str):
        told.pieces.append((placed(RESULTS, is_current=told.is_current), output))


def _listed(told: Told, _kind: str, ask: Ask) -> None:
    told.pieces.append(structured(TOOLS, ask("tools")))


def _named(told: Told, _kind: str, ask: Ask) -> None:
    told.pieces.append(kept(HISTORY, ask("id")))


def _compacted(told: Told, kind: str, ask: Ask) -> None:
    told.pieces.append(sealed(kind, ask("encrypted_content")))


def _nothing(told: Told, kind: str, ask: Ask) -> None:
    """What is no part of the prompt."""


_UNKNOWN = 4096
"""Tokens of a reasoning of which not even a summary is sent back."""

_PARTS = frozenset({"text", "image", "audio", "video", "document", "input_text", "input_image", "input_file"})
"""Contents that stand alone, as Gemini's interactions and compact inputs have them."""

_ASKED = frozenset({"mcp_approval_request", "mcp_approval_response", "program", "code_execution_call"})
_ASKED_FIELDS = ("name", "arguments", "input", "action", "code", "outputs", "operation", "query", "queries", "approve")
"""What may be in a call of a tool."""

_OWN: Mapping[str, Callable[[Told, str, Ask], None]] = {
    "reasoning": _reasoning,
    "file_search_call": _searched,
    "image_generation_call": _drawn,
    "mcp_call": _connected,
    "mcp_list_tools": _listed,
    "additional_tools": _listed,
    "tool_search_output": _listed,
    "item_reference": _named,
    "compaction": _compacted,
    "compaction_trigger": _nothing,
}
