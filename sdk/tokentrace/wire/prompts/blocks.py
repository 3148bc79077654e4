"""The parts of a message that say what they are by their `type`, whoever's they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tokentrace.usage.prompt import (
    RESULTS,
    RETRIEVED,
    TOOLS,
    Other,
    Piece,
    Unattributable,
    file,
    image,
    sealed,
    structured,
)
from tokentrace.wire.prompts.fields import Ask, field, listed, plain
from tokentrace.wire.prompts.turns import placed

_DEEPEST = 6
"""Contents inside of contents."""


class Told:
    """Pieces as they are told."""

    __slots__ = ("depth", "is_current", "pieces")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.is_current = True
        """Whether what is told now belongs to the last turn of the user."""
        self.depth = 0

    def content(self, kind: str, content: Any) -> None:
        """A content: a text, a part, a list of both, or nothing."""
        if isinstance(content, str):
            self.pieces.append((kind, content))
            return
        if content is None:
            return
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unattributable("contents that are too deep")
        for part in (content,) if _is_part(content) else listed(content):
            if isinstance(part, str):
                self.pieces.append((kind, part))
            else:
                ask = field(part)
                _part(self, kind, plain(ask("type")), ask)
        self.depth -= 1


def _is_part(content: Any) -> bool:
    return isinstance(content, (dict, Mapping)) or hasattr(content, "type")


def _part(told: Told, kind: str, what: str, ask: Ask) -> None:
    if what in _TEXTS:
        told.content(kind, ask(_TEXTS[what]))
    elif what in _IMAGES:
        told.pieces.append(image(_source(ask), _detail(ask)))
    elif what in _FILES:
        told.pieces.append(file(_source(ask)))
    elif what in _SEALED:
        told.pieces.append(sealed(kind, ask(_SEALED[what])))
    elif what in _ASKED:
        told.pieces.append(structured(kind, [ask(name) for name in _ASKED[what]]))
    elif what in _OWN:
        _OWN[what](told, kind, ask)
    elif what.endswith("_tool_result"):
        # Of a tool that the provider ran; it may be for its own eyes only, and longer than what it says.
        _, content = structured(kind, ask("content"))
        size, mark = (len(content), 0) if isinstance(content, str) else (content.size, content.mark)
        told.pieces.append((placed(RESULTS, is_current=told.is_current), Other(most=size, mark=mark)))
    else:
        raise Unattributable(what)


def _detail(ask: Ask) -> Any:
    """How closely an image is to be looked at."""
    inner = ask("image_url")
    return ask("detail") if inner is None or isinstance(inner, str) else field(inner)("detail")


def _source(ask: Ask) -> Any:
    """What an image, a sound or a document is, or where it lies."""
    for name in _SOURCES:
        found = ask(name)
        if isinstance(found, (str, bytes)):
            return found
        if found is not None and (inner := _source(field(found))) is not None:
            return inner
    return None


def _document(told: Told, kind: str, ask: Ask) -> None:
    """Text that was found for the question; pages that the model looks at; or what a tool of Cohere's gave."""
    source = ask("source")
    if source is None:
        found = ask("document")
        told.pieces.append(file(_source(ask)) if found is None else structured(kind, found))
        return
    of_source = field(source)
    kind = kind if kind == RESULTS else placed(RETRIEVED, is_current=told.is_current)
    if of_source("type") in ("text", "content"):
        told.content(kind, ask("title"))
        told.content(kind, of_source("data") or of_source("content"))
    else:
        told.pieces.append(file(_source(of_source)))


def _found(told: Told, _kind: str, ask: Ask) -> None:
    kind = placed(RETRIEVED, is_current=told.is_current)
    told.content(kind, ask("title"))
    told.content(kind, ask("content"))


def _result(told: Told, _kind: str, ask: Ask) -> None:
    told.content(placed(RESULTS, is_current=told.is_current), ask("content"))


def _reference(told: Told, kind: str, _ask: Ask) -> None:
    """Numbers of what was quoted: the model is not told of them again."""


def _listing(told: Told, _kind: str, ask: Ask) -> None:
    told.pieces.append(structured(TOOLS, ask("tools") or ask("tool")))


def _summary(told: Told, kind: str, ask: Ask) -> None:
    told.content(kind, ask("content"))
    if hidden := ask("encrypted_content"):
        told.pieces.append(sealed(kind, hidden))


_SOURCES = (
    "data", "url", "image_url", "file_data", "image", "audio_url", "video_url", "document_url", "input_audio", "file",
    "source", "audio", "video", "file_id", "uri",
)  # fmt: skip

_TEXTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
    "guard_content": "text",
}
"""The field of the text, by type."""

_IMAGES = frozenset({"image", "image_url", "input_image", "image_file", "computer_screenshot"})
_FILES = frozenset(
    {"input_audio", "audio", "audio_url", "video", "video_url", "input_video", "file", "input_file", "document_url"}
)
_SEALED = {"redacted_thinking": "data"}
_ASKED = {
    "tool_use": ("name", "input"),
    "server_tool_use": ("name", "input"),
    "mcp_tool_use": ("name", "input"),
    "tool_call": ("name", "arguments", "function"),
    "tool-call": ("name", "arguments", "function"),
}
"""The fields of what an assistant asked of a tool, by type."""

_OWN: Mapping[str, Callable[[Told, str, Ask], None]] = {
    "document": _document,
    "search_result": _found,
    "tool_result": _result,
    "mcp_tool_result": _result,
    "reference": _reference,
    "tool_reference": _reference,
    "tool_removal": _reference,
    "tool_addition": _listing,
    "mcp_tool_listing": _listing,
    "compaction": _summary,
}
