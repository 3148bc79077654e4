"""Requests of xAI's gRPC API: the messages of its client."""

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
    file,
    image,
    kept,
    sealed,
    structured,
)
from tokentrace.usage.reading import dig
from tokentrace.wire.prompts.fields import listed
from tokentrace.wire.prompts.turns import begin

_ROLES = {1: USER, 2: HISTORY, 3: SYSTEM, 4: RESULTS, 5: RESULTS, 6: SYSTEM}
"""By the number of the role."""


def compose(asked: Any) -> list[Piece]:
    """Tools, what xAI has kept, and the conversation."""
    messages = listed(dig(asked, "messages"))
    kinds = [_ROLES.get(dig(message, "role"), "") for message in messages]
    if not all(kinds):
        raise Unattributable("a message of a role that is not known")
    pieces: list[Piece] = []
    if tools := listed(dig(asked, "tools")):
        pieces.append(structured(TOOLS, tools))
    if schema := dig(asked, "response_format", "schema"):
        pieces.append((SYSTEM, schema))
    if before := dig(asked, "previous_response_id"):
        pieces.append(kept(HISTORY, before))
    turn = begin(kinds)
    for place, (kind, message) in enumerate(zip(kinds, messages, strict=True)):
        _tell(pieces, HISTORY if place < turn and kind != SYSTEM else kind, message)
    if not pieces:
        raise Unattributable("a request without messages")
    return pieces


def _tell(pieces: list[Piece], kind: str, message: Any) -> None:
    for content in listed(dig(message, "content")):
        # A field that is left open is empty, or a message that is.
        if said := dig(content, "text"):
            pieces.append((kind, said))
        elif source := dig(content, "image_url", "image_url") or dig(content, "image_url", "file_id"):
            pieces.append(image(source))
        elif any(source := dig(content, "file", name) for name in ("file_id", "data", "url")):
            pieces.append(file(source))
    if thought := dig(message, "reasoning_content"):
        pieces.append((kind, thought))
    if hidden := dig(message, "encrypted_content"):
        pieces.append(sealed(kind, hidden))
    if calls := listed(dig(message, "tool_calls")):
        pieces.append(
            structured(kind, [[dig(call, "function", name) for name in ("name", "arguments")] for call in calls])
        )
