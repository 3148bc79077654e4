"""OpenAI embeddings."""

from __future__ import annotations

from typing import Any

from tokentrace.usage.reading import Format, Reading, mapping, overlaid, text
from tokentrace.wire import chat
from tokentrace.wire.prompts import plain
from tokentrace.wire.rules import fault


def read(part: Any, seen: Reading) -> None:
    """A list of embeddings."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.response_id = text(part.get("id")) or seen.response_id
    seen.error = fault(part) or seen.error
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    seen.complete = True


FORMAT = Format("embeddings", read, chat.count, chat.FORMAT.marks, compose=plain.compose)
