"""Requests of Gemini, as JSON in either spelling and as google-genai's objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokentrace.usage.prompt import (
    HISTORY,
    RESULTS,
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
from tokentrace.usage.reading import ask
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import listed, plain
from tokentrace.wire.prompts.turns import begin, placed

_SPOKEN = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
"""Parts in which the provider ran a tool."""

_SCHEMAS = ("responseSchema", "responseJsonSchema")


def compose(asked: Any) -> list[Piece]:
    """What is cached, the system instruction, the tools, and the conversation."""
    told = Told()
    config = ask(asked, "config")
    # In JSON it stands at the top, or with what the answer is to be like.
    places = (config, asked, ask(asked, "generationConfig"))
    if cache := _first(places, "cachedContent"):
        told.pieces.append(kept(HISTORY, cache))
    _tell_all(told, SYSTEM, _first(places, "systemInstruction"))
    if tools := _first(places, "tools"):
        told.pieces.append(structured(TOOLS, tools))
    for name in _SCHEMAS:
        if (schema := _first(places, name)) is not None:
            told.pieces.append(structured(SYSTEM, schema))
    _conversation(told, _contents(ask(asked, "contents")))
    if not told.pieces:
        raise Unattributable("a request without contents")
    return told.pieces


def embedded(asked: Any) -> list[Piece]:
    """What is to become vectors: all of it."""
    told = Told()
    _conversation(told, _contents(ask(asked, "contents")))
    return [(USER if kind == HISTORY else kind, content) for kind, content in told.pieces]


def _first(places: Sequence[Any], name: str) -> Any:
    return next((found for place in places if (found := ask(place, name)) is not None), None)


def _contents(given: Any) -> Sequence[Any]:
    return listed(given) if isinstance(given, (list, tuple)) else (given,)


def _conversation(told: Told, contents: Sequence[Any]) -> None:
    kinds = [_said(content) for content in contents]
    turn = begin(kinds)
    for place, (kind, content) in enumerate(zip(kinds, contents, strict=True)):
        told.is_current = place >= turn
        is_result = kind == RESULTS
        _tell_all(told, placed(USER if is_result else kind, is_current=told.is_current), content)


def _said(content: Any) -> str:
    """Who says it; what answers the model's functions is none of the user's turns."""
    parts = None if isinstance(content, str) else ask(content, "parts")
    if parts is None:
        return USER
    role = ask(content, "role") or "user"
    if role == "model":
        return HISTORY
    if plain(role) not in ("user", "function"):
        raise Unattributable(f"a content of {role!r}")
    is_result = any(not isinstance(part, str) and ask(part, "functionResponse") is not None for part in listed(parts))
    return RESULTS if is_result else USER


def _tell_all(told: Told, kind: str, content: Any) -> None:
    """A content, its parts, or a part alone."""
    if content is None:
        return
    if isinstance(content, str):
        told.pieces.append((kind, content))
    elif isinstance(content, (list, tuple)):
        for each in listed(content):
            _tell_all(told, kind, each)
    elif (parts := ask(content, "parts")) is not None:
        for part in listed(parts):
            _tell(told, kind, part)
    else:
        _tell(told, kind, content)


def _tell(told: Told, kind: str, part: Any) -> None:
    if isinstance(part, str):
        told.pieces.append((kind, part))
        return
    signature = ask(part, "thoughtSignature")
    if (said := ask(part, "text")) is not None:
        told.pieces.append((kind, plain(said)))
    elif (call := ask(part, "functionCall")) is not None:
        told.pieces.append(structured(kind, [ask(call, "name"), ask(call, "args")]))
    elif (answer := ask(part, "functionResponse")) is not None:
        told.pieces.append(structured(placed(RESULTS, is_current=told.is_current), ask(answer, "response")))
        for each in listed(ask(answer, "parts")):
            _tell(told, kind, each)
    elif (ran := next((found for name in _SPOKEN if (found := ask(part, name)) is not None), None)) is not None:
        told.pieces.append(structured(kind, ran))
    elif (medium := _medium(part)) is not None:
        told.pieces.append(medium)
    elif signature is None:
        raise Unattributable("a part of a content")
    if signature is not None:
        # What the model had thought is read again, from what only the provider can read.
        told.pieces.append(sealed(kind, signature))


def _medium(part: Any) -> Piece | None:
    for name, place in (("inlineData", "data"), ("fileData", "fileUri")):
        if (source := ask(part, name)) is not None:
            return _shown(ask(source, "mimeType"), ask(source, place))
    if (kind := ask(part, "mimeType")) is not None:
        # A file that was uploaded before.
        return _shown(kind, ask(part, "uri"))
    # A picture of PIL's.
    return image() if ask(part, "getpixel") is not None else None


def _shown(kind: Any, source: Any) -> Piece:
    return image(source) if str(kind).startswith("image/") else file(source)
