"""Gemini embeddings: Gemini's counts beside vectors."""

from __future__ import annotations

from typing import Any

from tokentrace.reading import Format, Reading
from tokentrace.wire import gemini


def read(part: Any, seen: Reading) -> None:
    """The embeddings of one request, which never come as a stream."""
    gemini.read(part, seen)
    seen.complete = True


FORMAT = Format("embed_content", read, gemini.count, gemini.FORMAT.marks)
