"""Requests that are no conversation: embeddings, rerankings, completions, images, speech."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.prompt import (
    HISTORY,
    RETRIEVED,
    SYSTEM,
    USER,
    Other,
    Piece,
    Unattributable,
    file,
    image,
    structured,
)
from tokentrace.wire.prompts.blocks import Told
from tokentrace.wire.prompts.fields import field, is_object, listed, request

_SYSTEM = ("system", "instructions")
_ASKED = ("prompt", "suffix", "input", "inputs", "text", "texts", "inputText", "query", "question")
_PER_NUMBER = 4


def compose(asked: Any) -> list[Piece]:
    """All of it is what the user asks, but for what the model is to do with it and the documents to choose from."""
    ask = request(asked)
    told = Told()
    for name in _SYSTEM:
        told.content(SYSTEM, ask(name))
    if earlier := ask("context"):
        told.pieces.append((HISTORY, _numbers(earlier)))
    for name in _ASKED:
        _tell(told, ask(name))
    for picture in listed(ask("images")):
        told.pieces.append(image(picture))
    if documents := ask("documents"):
        told.pieces.append(structured(RETRIEVED, documents))
    if not told.pieces:
        raise Unattributable("a request without an input")
    return told.pieces


def recording(asked: Any) -> list[Piece]:
    """What is to be written down, and words that may be heard in it."""
    told = Told()
    told.pieces.append(file())
    if is_object(asked):
        told.content(SYSTEM, field(asked)("prompt"))
    return told.pieces


def _tell(told: Told, given: Any) -> None:
    if isinstance(given, (list, tuple)):
        parts = listed(given)
        if parts and isinstance(parts[0], int):
            told.pieces.append((USER, _numbers(parts)))
            return
        for part in parts:
            _tell(told, part)
    elif is_object(given) and given.get("type") is None:
        # An input of Cohere's has its parts inside.
        content = [found for name in ("content", "text", "image") if (found := given.get(name)) is not None]
        told.pieces.extend((USER, each) for each in content if isinstance(each, str))
        told.pieces.extend(piece for each in content if not isinstance(each, str) for piece in _inside(each))
    else:
        told.content(USER, given)


def _inside(content: Any) -> list[Piece]:
    told = Told()
    told.content(USER, content)
    return told.pieces


def _numbers(tokens: Any) -> Other:
    """A text that is made of tokens already."""
    return Other(size=_PER_NUMBER * len(listed(tokens)), mark=hash(tuple(listed(tokens)[:1024])))
