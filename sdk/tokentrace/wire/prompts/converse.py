"""Requests of Bedrock Converse, and the bodies that look like them."""

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
    Piece,
    Unattributable,
    file,
    image,
    kept,
    sealed,
    structured,
)
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.chat import kinds_of
from tokentrace.wire.prompts.fields import Ask, field, is_object, listed, request
from tokentrace.wire.prompts.turns import begin, placed


def compose(asked: Any) -> list[Piece]:
    """Tools, the system prompt, and the conversation, as they stand in the cache."""
    ask = request(asked)
    told = Told()
    if (config := ask("toolConfig")) is not None:
        told.pieces.append(structured(TOOLS, field(config)("tools")))
    _tell(told, SYSTEM, ask("system"))
    if variables := ask("promptVariables"):
        # The rest of the prompt is kept at the provider.
        told.pieces += (kept(SYSTEM, ask("modelId")), structured(USER, variables))
    messages = listed(ask("messages"))
    roles = kinds_of(messages)
    turn = begin([_kind(role, message) for role, message in zip(roles, messages, strict=True)])
    for place, (role, message) in enumerate(zip(roles, messages, strict=True)):
        told.is_current = place >= turn
        _tell(told, HISTORY if place < turn and role != SYSTEM else role, field(message)("content"))
    if not told.pieces:
        raise Unattributable("a request without messages")
    return told.pieces


def _kind(role: str, message: Any) -> str:
    """What a message is: one of the user that answers the assistant's tools goes on with the same turn."""
    return RESULTS if role == USER and _brings_results(message) else role


def _brings_results(message: Any) -> bool:
    content = field(message)("content")
    return isinstance(content, (list, tuple)) and any(
        is_object(block) and "toolResult" in block for block in listed(content)
    )


def _tell(told: Told, kind: str, content: Any) -> None:
    if isinstance(content, str):
        told.pieces.append((kind, content))
        return
    for block in listed(content):
        ask = field(block)
        told_of = next((name for name in _BLOCKS if ask(name) is not None), None)
        if told_of is None:
            if all(name in _SILENT for name in block):
                continue
            raise Unattributable(", ".join(block))
        _BLOCKS[told_of](told, kind, ask(told_of))


def _said(told: Told, kind: str, said: Any) -> None:
    if not isinstance(said, str):
        raise Unattributable("a text that is none")
    told.pieces.append((kind, said))


def _pictured(told: Told, _kind: str, picture: Any) -> None:
    told.pieces.append(image(_bytes(field(picture))))


def _filed(told: Told, _kind: str, document: Any) -> None:
    told.pieces.append(file(_bytes(field(document))))


def _document(told: Told, kind: str, document: Any) -> None:
    source = field(document)("source")
    if source is None or (text := field(source)("text") or field(source)("content")) is None:
        _filed(told, kind, document)
    else:
        _tell(told, kind if kind == RESULTS else placed(RETRIEVED, is_current=told.is_current), text)


def _bytes(ask: Ask) -> Any:
    source = ask("source")
    return None if source is None else field(source)("bytes")


def _asked(told: Told, kind: str, use: Any) -> None:
    told.pieces.append(structured(kind, [field(use)("name"), field(use)("input")]))


def _result(told: Told, _kind: str, result: Any) -> None:
    _tell(told, placed(RESULTS, is_current=told.is_current), field(result)("content"))


def _json(told: Told, kind: str, value: Any) -> None:
    told.pieces.append(structured(kind, value))


def _guarded(told: Told, kind: str, content: Any) -> None:
    ask = field(content)
    if (said := ask("text")) is not None:
        _said(told, kind, field(said)("text"))
    elif (picture := ask("image")) is not None:
        _pictured(told, kind, picture)


def _reasoned(told: Told, kind: str, content: Any) -> None:
    ask = field(content)
    thought = ask("reasoningText")
    if thought is None:
        told.pieces.append(sealed(kind, ask("redactedContent")))
    else:
        _said(told, kind, field(thought)("text") or "")


def _cited(told: Told, kind: str, content: Any) -> None:
    _tell(told, kind, field(content)("content"))


def _found(told: Told, _kind: str, content: Any) -> None:
    kind = placed(RETRIEVED, is_current=told.is_current)
    told.content(kind, field(content)("title"))
    _tell(told, kind, field(content)("content"))


_BLOCKS: Mapping[str, Callable[[Told, str, Any], None]] = {
    "text": _said,
    "toolUse": _asked,
    "toolResult": _result,
    "json": _json,
    "image": _pictured,
    "document": _document,
    "video": _filed,
    "audio": _filed,
    "reasoningContent": _reasoned,
    "searchResult": _found,
    "guardContent": _guarded,
    "citationsContent": _cited,
    "toolAddition": lambda told, _, tool: _json(told, TOOLS, tool),
}
_SILENT = frozenset({"cachePoint", "toolRemoval"})
